#include "log/batch.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"
#include "base/invariant.hpp"
#include "log/segment/format.hpp"
#include "log/segment/hasher.hpp"

namespace annals::log {
namespace {

/// A buffer that one huge group blew up is given back.
constexpr std::size_t kept_buffer_bytes_max = 8u << 20;

}  // namespace

void Batch::start(const State& state) {
  if (bytes_.capacity() > kept_buffer_bytes_max) std::string().swap(bytes_);
  bytes_.clear();
  groups_.clear();
  state_ = state;
}

void Batch::begin_group(Instant now) {
  before_group_ = state_;
  group_begin_ = bytes_.size();
  count_ = 0;
  created_at_ = state_.last.value == 0 ? now : std::max(now, state_.last_time.plus(Duration{1}));
  bytes_.append(frame_header_bytes, '\0');
}

std::string& Batch::begin_record(std::optional<std::uint32_t> node_id) {
  record_begin_ = bytes_.size();
  bytes_.append(reinterpret_cast<const char*>(state_.last_hash.data()), state_.last_hash.size());
  state_.last_time = created_at_.plus(Duration{count_});
  put<std::int64_t>(bytes_, state_.last_time.microseconds);
  put<std::uint32_t>(bytes_, node_id.value_or(node_id_));
  put<std::uint32_t>(bytes_, 0);  // the size of the body, when it is known
  return bytes_;
}

void Batch::end_record() {
  const std::size_t body_bytes = bytes_.size() - record_begin_ - record_header_bytes;
  INVARIANT(body_bytes < (std::uint64_t{1} << 32), "bodies are limited by the event's limits");
  put_at<std::uint32_t>(bytes_.data() + record_begin_ + 44, static_cast<std::uint32_t>(body_bytes));
  state_.last_hash = hasher_.hash(std::string_view(bytes_).substr(record_begin_));
  state_.last = state_.last.next();
  ++count_;
}

Result<Batch::Stamp> Batch::end_group() {
  INVARIANT(count_ > 0, "a group has records");
  bytes_.resize(padded(bytes_.size()));
  if (auto fits = check_frame(bytes_.size() - group_begin_); !fits) {
    bytes_.resize(group_begin_);
    state_ = before_group_;
    return std::unexpected(std::move(fits).error());
  }
  const Stamp stamp{before_group_.last.next(), state_.last, created_at_};
  groups_.push_back({stamp, group_begin_, bytes_.size(), {}});
  return stamp;
}

Result<> Batch::check_size(std::size_t records, std::size_t body_bytes) const {
  return check_frame(padded(frame_header_bytes + records * record_header_bytes + body_bytes));
}

Result<> Batch::check_frame(std::size_t frame_bytes) const {
  if (frame_bytes <= frame_bytes_max_) return {};
  return fail(ErrorKind::too_large, "the group takes " + std::to_string(frame_bytes) +
                                        " bytes in the log, and a segment has room for " +
                                        std::to_string(frame_bytes_max_));
}

}  // namespace annals::log
