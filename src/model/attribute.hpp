#pragma once
// The catalogue of attributes: everything that can be said of a field beside its type. Each is one file in attribute/
// and one line in attribute/catalogue.cpp; the reference page and the contract test are made from it. Immutable.

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "model/declaration.hpp"
#include "model/field.hpp"

namespace annals::model {

struct Attribute {
  std::string_view name;
  std::string_view sentence;  ///< for the reference

  // Examples, which a contract test tries: a field's declaration that is accepted, a value that it then takes and one
  // that it refuses (as JSON; empty where the attribute says nothing about values), and a declaration that is refused.
  std::string_view accepted;
  std::string_view takes;
  std::string_view does_not_take;
  std::string_view refused;

  /// Takes the declaration in; the field's type is known by then. Errors: usage, at the place.
  Result<> (*declare)(Field& field, const Declared& value);
  /// On each write of a value that is not null; null where there is nothing to check. Errors: unprocessable, with the
  /// code and the detail of a fault.
  Result<> (*check)(const Field& field, const FieldValue& value) = nullptr;
};

[[nodiscard]] std::span<const Attribute* const> attributes();

/// All that the attributes of the field find wrong with a value. Errors: unprocessable, the first of them.
[[nodiscard]] Result<> check_value(const Field& field, const FieldValue& value);

}  // namespace annals::model
