#pragma once
// What attributes have in common: reading what was declared. Pure.

#include <string>
#include <vector>

#include "model/attribute.hpp"

namespace annals::model {

/// A flag. Errors: usage.
[[nodiscard]] Result<bool> flag_of(const Declared& value, std::string_view attribute);

/// A value of the field's own type. Errors: usage, with what the type expects.
[[nodiscard]] Result<FieldValue> value_of(const Field& field, const Declared& value, std::string_view attribute);

/// Whether the attribute suits the field's type. Errors: usage, with the types that it suits.
[[nodiscard]] Result<> suits(const Field& field, const Declared& value, std::string_view attribute,
                             const std::vector<FieldType>& types);

/// A value as it may be shown in a message; of a field that is not exposed it is not.
[[nodiscard]] std::string shown(const Field& field, const FieldValue& value);

}  // namespace annals::model
