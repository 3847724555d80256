#pragma once
// What a path names: a model, and a record of it. Functions without state; thread-safe.

#include <optional>
#include <string>
#include <string_view>

#include "engine/engine.hpp"

namespace annals::http {

/// A model that serves a path, and what follows the model's own: empty, or from a slash on.
struct ModelPath {
  std::size_t model = 0;  ///< its place in the engine
  std::string_view rest;  ///< borrowed from the path
};

/// The model that serves the path (still percent-encoded); nullopt when none does.
[[nodiscard]] std::optional<ModelPath> model_of(const engine::Engine& engine, std::string_view path);

/// The key as records have it, of one from a path, decoded. Errors: invalid ("invalid_name"); not_found, when no record
/// of the model can have it.
[[nodiscard]] Result<std::string> key_in_path(const model::Model& model, std::string key);

}  // namespace annals::http
