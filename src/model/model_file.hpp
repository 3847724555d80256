#pragma once
// Models from declarations: the tables [model.NAME] of a configuration file. Everything is checked as a whole; what is
// not known, does not suit or does not hold together is refused at its place. Pure.

#include <vector>

#include "model/declaration.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {

/// Reads the value of `model`: a table of models. A kv model that does not say it has value_bytes_max 0. Errors: usage.
[[nodiscard]] Result<std::vector<DeclaredModel>> read_models(const Declared& models);

}  // namespace annals::model
