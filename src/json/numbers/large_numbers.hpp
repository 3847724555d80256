#pragma once
// Numbers that are JSON and that no machine word holds: 18446744073709551616, 1e400. The grammar sets no limit (RFC
// 8259, section 6); simdjson refuses what overflows as if it were no number at all.
//
// Pure function; no thread rule.

#include <optional>
#include <string>
#include <string_view>

namespace annals::json {

struct FittingNumbers {
  std::string text;
  bool overflowed = false;  ///< one was beyond the doubles
};

/// A copy of `text`, JSON or not, in which every number outside of strings that overflows is written as the nearest
/// finite double, and every whole number beyond 64 bits as a double; nullopt when there is none of either.
/// What is not a number to the letter stays as it is, for the parser to refuse.
[[nodiscard]] std::optional<FittingNumbers> with_numbers_that_fit(std::string_view text);

}  // namespace annals::json
