#pragma once
// The order of a field's values as bytes: of two values the lesser has the lesser bytes (as unsigned), and equal values
// have the same. Indexes and cursors of lists are made of them. No value's bytes begin with those of another, so bytes
// of several fields may follow one another; inverted, they are in the opposite order.
//
//   none         01
//   boolean      02, then 0 or 1
//   integer      02, then 8 bytes, the greatest first, the sign bit turned
//   double       02, then 8 bytes, likewise, those of a negative number inverted
//   decimal      02, then 0 for a negative number and 1 for others, the count of digits before the point, all digits
//                but zeros at the end, 0; of a negative number inverted from the count on
//   timestamp    02, then its microseconds as an integer
//   uuid         02, then its 16 bytes
//   other texts  02, then up to value_order_bytes_max bytes of it, each 0 followed by 255; then 0, 1
//
// Texts that differ only behind their first value_order_bytes_max bytes are in no order: whoever looks values up by
// their bytes has to look at the values, too. Source: FoundationDB's tuple layer.
//
// Pure functions; no thread rule.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/field.hpp"

namespace annals::model {

inline constexpr std::size_t value_order_bytes_max = 256;

/// Whether values of the type have an order in lists and indexes: all but text, json and list.
[[nodiscard]] bool has_order(FieldType type);

/// Appends the bytes of a value of a type that has an order. INVARIANT: the value is of the type.
void append_order(std::string& out, FieldType type, const FieldValue& value);
[[nodiscard]] std::string order_of(FieldType type, const FieldValue& value);

/// Whether the bytes tell the value apart from every other.
[[nodiscard]] bool order_is_exact(const FieldValue& value);

/// The bytes that all texts which begin with `prefix` begin with; what is greater or equal, and less than
/// `successor_of` it, are those texts and none beside (but for the rule of value_order_bytes_max).
[[nodiscard]] std::string order_of_prefix(std::string_view prefix);

/// The least bytes that are greater than all that begin with `bytes`; empty when there are none.
[[nodiscard]] std::string successor_of(std::string bytes);

/// The bytes of all values that are some begin with this.
inline constexpr std::string_view some_value = "\x02";

/// A value of a record's text, which is canonical: what value_from_text makes of it, without a parser where possible.
/// Errors: those of value_from_text, for text that no record has.
[[nodiscard]] Result<FieldValue> stored_value(const Field& field, std::string_view text);

}  // namespace annals::model
