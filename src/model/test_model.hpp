#pragma once
// For tests: a model from its declaration. Pure function.

#include <string>
#include <utility>

#include "model/model_file.hpp"

namespace annals::model {

/// The first model that a file of this text declares, which must be good.
[[nodiscard]] inline Model declared_model(std::string text) {
  const auto root = read_declarations(std::move(text), "annals.toml");
  auto models = read_models(*root.value().find("model"));
  return std::move(models.value().front().model);
}

}  // namespace annals::model
