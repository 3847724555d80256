#include "base/did_you_mean.hpp"

#include <algorithm>

namespace annals {
namespace {

std::string in_small_letters(std::string_view word) {
  std::string small(word);
  for (char& letter : small) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return small;
}

/// How many slips make one of the other: Levenshtein's distance, with two neighbours that changed places as one
/// (optimal string alignment).
std::size_t slips_between(std::string_view word, std::string_view candidate) {
  std::vector<std::size_t> earlier(candidate.size() + 1);
  std::vector<std::size_t> above(candidate.size() + 1);
  std::vector<std::size_t> row(candidate.size() + 1);
  for (std::size_t column = 0; column < row.size(); ++column) row[column] = column;
  for (std::size_t line = 1; line <= word.size(); ++line) {
    earlier.swap(above);
    above.swap(row);
    row[0] = line;
    for (std::size_t column = 1; column < row.size(); ++column) {
      const char here = word[line - 1];
      const char there = candidate[column - 1];
      row[column] = std::min({above[column - 1] + (here == there ? 0 : 1), above[column] + 1, row[column - 1] + 1});
      if (line > 1 && column > 1 && here == candidate[column - 2] && word[line - 2] == there)
        row[column] = std::min(row[column], earlier[column - 2] + 1);
    }
  }
  return row.back();
}

/// Whether the longer of two words is the shorter and goes on; what lies in a table ("store.x") is not called like it.
bool goes_on(std::string_view one, std::string_view other) {
  const std::string_view shorter = one.size() < other.size() ? one : other;
  const std::string_view longer = one.size() < other.size() ? other : one;
  return longer.starts_with(shorter) && longer.size() > shorter.size() && longer[shorter.size()] != '.';
}

/// The known word that begins as this one does or that this one begins with, and has the most in common.
const std::string* of_same_beginning(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t shared_min = 3;
  const std::string* best = nullptr;
  std::size_t best_difference = 0;
  for (const std::string& candidate : known) {
    const std::string other = in_small_letters(candidate);
    if (std::min(word.size(), other.size()) < shared_min || !goes_on(word, other)) continue;
    const std::size_t difference = std::max(word.size(), other.size()) - std::min(word.size(), other.size());
    if (best != nullptr && difference >= best_difference) continue;
    best = &candidate;
    best_difference = difference;
  }
  return best;
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t word_bytes_max = 200;  // nobody's slip; and the time goes with its square
  if (word.size() > word_bytes_max) return "";
  const std::string small = in_small_letters(word);
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : known) {
    // As many slips as one is longer are needed at least.
    const std::size_t longer = std::max(small.size(), candidate.size()) - std::min(small.size(), candidate.size());
    if (longer >= best_distance) continue;
    const std::size_t distance = slips_between(small, in_small_letters(candidate));
    if (distance >= best_distance || distance >= std::max(word.size(), candidate.size())) continue;
    best_distance = distance;
    best = &candidate;
  }
  // One slip is likelier than a word that was cut short, and that likelier than several.
  if (best == nullptr || best_distance > 1) {
    if (const std::string* other = of_same_beginning(small, known)) best = other;
  }
  return best ? "; did you mean \"" + *best + "\"?" : "";
}

}  // namespace annals
