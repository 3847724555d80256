#include "model/plain_event.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/decimal.hpp"
#include "base/instant.hpp"
#include "base/utf8.hpp"
#include "base/uuid.hpp"

namespace annals::model {
namespace {

using PlainValues = std::vector<PlainValue>;

/// Takes an event's data to pieces, from the front.
class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// `<before>"<prefix><name>":`, where `before` is what separates a member from the one before it.
  [[nodiscard]] bool take_member(std::string_view before, std::string_view name, std::string_view prefix = {}) {
    const std::string_view all = rest_;
    if (take(before) && take("\"") && take(prefix) && take(name) && take("\":")) return true;
    rest_ = all;
    return false;
  }

  /// A string that says what it says without escapes, or whatever else has neither brackets nor commas; empty when
  /// there is none.
  [[nodiscard]] std::string_view take_value() {
    std::size_t end = 0;
    if (rest_.starts_with('"')) {
      const void* quote = std::memchr(rest_.data() + 1, '"', rest_.size() - 1);
      if (quote == nullptr) return {};
      end = static_cast<std::size_t>(static_cast<const char*>(quote) - rest_.data()) + 1;
      const std::string_view content = rest_.substr(1, end - 2);
      if (content.find('\\') != std::string_view::npos || !is_utf8_without_controls(content)) return {};
    } else {
      end = std::min(rest_.find_first_of(",{}[]"), rest_.size());
    }
    const std::string_view value = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return value;
  }

  [[nodiscard]] bool ended() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool is_canonical_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return false;
  char digits[20];
  const auto written = std::to_chars(digits, digits + sizeof digits, number);
  return std::string_view(digits, written.ptr) == text;
}

bool is_canonical_text(const Field& field, std::string_view text) {
  switch (field.type) {
    case FieldType::string:
    case FieldType::text: return true;
    case FieldType::decimal: return Decimal::from_text(text).has_value();
    case FieldType::date: return text.size() == 10 && Instant::from_text(std::string(text) + "T00:00:00Z").has_value();
    case FieldType::timestamp: {
      const auto time = Instant::from_text(text);
      return time && time->to_text() == text;
    }
    case FieldType::uuid:
      return Uuid::from_text(text) && std::ranges::none_of(text, [](char one) { return one >= 'A' && one <= 'F'; });
    case FieldType::choice: return std::ranges::find(field.choices, text) != field.choices.end();
    default: return false;
  }
}

/// Whether value_from_json and to_json of it would give the same text again.
bool is_canonical(const Field& field, std::string_view value) {
  if (value.empty()) return false;
  if (value == "null") return true;
  if (field.secret) return false;  // whether it is sealed is for others to say
  if (value.front() == '"') return is_canonical_text(field, value.substr(1, value.size() - 2));
  if (field.type == FieldType::integer) return is_canonical_integer(value);
  return field.type == FieldType::boolean && (value == "true" || value == "false");
}

std::optional<PlainValues> created_values(const Model& model, PlainReader& reader) {
  if (!reader.take(",\"values\":{")) return std::nullopt;
  PlainValues values;
  values.reserve(model.fields.size());
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    const Field& field = model.fields[place];
    if (!reader.take_member(values.empty() ? "" : ",", field.name)) {
      if (field.otherwise) return std::nullopt;  // it was declared after the event
      continue;
    }
    values.push_back({place, reader.take_value()});
    if (field.computed || !is_canonical(field, values.back().value)) return std::nullopt;
  }
  if (!reader.take("}}") || !reader.ended()) return std::nullopt;
  return values;
}

std::optional<PlainValues> updated_values(const Model& model, PlainReader& reader) {
  if (!reader.take(",\"changes\":{")) return std::nullopt;
  PlainValues values;
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    const Field& field = model.fields[place];
    if (!reader.take_member(values.empty() ? "" : ",", field.name)) continue;
    if (field.computed || !reader.take("{\"old\":") || !is_canonical(field, reader.take_value())) return std::nullopt;
    if (!reader.take(",\"new\":")) return std::nullopt;
    values.push_back({place, reader.take_value()});
    if (!is_canonical(field, values.back().value) || !reader.take("}")) return std::nullopt;
  }
  if (!reader.take("}}") || !reader.ended()) return std::nullopt;
  return values;
}

/// Of an event of a field's own.
std::optional<PlainValues> own_event_values(const Model& model, PlainReader& reader) {
  constexpr std::string_view old_prefix = "old_";
  constexpr std::string_view new_prefix = "new_";
  // A key with such a name would have to be told from the values.
  if (model.key_member.starts_with(old_prefix) || model.key_member.starts_with(new_prefix)) return std::nullopt;
  for (std::size_t place = 0; place < model.fields.size(); ++place) {
    const Field& field = model.fields[place];
    if (!reader.take_member(",", field.name, old_prefix)) continue;
    if (field.computed || !is_canonical(field, reader.take_value())) return std::nullopt;
    if (!reader.take_member(",", field.name, new_prefix)) return std::nullopt;
    const PlainValue value{place, reader.take_value()};
    if (!is_canonical(field, value.value) || !reader.take("}") || !reader.ended()) return std::nullopt;
    return PlainValues{value};
  }
  return std::nullopt;
}

}  // namespace

std::optional<PlainValues> plain_values(const Model& model, std::string_view type, std::string_view data) {
  PlainReader reader(data);
  if (!reader.take_member("{", model.key_member)) return std::nullopt;
  if (!reader.take_value().starts_with('"')) return std::nullopt;
  if (type == model.created_type) return created_values(model, reader);
  if (type == model.updated_type) return updated_values(model, reader);
  return own_event_values(model, reader);
}

}  // namespace annals::model
