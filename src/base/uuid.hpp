#pragma once
// Uuid: 16 bytes (RFC 9562). Ours are version 7: they begin with the time in milliseconds and so sort by it.
// Immutable value; no thread rule.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"

namespace annals {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;

  /// Lower-case, with hyphens: `0192e4a0-7a3c-7def-8123-456789abcdef`.
  [[nodiscard]] std::string to_text() const;
  void append_text(std::string& out) const;

  /// Reads the 36-character form in either case; nullopt for anything else.
  [[nodiscard]] static std::optional<Uuid> from_text(std::string_view text);

  /// A version 7 UUID for `time`, with 74 of the 128 bits of `random`.
  [[nodiscard]] static Uuid version_7(Instant time, std::uint64_t random_high, std::uint64_t random_low);
};

}  // namespace annals
