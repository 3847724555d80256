#include "json/reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <string>

#include "json/numbers/large_numbers.hpp"
#include "json/writer.hpp"

namespace annals::json {

struct Reader::Parser {
  simdjson::dom::parser dom;

  simdjson::error_code parse(std::string_view text, simdjson::dom::element& root);
  /// What the text holds, checked whole; and whether a number in it overflowed.
  Result<simdjson::dom::element> root_of(std::string_view text, bool& overflowed);
};

simdjson::error_code Reader::Parser::parse(std::string_view text, simdjson::dom::element& root) {
  // The parser keeps buffers for the largest document it has seen; a rare huge one must not stay for good.
  constexpr std::size_t kept_bytes_max = 1u << 20;
  if (dom.capacity() > kept_bytes_max && text.size() < kept_bytes_max) dom = simdjson::dom::parser{};
  if (dom.capacity() < text.size() || dom.max_depth() != depth_max) {
    const auto error = dom.allocate(std::max<std::size_t>(text.size(), 4096), depth_max);
    if (error != simdjson::SUCCESS) return error;
  }
  // Of no text there may be no place either, which the parser would copy from.
  if (text.empty()) return simdjson::EMPTY;
  return dom.parse(text.data(), text.size()).get(root);
}

Reader::Reader() : parser_(std::make_unique<Parser>()) {}
Reader::~Reader() = default;

std::string_view kind_of(const Value& value) {
  switch (value.index()) {
    case 0: return "null";
    case 1: return "a boolean";
    case 2:
    case 3:
    case 6: return "a number";
    case 4: return "a string";
    default: return std::get<Nested>(value).is_array ? "an array" : "an object";
  }
}

void append_value(std::string& out, const Value& value) {
  if (std::holds_alternative<Null>(value)) out += "null";
  if (const auto* flag = std::get_if<bool>(&value)) out += *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) out += std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) out += std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) append_number(out, *number);
  if (const auto* text = std::get_if<std::string_view>(&value)) append_string(out, *text);
  if (const auto* nested = std::get_if<Nested>(&value)) out += nested->text;
}

const Value* Object::find(std::string_view name) const {
  for (const Member& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

const std::string_view* Object::text(std::string_view name) const {
  const Value* value = find(name);
  return value ? std::get_if<std::string_view>(value) : nullptr;
}

namespace {

Result<> check_text(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size()))
    return fail(ErrorKind::invalid, "invalid_json", "the JSON has a lone surrogate in a string");
  return {};
}

/// A name that is there twice, of names in any order; nullptr when there is none.
const std::string_view* find_twin(std::vector<std::string_view>& names) {
  constexpr std::size_t few = 8;
  if (names.size() <= few) {
    for (auto name = names.begin(); name != names.end(); ++name) {
      const auto twin = std::find(names.begin(), name, *name);
      if (twin != name) return &*twin;
    }
    return nullptr;
  }
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  return twin == names.end() ? nullptr : &*twin;
}

/// Names that occur twice and text that is none, at every depth. Text that came without escapes is UTF-8, as the parser
/// has seen.
Result<> check_element(simdjson::dom::element element, bool has_escapes) {
  using simdjson::dom::element_type;
  if (element.type() == element_type::STRING) return has_escapes ? check_text(std::string_view(element)) : Result<>{};
  if (element.type() == element_type::ARRAY) {
    for (auto child : simdjson::dom::array(element)) TRY(check_element(child, has_escapes));
    return {};
  }
  if (element.type() != element_type::OBJECT) return {};
  const simdjson::dom::object object(element);
  std::vector<std::string_view> names;
  names.reserve(object.size());
  for (auto [name, child] : object) {
    if (has_escapes) TRY(check_text(name));
    TRY(check_element(child, has_escapes));
    names.push_back(name);
  }
  if (const std::string_view* twin = find_twin(names)) {
    return fail(ErrorKind::invalid, "duplicate_member",
                "the JSON names \"" + std::string(twin->substr(0, 64)) + "\" twice in one object");
  }
  return {};
}

Value value_of(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::NULL_VALUE: return Null{};
    case element_type::BOOL: return bool(element);
    case element_type::INT64: return std::int64_t(element);
    case element_type::UINT64: return std::uint64_t(element);
    case element_type::DOUBLE: return double(element);
    case element_type::STRING: return std::string_view(element);
    case element_type::ARRAY: return Nested{simdjson::minify(element), true};
    case element_type::OBJECT: return Nested{simdjson::minify(element), false};
  }
  return Null{};
}

}  // namespace

Result<simdjson::dom::element> Reader::Parser::root_of(std::string_view text, bool& overflowed) {
  overflowed = false;
  simdjson::dom::element root;
  simdjson::error_code error = parse(text, root);
  if (error == simdjson::NUMBER_ERROR) {
    // Nothing that is read borrows from the text, so the copy may go.
    if (const auto fitting = with_numbers_that_fit(text)) {
      error = parse(fitting->text, root);
      overflowed = fitting->overflowed;
    }
  }
  if (error == simdjson::MEMALLOC) return fail(ErrorKind::unavailable, "there is no memory left to read this JSON");
  if (error)
    return fail(ErrorKind::invalid, "invalid_json", std::string("not JSON: ") + simdjson::error_message(error));
  TRY(check_element(root, text.find('\\') != std::string_view::npos));
  return root;
}

Result<Object> Reader::read_object(std::string_view text) {
  const simdjson::dom::element root = TRY(parser_->root_of(text, overflowed_));
  simdjson::dom::object object;
  if (root.get(object)) return fail(ErrorKind::invalid, "not_an_object", "the JSON is not an object");
  Object result;
  result.overflowed = overflowed_;
  result.members.reserve(object.size());
  for (auto [name, element] : object) result.members.push_back({name, value_of(element)});
  return result;
}

Result<std::vector<Value>> Reader::read_array(std::string_view text) {
  const simdjson::dom::element root = TRY(parser_->root_of(text, overflowed_));
  simdjson::dom::array array;
  if (root.get(array)) return fail(ErrorKind::invalid, "not_an_array", "the JSON is not an array");
  std::vector<Value> values;
  for (const auto element : array) values.push_back(value_of(element));
  return values;
}

Reader& thread_reader() {
  thread_local Reader reader;
  return reader;
}

}  // namespace annals::json
