#include "model/record_text.hpp"

#include "base/byte_words.hpp"
#include "json/writer.hpp"
#include "model/formula.hpp"
#include "model/upcast.hpp"

namespace annals::model {
namespace {

/// Where the string that begins at `begin` ends; npos when it does not.
std::size_t string_end(std::string_view text, std::size_t begin) {
  const auto is_inside = [&](std::size_t at) {
    const std::uint64_t word = load_word(text.data() + at);
    return !has_byte(word, '"') && !has_byte(word, '\\');
  };
  for (std::size_t at = begin + 1; at < text.size(); ++at) {
    while (at + 8 < text.size() && is_inside(at)) at += 8;
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

/// Where the JSON value that begins at `begin` ends; npos when it does not. Inside, only strings and brackets count.
std::size_t value_end(std::string_view text, std::size_t begin) {
  std::size_t depth = 0;
  std::size_t at = begin;
  while (at < text.size()) {
    const char character = text[at];
    if (character == '"') {
      at = string_end(text, at);
      if (at == std::string_view::npos) return at;
      continue;
    }
    const bool closes = character == '}' || character == ']';
    if (depth == 0 && (closes || character == ',')) return at;
    if (character == '{' || character == '[') ++depth;
    if (closes) --depth;
    ++at;
  }
  return std::string_view::npos;
}

std::unexpected<Error> broken(const Model& model, const std::string& what) {
  return fail(ErrorKind::corrupt, "the record is not one of model " + model.name + ": " + what);
}

/// The value of the field that comes next in the text, where `at` is the end of the one before; moves it on.
Result<std::string_view> next_value(const Model& model, const Field& field, std::string_view text, std::size_t& at) {
  // `{"name":` or `,"name":`
  const std::size_t value_at = at + field.name.size() + 4;
  if (value_at >= text.size() || text[at] != (at == 0 ? '{' : ',') || text[at + 1] != '"' ||
      text.compare(at + 2, field.name.size(), field.name) != 0 || text[value_at - 2] != '"' ||
      text[value_at - 1] != ':') {
    return broken(model, "\"" + field.name + "\" is not where it belongs");
  }
  at = value_end(text, value_at);
  if (at == std::string_view::npos || at == value_at) return broken(model, "\"" + field.name + "\" has no value");
  return text.substr(value_at, at - value_at);
}

}  // namespace

std::string record_text(const Model& model, std::span<const std::string_view> values) {
  std::size_t bytes = 2;
  for (std::size_t place = 0; place < model.fields.size(); ++place)
    bytes += model.fields[place].name.size() + values[place].size() + 4;  // two quotes, a colon and a comma
  std::string text;
  text.reserve(bytes);
  text += '{';
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    json::append_member(text, model.fields[place].name);
    text += values[place];
  }
  text += '}';
  return text;
}

Result<std::vector<std::string_view>> values_of(const Model& model, std::string_view text) {
  std::vector<std::string_view> values;
  values.reserve(model.fields.size());
  std::size_t at = 0;
  for (const Field& field : model.fields) values.push_back(TRY(next_value(model, field, text, at)));
  if (at + 1 != text.size() || text[at] != '}') return broken(model, "it does not end after its last field");
  return values;
}

Result<> values_at(const Model& model, std::string_view text, std::span<const std::size_t> places,
                   std::vector<std::string_view>& values) {
  values.clear();
  std::size_t at = 0;
  for (std::size_t place = 0; values.size() < places.size(); ++place) {
    const std::string_view value = TRY(next_value(model, model.fields[place], text, at));
    if (place == places[values.size()]) values.push_back(value);
  }
  return {};
}

std::string row_form_of(const Model& model) {
  std::string form;
  for (const Field& field : model.fields) {
    form.append(field.name).append(": ").append(field.type_text());
    for (const std::string& choice : field.choices) form.append(" ").append(to_json(FieldValue{choice}));
    if (field.otherwise) form.append(" = ").append(to_json(*field.otherwise));
    for (const std::string& name : field.renamed_from) form.append(" once ").append(name);
    if (field.upcast) form.append(" from ").append(field.upcast->text());
    form += '\n';
  }
  // What is computed depends on all that is declared of it: a value that breaks a rule of its field is null.
  if (has_formulas(model)) form += model.declaration;
  return form;
}

}  // namespace annals::model
