#pragma once
// What somebody who wrote a word that nobody knows may have meant. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace annals {

/// `; did you mean "path"?` when one of the known words is near, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace annals
