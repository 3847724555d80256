#include "model/declared_form.hpp"

#include <algorithm>
#include <vector>

#include "base/did_you_mean.hpp"

namespace annals::model {

Result<std::size_t> word_of(const Declared& value, const std::string& name, std::span<const std::string_view> words) {
  const auto* text = value.as<std::string>();
  const auto word = text ? std::ranges::find(words, *text) : words.end();
  if (word != words.end()) return static_cast<std::size_t>(word - words.begin());
  std::string all;
  for (std::size_t place = 0; place < words.size(); ++place) {
    if (place > 0) all += place + 1 == words.size() ? " or " : ", ";
    all.append(1, '"').append(words[place]).append(1, '"');
  }
  const std::vector<std::string> known(words.begin(), words.end());
  return refuse(value.place, name + "expected " + all + (text ? did_you_mean(*text, known) : ""));
}

std::optional<Duration> duration_of(const Declared& value) {
  if (const auto* text = value.as<std::string>()) return duration_from_text(*text);
  const auto* number = value.as<std::int64_t>();
  return number && *number == 0 ? std::optional(Duration{0}) : std::nullopt;
}

}  // namespace annals::model
