#pragma once
// RequestParser: bytes to Requests, one after another, within limits of size. It owns the bytes: whoever reads the
// socket reads into `room()`. It sees no socket and no clock, so that a fuzzer can drive it with any bytes in any
// pieces:
//
//     parser.feed(bytes);
//     while (parser.advance() == Step::complete) { use(parser.request()); parser.next(); }
//
// The outcome depends on the bytes alone, never on how they were cut into pieces; but for a body that finds its budget
// used up, which gets 503. Confined to one thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "http/request.hpp"
#include "http/server/body_budget.hpp"
#include "http/server/chunk_decoder.hpp"
#include "http/server/head_parser.hpp"

namespace annals::http {

struct ParserLimits {
  HeadLimits head;
  std::uint64_t body_bytes_max = (6u << 20) + 4096;
};

class RequestParser {
 public:
  /// Where the parser stands: between two requests, within a head or a body, at a whole request, or refusing all that
  /// follows.
  enum class Step : std::uint8_t { between, head, body, complete, refused };

  /// `budget` outlives the parser; null: bodies are limited one by one alone.
  explicit RequestParser(const ParserLimits& limits, BodyBudget* budget = nullptr);

  /// Where the next bytes go: never empty. Not to be called while a request is `complete`.
  [[nodiscard]] std::span<char> room();
  /// Says that `count` bytes were put at the front of `room()`.
  void arrived(std::size_t count);
  /// Copies `bytes` in; `room` and `arrived` in one.
  void feed(std::string_view bytes);

  /// Reads as far as the bytes reach.
  [[nodiscard]] Step advance();

  /// The request, when `complete`: its views are valid until `next`. When `refused`, its head, if `has_head`.
  [[nodiscard]] Request& request() { return request_; }
  /// Why, when `refused`.
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  /// True when the head has been read and is good, whatever became of the body.
  [[nodiscard]] bool has_head() const { return has_head_; }
  /// How the request goes on, from `body` on.
  [[nodiscard]] const Framing& framing() const { return head_.framing(); }
  /// True when bytes of the body, or of what follows, have arrived.
  [[nodiscard]] bool body_begun() const { return end_ - begin_ > head_.size(); }
  /// Makes the views of the head; for a request that is given up at `body`.
  void describe_head() { head_.describe(buffer_.get() + begin_, request_); }

  /// Forgets the complete request and starts on what follows it.
  void next();

  /// Gives all memory back. Nothing more may be asked of the parser.
  void discard();

 private:
  Step advance_head();
  Step begin_body();
  Step advance_fixed_body();
  Step advance_chunked_body();
  /// Makes sure that there is memory for more of the body.
  Step await_body();
  /// How many bytes there should be room for; more are welcome.
  [[nodiscard]] std::size_t wanted_bytes() const;
  /// How large the buffer must be for the bytes to come, once all in it has been moved together.
  [[nodiscard]] std::size_t needed_capacity() const;
  [[nodiscard]] bool in_chunks() const { return step_ == Step::body && head_.framing().chunked; }
  Step complete(std::size_t body_end, std::size_t request_end);
  Step refuse(const Refusal& refusal);
  void resize(std::size_t capacity);

  const ParserLimits limits_;
  HeadParser head_;
  ChunkDecoder chunks_;
  Step step_ = Step::between;
  unsigned empty_lines_ = 0;  // before the request line
  bool has_head_ = false;
  Request request_;
  Refusal refusal_;

  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_;
  BodyShare share_;
  bool crowded_ = false;         // the last bytes filled all the room: the sender has more than we take at once
  std::size_t begin_ = 0;        // where the request begins
  std::size_t end_ = 0;          // where the bytes that arrived end
  std::size_t body_end_ = 0;     // from `begin_`: the end of the body as far as it is decoded
  std::size_t coded_begin_ = 0;  // from `begin_`: what is still to be decoded; at `complete`, the next request
};

}  // namespace annals::http
