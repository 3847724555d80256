#pragma once
// Sizes in bytes: as people write them, and of strings in memory. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace annals {

inline constexpr std::int64_t kib = std::int64_t{1} << 10;
inline constexpr std::int64_t mib = std::int64_t{1} << 20;
inline constexpr std::int64_t gib = std::int64_t{1} << 30;

/// "64MiB", "10KiB", "1GiB" or a whole number of bytes; nullopt for anything else, and beyond 2^60.
[[nodiscard]] std::optional<std::int64_t> bytes_from_text(std::string_view text);

/// The same the other way round, by the largest unit that is exact.
[[nodiscard]] std::string bytes_to_text(std::int64_t count);

/// The bytes that a string takes beside itself; 0 of one that is short enough to lie within.
[[nodiscard]] std::uint64_t bytes_beside(const std::string& text);

}  // namespace annals
