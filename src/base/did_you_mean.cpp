#include "base/did_you_mean.hpp"

#include <algorithm>

namespace annals {

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  // Levenshtein's distance, and a suggestion only for what is a slip.
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : known) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t column = 0; column < row.size(); ++column) row[column] = column;
    for (std::size_t line = 1; line <= word.size(); ++line) {
      std::size_t diagonal = row[0];
      row[0] = line;
      for (std::size_t column = 1; column < row.size(); ++column) {
        const std::size_t replaced = diagonal + (word[line - 1] == candidate[column - 1] ? 0 : 1);
        diagonal = row[column];
        row[column] = std::min({replaced, row[column] + 1, row[column - 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = &candidate;
    }
  }
  return best ? "; did you mean \"" + *best + "\"?" : "";
}

}  // namespace annals
