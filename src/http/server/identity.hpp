#pragma once
// Who is asking for what, when: the identifiers that a request carries or is given, and the texts of its time. Cheap
// enough for every request: the numbers come from a generator of the thread's own, sown once from the operating
// system's.
//
// Confined to one thread. Source: W3C Trace Context (traceparent), RFC 9562 (UUID version 7), RFC 9110 section 5.6.7
// (Date).

#include <array>
#include <cstdint>
#include <string_view>

#include "http/request.hpp"
#include "platform/clock.hpp"

namespace annals::http {

/// True for 1 to 128 letters, digits, dots, hyphens and underscores: what may be repeated in a reply and in the log.
[[nodiscard]] bool is_sane_request_id(std::string_view text);

/// The trace-id of a `traceparent`, 32 lower-case hex digits borrowed from it; empty when it is not one.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent);

class IdentitySource {
 public:
  explicit IdentitySource(platform::Random& random);

  /// Gives `request` its request_id, correlation_id and trace, from its fields and its received_at.
  void identify(Request& request);

 private:
  [[nodiscard]] std::uint64_t next();

  std::array<std::uint64_t, 4> state_;  // xoshiro256**; identifiers must not collide, they may be guessed
};

/// The value of Date, made anew when the second has changed.
class DateText {
 public:
  [[nodiscard]] std::string_view at(Instant now);

 private:
  std::int64_t second_ = -1;
  std::array<char, 29> text_{};  // Thu, 12 Feb 2026 10:00:00 GMT
};

}  // namespace annals::http
