#pragma once
// Whether two texts of JSON are the same value: members of objects in any order, numbers by what they are worth (1.0 is
// 1; a whole number of 64 bits and a double are the same only when the double is it exactly). Pure function; no thread
// rule.

#include <string_view>

namespace annals::json {

/// Both are JSON as a Reader gives it. False where one is none.
[[nodiscard]] bool same_value(std::string_view left, std::string_view right);

}  // namespace annals::json
