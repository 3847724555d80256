#pragma once
// Fields from declarations: the table [model.NAME.fields]. What is not known, does not suit or does not hold together
// is refused at its place. Pure.

#include <string>
#include <vector>

#include "model/declaration.hpp"
#include "model/model.hpp"

namespace annals::model {

/// Reads the value of `fields`, of the model of this name: 1 to 200 fields, one of which is the primary key. Errors:
/// usage.
[[nodiscard]] Result<std::vector<Field>> read_fields(const std::string& model, const Declared& declared);

/// A field's own event is told from the model's, and its members from one another. `fields`: what the model's were read
/// from. Errors: usage.
[[nodiscard]] Result<> check_own_events(const Model& model, const Declared& fields);

}  // namespace annals::model
