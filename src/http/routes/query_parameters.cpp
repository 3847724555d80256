#include "http/routes/query_parameters.hpp"

#include <algorithm>
#include <charconv>

#include "http/request.hpp"
#include "model/model.hpp"

namespace annals::http {
namespace {

constexpr std::size_t shown_bytes_max = 64;

std::string shown(std::string_view text) {
  return "\"" + std::string(text.substr(0, shown_bytes_max)) + "\"";
}

constexpr std::string_view digits = "0123456789abcdef";

/// What stands before the digits: of an odd number of bytes more, so that the length says that it is no Cursor.
std::string prefix_of(char kind, bool odd) {
  return std::string(1, kind) + (odd ? "--" : "");
}

std::string token_of(char kind, std::string_view bytes) {
  std::string token = prefix_of(kind, bytes.size() % 2 != 0);
  for (char character : bytes) {
    const auto byte = static_cast<unsigned char>(character);
    token += digits[byte >> 4];
    token += digits[byte & 15];
  }
  return token;
}

Result<std::optional<std::string>> from_token(char kind, std::string_view token) {
  if (token == "0") return std::nullopt;
  std::string bytes;
  const std::string odd_prefix = prefix_of(kind, true);
  const std::string prefix = token.starts_with(odd_prefix) ? odd_prefix : prefix_of(kind, false);
  bool good = token.size() % 4 == 1 && token.starts_with(prefix) && token.size() > prefix.size();
  for (std::size_t place = prefix.size(); good && place < token.size(); place += 2) {
    const std::size_t high = digits.find(token[place]);
    const std::size_t low = digits.find(token[place + 1]);
    good = high != std::string_view::npos && low != std::string_view::npos;
    bytes += static_cast<char>(high * 16 + low);
  }
  if (good) return bytes;
  return fail(ErrorKind::invalid, "invalid_cursor",
              "after=" + shown(token) + " is not a cursor that a list of this order gave out");
}

/// `blanks`: a plus is a blank, but in a time.
std::optional<std::string> decoded(std::string_view text, bool blanks) {
  auto as_it_is = percent_decode(text);
  const bool has_blanks = blanks && text.find('+') != std::string_view::npos;
  if (!has_blanks || !as_it_is || Instant::from_text(*as_it_is)) return as_it_is;
  std::string with_blanks(text);
  std::ranges::replace(with_blanks, '+', ' ');
  return percent_decode(with_blanks);
}

/// Of several values with commas between: each may be a time.
std::optional<std::string> decoded_list(std::string_view text, bool blanks) {
  std::string values;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::size_t coded = std::min(text.find("%2C"), text.find("%2c"));
    const auto value = decoded(text.substr(0, std::min(comma, coded)), blanks);
    if (!value) return std::nullopt;
    values += *value;
    if (comma == std::string_view::npos && coded == std::string_view::npos) return values;
    values += ',';
    text.remove_prefix(comma < coded ? comma + 1 : coded + 3);
  }
}

}  // namespace

Result<QueryParameters> QueryParameters::parse_all(std::string_view query) {
  return read(query, Plus::blank);
}

Result<QueryParameters> QueryParameters::read(std::string_view query, Plus plus) {
  const bool blanks = plus == Plus::blank;
  QueryParameters result;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = decoded(pair.substr(0, equals), blanks);
    const std::string_view text = pair.substr(std::min(equals + 1, pair.size()));
    auto value = name && name->ends_with("[in]") ? decoded_list(text, blanks) : decoded(text, blanks);
    if (!name || !value)
      return fail(ErrorKind::invalid, "invalid_query", "the query has a broken percent-escape in " + shown(pair));
    if (result.find(*name))
      return fail(ErrorKind::invalid, "duplicate_parameter", "the query parameter " + shown(*name) + " is given twice");
    result.parameters_.push_back({std::move(*name), std::move(*value)});
  }
  return result;
}

Result<QueryParameters> QueryParameters::parse(std::string_view query, std::initializer_list<std::string_view> known) {
  QueryParameters result = TRY(read(query, Plus::plus));
  for (const Parameter& parameter : result.parameters_) {
    if (std::ranges::find(known, parameter.name) != known.end()) continue;
    std::string names;
    for (std::string_view one : known) names.append(names.empty() ? "" : ", ").append(one);
    return fail(ErrorKind::invalid, "unknown_parameter",
                "the query parameter " + shown(parameter.name) + " is not known here; " +
                    (names.empty() ? "there are none" : "there are: " + names));
  }
  return result;
}

const std::string* QueryParameters::find(std::string_view name) const {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  return found == parameters_.end() ? nullptr : &found->value;
}

Result<std::optional<Instant>> QueryParameters::time(std::string_view name) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::nullopt;
  return TRY(parse_time(*text));
}

Result<std::optional<std::uint64_t>> QueryParameters::number(std::string_view name, std::uint64_t min,
                                                             std::uint64_t max) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size() || number < min || number > max) {
    return fail(ErrorKind::invalid, "invalid_" + std::string(name),
                std::string(name) + "=" + shown(*text) + " is not a whole number from " + std::to_string(min) + " to " +
                    std::to_string(max));
  }
  return number;
}

Result<std::string> QueryParameters::prefix() const {
  const std::string* text = find("prefix");
  if (text == nullptr) return std::string();
  TRY(model::check_key_prefix(*text));
  return *text;
}

Result<std::optional<Cursor>> QueryParameters::cursor(std::string_view name) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::nullopt;
  const auto cursor = Cursor::from_text(*text);
  if (!cursor) {
    return fail(ErrorKind::invalid, "invalid_cursor",
                std::string(name) + "=" + shown(*text) +
                    " is not a cursor; take one from a reply's Annals-Position, or 0 for the start");
  }
  return *cursor;
}

Result<std::optional<Duration>> QueryParameters::duration(std::string_view name, Duration max) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::nullopt;
  const auto duration = duration_from_text(*text);
  if (!duration || *duration > max) {
    return fail(ErrorKind::invalid, "invalid_" + std::string(name),
                std::string(name) + "=" + shown(*text) + " is not a time with its unit, such as 500ms or 30s, " +
                    to_text(max) + " at most");
  }
  return *duration;
}

Result<Instant> parse_time(std::string_view text) {
  const auto time = Instant::from_text(text);
  if (!time) {
    return fail(ErrorKind::invalid, "invalid_timestamp",
                shown(text) +
                    " is not an ISO 8601 (RFC 3339) time with a time zone, such as 2026-02-12T10:00:00Z or "
                    "2026-02-12T11:00:00+01:00");
  }
  return *time;
}

std::string key_token(std::string_view key) {
  return token_of('k', key);
}

Result<std::optional<std::string>> key_from_token(std::string_view token) {
  return from_token('k', token);
}

std::string place_token(std::string_view bytes) {
  return token_of('s', bytes);
}

Result<std::optional<std::string>> place_from_token(std::string_view token) {
  return from_token('s', token);
}

}  // namespace annals::http
