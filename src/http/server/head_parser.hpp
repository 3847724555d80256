#pragma once
// HeadParser: the request line and the fields of one request, read twice by two readers that must agree: by our own
// cutter, which refuses what llhttp 8.1 lets through (obs-fold, white space before a colon, none or two Host fields,
// `gzip, chunked`, HTTP/0.9, bare CR), and by llhttp in strict mode, which has seen more attacks than we can think of.
// Where they take different lengths for the body, the request is refused. llhttp knows a list of methods and refuses
// every other; a method that means nothing to us either is shown to it as POST, since what a method means changes
// nothing of how a request is read.
//
// Most requests of a connection have the same fields, byte for byte, as the one before. Those are not read again: what
// either reader makes of them depends on their bytes, on the method and on the version alone, and where a field counts
// from the end of the request line. The request line itself is read each time.
//
// It sees no socket: bytes come in as they arrive, in any pieces. Confined to one thread.
// Source: RFC 9112, sections 2 to 6 and 11.2.

#include <llhttp.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/request.hpp"

namespace annals::http {

/// Why a request is refused: a status with a code and a sentence, both static text.
struct Refusal {
  int status = 400;
  std::string_view code;
  std::string_view detail;
};

struct HeadLimits {
  std::size_t header_bytes_max = 32u << 10;
  std::size_t target_bytes_max = 8u << 10;
  std::size_t fields_max = 100;
};

/// What a head says about how the request goes on.
struct Framing {
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool expects_other = false;  ///< of Expect: what nobody can meet
};

class HeadParser {
 public:
  enum class Progress : std::uint8_t { more, done, refused };

  explicit HeadParser(const HeadLimits& limits) : limits_(limits) {}

  /// Starts on another request.
  void reset();

  /// Reads on. `bytes` begins with the first byte of the request line each time, and grows from call to call; it may
  /// have moved. A target in absolute-form is reduced in place, which may change a byte of it.
  [[nodiscard]] Progress advance(char* bytes, std::size_t size);

  /// True once a byte of the request line was seen.
  [[nodiscard]] bool begun() const { return scanned_ > 0; }
  /// How long the head is, when `done`.
  [[nodiscard]] std::size_t size() const { return scanned_; }
  [[nodiscard]] const Framing& framing() const { return framing_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  /// Makes `request`'s views, when `done`; `bytes` is where the head is now.
  void describe(const char* bytes, Request& request) const;

 private:
  /// A piece of the head, so that it may move: of the request line, counted from its first byte; of the fields, from
  /// the first of theirs.
  struct Place {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
    [[nodiscard]] std::string_view in(const char* bytes) const { return {bytes + begin, size}; }
  };
  struct FieldPlace {
    Place name;
    Place value;
  };
  struct Seen {
    unsigned hosts = 0;
    unsigned lengths = 0;
    unsigned codings = 0;
    bool close = false;
    bool keep_alive = false;
  };

  [[nodiscard]] bool read_request_line(char* bytes, std::size_t begin, std::size_t end);
  [[nodiscard]] bool read_target(char* bytes, std::size_t begin, std::size_t end);
  [[nodiscard]] bool read_absolute_form(std::string_view target, std::size_t begin);
  [[nodiscard]] bool read_version(char* bytes, std::size_t size);
  [[nodiscard]] bool read_field(char* bytes, std::size_t begin, std::size_t end);
  [[nodiscard]] bool read_known_field(std::string_view name, std::string_view value, Place value_place);
  [[nodiscard]] bool read_connection(std::string_view value);
  [[nodiscard]] bool read_content_length(std::string_view value);
  [[nodiscard]] bool finish(char* bytes);
  /// True when the fields are those of the request before: then all is as if they had been read.
  [[nodiscard]] bool fields_repeat(const char* bytes, std::size_t size);
  /// The request line says nothing that would make the same fields mean something else.
  [[nodiscard]] bool may_repeat(const char* bytes) const;
  /// Keeps the fields to compare the next request's with.
  void remember(const char* bytes);
  [[nodiscard]] bool ask_llhttp(const char* bytes);
  [[nodiscard]] Progress over_limit();
  [[nodiscard]] Progress bad_character(char character);
  bool refuse(int status, std::string_view code, std::string_view detail);
  bool malformed(std::string_view detail) { return refuse(400, "malformed_request", detail); }

  const HeadLimits limits_;
  std::size_t scanned_ = 0;     // bytes that have been looked at
  std::size_t line_begin_ = 0;  // where the line that is being read begins
  Place method_;
  Place target_;
  bool target_is_root_ = false;  // the absolute-form had neither path nor query: the target is `/`
  bool absolute_form_ = false;
  bool authority_form_ = false;  // of a CONNECT
  Place authority_;              // of the absolute-form
  Place host_;
  std::size_t fields_begin_ = 0;  // where the request line has ended
  std::vector<FieldPlace> fields_;
  Seen seen_;
  Framing framing_;
  Refusal refusal_;

  // Of a request that was good, with HTTP/1.1 and a path for its target. Nothing, where `remembered_` is empty: else
  // its fields are at the places `fields_`, for a head that is refused is the last.
  std::string remembered_;  // from the first field to the empty line
  std::string remembered_method_;
  Framing remembered_framing_;
};

}  // namespace annals::http
