#include "http/server/request_parser.hpp"

#include <algorithm>
#include <cstring>

#include "base/invariant.hpp"

namespace annals::http {
namespace {

constexpr std::size_t quiet_capacity = 4u << 10;     // what a connection holds between requests
constexpr std::size_t crowded_capacity = 64u << 10;  // and while many requests come at once
constexpr std::size_t room_min = 1u << 10;           // less is not worth a call of the system
constexpr Refusal body_memory_full{503, "body_memory_full",
                                   "The bodies of requests that are under way take all the memory that they may. Try "
                                   "again soon."};
constexpr unsigned empty_lines_max = 2;  // before a request: some clients end a body with one too many

}  // namespace

RequestParser::RequestParser(const ParserLimits& limits, BodyBudget* budget)
    : limits_(limits),
      head_(limits.head),
      chunks_({.body_bytes_max = limits.body_bytes_max}),
      buffer_(std::make_unique_for_overwrite<char[]>(quiet_capacity)),
      capacity_(quiet_capacity),
      share_(budget) {}

std::span<char> RequestParser::room() {
  INVARIANT(step_ != Step::complete, "a request that is being answered keeps its bytes where they are");
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > crowded_capacity) resize(quiet_capacity);
  }
  const std::size_t needed = needed_capacity();
  const std::size_t wanted = wanted_bytes();
  if (capacity_ - end_ < wanted && in_chunks() && coded_begin_ > body_end_) {
    // Closes the gap that chunk headers left; all that could be decoded has been, so little moves.
    std::memmove(buffer_.get() + begin_ + body_end_, buffer_.get() + begin_ + coded_begin_,
                 end_ - begin_ - coded_begin_);
    end_ -= coded_begin_ - body_end_;
    coded_begin_ = body_end_;
  }
  if (capacity_ - end_ < wanted && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (crowded_ && capacity_ < crowded_capacity) {
    resize(std::max(capacity_ * 2, needed));
  } else if (needed > capacity_) {
    resize(needed);
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

std::size_t RequestParser::wanted_bytes() const {
  if (step_ != Step::body || in_chunks()) return room_min;
  const std::uint64_t request_bytes = head_.size() + head_.framing().content_length;  // at most body_bytes_max more
  const std::size_t arrived = end_ - begin_;
  return request_bytes > arrived ? static_cast<std::size_t>(request_bytes) - arrived : room_min;
}

std::size_t RequestParser::needed_capacity() const {
  const std::size_t wanted = wanted_bytes();
  const std::size_t kept = end_ - begin_ - (in_chunks() ? coded_begin_ - body_end_ : 0);
  if (capacity_ - kept >= std::min(wanted, room_min)) return capacity_;
  if (step_ != Step::body) return capacity_ * 2;
  // A body may claim more than ever comes: memory grows with what has come.
  const std::uint64_t most = in_chunks()
                                 ? std::max(head_.size() + limits_.body_bytes_max, std::uint64_t{kept}) + room_min
                                 : kept + std::max(wanted, room_min);
  return std::min(capacity_ * 2, static_cast<std::size_t>(most));
}

void RequestParser::arrived(std::size_t count) {
  INVARIANT(count <= capacity_ - end_, "no more bytes arrive than there was room for");
  crowded_ = count == capacity_ - end_;
  end_ += count;
}

void RequestParser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> into = room();
    const std::size_t count = std::min(into.size(), bytes.size());
    std::memcpy(into.data(), bytes.data(), count);
    arrived(count);
    bytes.remove_prefix(count);
  }
}

void RequestParser::resize(std::size_t capacity) {
  (void)share_.hold(capacity);  // a body has been granted it before; a head has a limit of its own
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  std::memcpy(grown.get(), buffer_.get() + begin_, end_ - begin_);
  buffer_ = std::move(grown);
  capacity_ = capacity;
  end_ -= begin_;
  begin_ = 0;
}

RequestParser::Step RequestParser::advance() {
  switch (step_) {
    case Step::between:
    case Step::head: return advance_head();
    case Step::body: return head_.framing().chunked ? advance_chunked_body() : advance_fixed_body();
    case Step::complete:
    case Step::refused: break;
  }
  return step_;
}

RequestParser::Step RequestParser::advance_head() {
  while (!head_.begun() && empty_lines_ < empty_lines_max && end_ > begin_ && buffer_[begin_] == '\r') {
    if (end_ - begin_ == 1) return step_ = Step::between;
    if (buffer_[begin_ + 1] != '\n') break;
    begin_ += 2;
    ++empty_lines_;
  }
  if (begin_ == end_) return step_ = Step::between;
  switch (head_.advance(buffer_.get() + begin_, end_ - begin_)) {
    case HeadParser::Progress::more: return step_ = Step::head;
    case HeadParser::Progress::refused: return refuse(head_.refusal());
    case HeadParser::Progress::done: break;
  }
  return begin_body();
}

RequestParser::Step RequestParser::begin_body() {
  body_end_ = coded_begin_ = head_.size();
  step_ = Step::body;
  has_head_ = true;
  if (head_.framing().expects_other)
    return refuse({417, "expectation_failed", "The only expectation that can be met is 100-continue."});
  if (head_.framing().chunked) {
    chunks_.reset();
    return advance_chunked_body();
  }
  if (head_.framing().content_length > limits_.body_bytes_max)
    return refuse({413, "body_too_large", "The request's body is larger than this server takes."});
  if (!share_.could_hold(head_.size() + head_.framing().content_length)) return refuse(body_memory_full);
  return advance_fixed_body();
}

RequestParser::Step RequestParser::advance_fixed_body() {
  const std::size_t request_end = head_.size() + head_.framing().content_length;
  if (end_ - begin_ < request_end) return await_body();
  return complete(request_end, request_end);
}

RequestParser::Step RequestParser::advance_chunked_body() {
  switch (chunks_.advance(buffer_.get() + begin_, coded_begin_, end_ - begin_, body_end_)) {
    case ChunkDecoder::Progress::more: return await_body();
    case ChunkDecoder::Progress::refused: return refuse(chunks_.refusal());
    case ChunkDecoder::Progress::done: break;
  }
  return complete(body_end_, coded_begin_);
}

RequestParser::Step RequestParser::await_body() {
  const std::size_t needed = needed_capacity();
  return needed == capacity_ || share_.hold(needed) ? step_ : refuse(body_memory_full);
}

RequestParser::Step RequestParser::complete(std::size_t body_end, std::size_t request_end) {
  describe_head();
  request_.body = {buffer_.get() + begin_ + head_.size(), body_end - head_.size()};
  coded_begin_ = request_end;
  return step_ = Step::complete;
}

RequestParser::Step RequestParser::refuse(const Refusal& refusal) {
  if (has_head_) describe_head();
  refusal_ = refusal;
  return step_ = Step::refused;
}

void RequestParser::next() {
  INVARIANT(step_ == Step::complete, "only a whole request is followed by another");
  begin_ += coded_begin_;
  head_.reset();
  request_.method = Method::other;
  request_.method_text = request_.target = request_.path = request_.query = request_.body = {};
  request_.fields.clear();
  empty_lines_ = 0;
  has_head_ = false;
  step_ = Step::between;
}

void RequestParser::discard() {
  buffer_.reset();
  begin_ = end_ = capacity_ = 0;
  (void)share_.hold(0);
}

}  // namespace annals::http
