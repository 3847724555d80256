#include "http/server/request_parser.hpp"

#include <algorithm>
#include <cstring>

#include "base/invariant.hpp"

namespace annals::http {
namespace {

constexpr std::size_t quiet_capacity = 4u << 10;     // what a connection holds between requests
constexpr std::size_t crowded_capacity = 64u << 10;  // and while many requests come at once
constexpr std::size_t room_min = 1u << 10;           // less is not worth a call of the system
constexpr unsigned empty_lines_max = 2;              // before a request: some clients end a body with one too many

}  // namespace

RequestParser::RequestParser(const ParserLimits& limits)
    : limits_(limits),
      head_(limits.head),
      chunks_({.body_bytes_max = limits.body_bytes_max}),
      buffer_(std::make_unique_for_overwrite<char[]>(quiet_capacity)),
      capacity_(quiet_capacity) {}

std::span<char> RequestParser::room() {
  INVARIANT(step_ != Step::complete, "a request that is being answered keeps its bytes where they are");
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > crowded_capacity) resize(quiet_capacity);
  }
  const bool in_chunks = step_ == Step::body && head_.framing().chunked;
  std::size_t wanted = room_min;
  std::size_t grown = capacity_ * 2;
  if (step_ == Step::body && !in_chunks) {
    const std::size_t request_end =
        begin_ + head_.size() + head_.framing().content_length;  // at most body_bytes_max more
    if (request_end > end_) {
      wanted = request_end - end_;
      // A body may claim more than ever comes: memory grows with what has come.
      grown = std::min(grown, end_ - begin_ + std::max(wanted, room_min));
    }
  }
  if (capacity_ - end_ < wanted && in_chunks && coded_begin_ > body_end_) {
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
    resize(capacity_ * 2);
  } else if (capacity_ - end_ < std::min(wanted, room_min)) {
    resize(grown);
  }
  return {buffer_.get() + end_, capacity_ - end_};
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
  return advance_fixed_body();
}

RequestParser::Step RequestParser::advance_fixed_body() {
  const std::size_t request_end = head_.size() + head_.framing().content_length;
  if (end_ - begin_ < request_end) return step_;
  return complete(request_end, request_end);
}

RequestParser::Step RequestParser::advance_chunked_body() {
  switch (chunks_.advance(buffer_.get() + begin_, coded_begin_, end_ - begin_, body_end_)) {
    case ChunkDecoder::Progress::more: return step_;
    case ChunkDecoder::Progress::refused: return refuse(chunks_.refusal());
    case ChunkDecoder::Progress::done: break;
  }
  return complete(body_end_, coded_begin_);
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

}  // namespace annals::http
