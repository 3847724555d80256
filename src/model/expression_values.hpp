#pragma once
// Values of fields as expressions have them, and back. Pure functions; no thread rule.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "expression/expression.hpp"
#include "model/field.hpp"

namespace annals::model {

/// What values of the type are in expressions; nullopt where they are nothing there: of json and lists.
[[nodiscard]] std::optional<expression::Type> expression_type_of(FieldType type);

/// Whether what an expression gives can be a value of the type. A text may still be none: a uuid, one of an enum.
[[nodiscard]] bool gives(expression::Type result, FieldType type);

/// The value, of a field of a type that expressions have, from its JSON in a record. `unescaped` keeps the texts that
/// are otherwise there than in JSON: its memory has room for one more. Errors: corrupt, when it is no such JSON.
[[nodiscard]] Result<expression::Value> expression_value(const Field& field, std::string_view json,
                                                         std::vector<std::string>& unescaped);

/// The same of a value in hand, which outlives the result.
[[nodiscard]] expression::Value expression_value(const FieldValue& value);

/// A value of the field. INVARIANT: its type is one that `gives`. Errors: unprocessable, as value_from_json.
[[nodiscard]] Result<FieldValue> field_value(const Field& field, const expression::Value& value);

}  // namespace annals::model
