#include "store/postgres/statement.hpp"

#include <array>
#include <utility>

namespace annals::store {

std::string Dialect::text_of(const Statement& statement) const {
  const std::array<std::pair<std::string_view, std::string>, 5> words{{
      {":data_type", data_type},
      {":data_read", data_is_json() ? "text" : "bytea"},
      {":metadata_type", metadata_type},
      {":metadata_read", metadata_is_json() ? "text" : "bytea"},
      {":channel", quoted_identifier(schema + ".annals")},
  }};
  std::string text = statement.text;
  for (const auto& [word, meaning] : words) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + meaning.size())) {
      text.replace(at, word.size(), meaning);
    }
  }
  return text;
}

std::string quoted_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char character : name) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

}  // namespace annals::store
