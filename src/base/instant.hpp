#pragma once
// Instant: a moment in UTC, in microseconds since 1970-01-01T00:00:00Z (leap seconds not counted).
// Text is RFC 3339. Sums and differences that do not fit end at the first or last moment that does. Immutable value; no
// thread rule.

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace annals {

using Duration = std::chrono::microseconds;

struct Instant {
  std::int64_t microseconds = 0;

  constexpr auto operator<=>(const Instant&) const = default;
  [[nodiscard]] constexpr Instant plus(Duration duration) const {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(microseconds, duration.count(), &sum)) return {sum};
    return {duration.count() < 0 ? INT64_MIN : INT64_MAX};
  }
  [[nodiscard]] constexpr Duration since(Instant earlier) const {
    std::int64_t difference = 0;
    if (!__builtin_sub_overflow(microseconds, earlier.microseconds, &difference)) return Duration{difference};
    return Duration{microseconds < earlier.microseconds ? INT64_MIN : INT64_MAX};
  }

  /// `2026-02-12T10:00:00.123456Z`: always UTC, always six decimals. A moment outside of the years 0000 to 9999, which
  /// RFC 3339 cannot name, is shown as the first or the last in them.
  [[nodiscard]] std::string to_text() const;
  void append_text(std::string& out) const;

  /// Reads RFC 3339 with `Z` or an offset, such as `2026-02-12T11:00:00.5+01:00`; decimals beyond microseconds are cut.
  /// Years 0000 to 9999. A leap second (`:60`) is read as the last microsecond of its minute. nullopt for anything
  /// else: no time zone, a space for the `T`, a date that no calendar has, trailing characters.
  [[nodiscard]] static std::optional<Instant> from_text(std::string_view text);
};

/// Reads "10us", "250ms", "30s", "5m", "24h", "7d", and "0", which is nothing in whatever unit. nullopt for anything
/// else, also for a number alone, which one means as seconds and another as days; and for what does not fit 100 years.
[[nodiscard]] std::optional<Duration> duration_from_text(std::string_view text);

/// "250ms", "30s", "5m", "24h", "90d": the largest unit that is exact; one day is 24h.
[[nodiscard]] std::string to_text(Duration duration);

}  // namespace annals
