#pragma once
// What somebody who wrote a word that nobody knows may have meant. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace annals {

/// `; did you mean "path"?` when one of the known words is near, or nothing. Near is what a slip or two away from it
/// (a letter too many, too few, another, or two that changed places; more in longer words), whatever the case of its
/// letters; else what begins as it does, be it that the word was cut short or went on.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace annals
