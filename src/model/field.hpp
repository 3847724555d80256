#pragma once
// Field: one member of a declared record, and the values it takes. A value that has been read is canonical: two values
// that mean the same have the same JSON, decimals excepted, which are kept as they were written and compared by value.
// Immutable once made; read from any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/decimal.hpp"
#include "base/result.hpp"
#include "json/reader.hpp"

namespace annals::model {

enum class FieldType : std::uint8_t {
  string,     ///< one line of text: no control characters
  text,       ///< any text
  integer,    ///< 64 bits, signed
  decimal,    ///< exact; a JSON string such as "7.50"
  number,     ///< a double
  boolean,    ///< true, false
  date,       ///< "2026-02-12"
  timestamp,  ///< "2026-02-12T10:00:00.123456Z"; taken with any offset
  uuid,       ///< lower-case; taken in either
  choice,     ///< one of the texts that the declaration lists
  json,       ///< any JSON but null
  list,       ///< of values of another type
};

/// One line for each type, for the reference page and for messages.
struct FieldTypeLine {
  FieldType type;
  std::string_view name;      ///< as it is declared: "decimal"
  std::string_view expected;  ///< what a value must be: "a decimal number as a string, such as \"7.50\""
};
[[nodiscard]] const FieldTypeLine& line_of(FieldType type);
[[nodiscard]] std::optional<FieldType> field_type_of(std::string_view name);
[[nodiscard]] std::vector<FieldTypeLine> field_types();

/// A decimal as it was written, and what it is worth.
struct WrittenDecimal {
  std::string text;
  Decimal number;
};

/// JSON as it is, without insignificant white space.
struct RawJson {
  std::string text;
};

struct FieldValue {
  using List = std::vector<FieldValue>;
  /// Text for string, text, date, timestamp, uuid and choice, where the order of canonical texts (bytes) is that of the
  /// values.
  std::variant<std::monostate, bool, std::int64_t, double, WrittenDecimal, std::string, RawJson, List> value;

  [[nodiscard]] bool is_null() const { return value.index() == 0; }
  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
};

/// What becomes of a record when the one that it refers to is to be deleted.
enum class OnDelete : std::uint8_t {
  restrict,  ///< it keeps that one from being deleted
  cascade,   ///< it is deleted, too
  set_null,  ///< it loses the value
};
[[nodiscard]] std::string_view to_string(OnDelete on_delete);

/// A compiled regular expression, so that who includes this need not know the library.
class Pattern;

/// A value from other fields of the record (formula.hpp).
class Formula;

/// What becomes of values that were recorded under a former declaration (upcast.hpp).
class Upcast;

struct Field {
  std::string name;
  FieldType type = FieldType::string;
  FieldType element = FieldType::string;  ///< of a list
  std::vector<std::string> choices;       ///< of a choice, or of a list of them

  bool primary_key = false;
  bool required = false;
  bool unique = false;
  bool indexed = false;       ///< read tables keep its values in order
  bool bloom_filter = false;  ///< read tables know of most values whether no record has them
  bool exposed = true;        ///< replies show it
  bool secret = false;        ///< stored encrypted; neither shown nor logged
  enum class Made : std::uint8_t { no, now, uuid };
  Made made = Made::no;                 ///< a default that is made anew for each record
  std::optional<FieldValue> otherwise;  ///< the default
  std::size_t length_min = 0;           ///< characters, or elements of a list
  std::size_t length_max = 0;
  std::optional<FieldValue> min;
  std::optional<FieldValue> max;
  std::shared_ptr<const Pattern> pattern;  ///< shared by copies of the field
  std::string pattern_text;
  std::vector<FieldValue> one_of;
  std::string format;
  std::shared_ptr<const Formula> computed;  ///< what its value is made from; null: it is written. Shared by copies
  std::string computed_text;
  std::string references;  ///< the model whose records' keys its values are; empty: none
  OnDelete on_delete = OnDelete::restrict;
  std::string event;  ///< the type of the event when this field alone changed; empty: that of any update
  std::vector<std::string> renamed_from;  ///< names that it had in events of another time
  std::shared_ptr<const Upcast> upcast;   ///< of values in events that its type does not take; shared by copies

  [[nodiscard]] bool was_called(std::string_view former) const;
  /// What its values are: the type's name, of a list that of its elements.
  [[nodiscard]] std::string type_text() const;
};

inline constexpr std::size_t string_length_max = 1'000;
inline constexpr std::size_t text_length_max = 1'000'000;
inline constexpr std::size_t list_length_max = 10'000;

/// Takes a value in, by its type alone. Null is no value. Errors: unprocessable ("wrong_type", "out_of_range"), saying
/// what was expected and what was found.
[[nodiscard]] Result<FieldValue> value_from_json(const Field& field, const json::Value& value);

/// The same of JSON text. Errors: those, and those of json::Reader.
[[nodiscard]] Result<FieldValue> value_from_text(const Field& field, std::string_view text);

/// Appends the value as JSON; null when there is none.
void append_json(std::string& out, const FieldValue& value);
[[nodiscard]] std::string to_json(const FieldValue& value);

/// By value, of one field: false comes before true, lists go element by element, null before all. JSON by its text.
[[nodiscard]] std::partial_ordering compare(const FieldValue& left, const FieldValue& right);

/// Text that two values of a field have in common when, and only when, they are equal.
[[nodiscard]] std::string identity_of(const FieldValue& value);

/// Characters of UTF-8 text.
[[nodiscard]] std::size_t characters_of(std::string_view text);

}  // namespace annals::model
