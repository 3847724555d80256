#pragma once
// Which methods of HTTP a resource is served with. Functions without state; thread-safe.

#include <array>
#include <string>
#include <string_view>

#include "model/model.hpp"

namespace annals::model {

/// Those that a declaration may name. HEAD goes with GET.
inline constexpr std::array<std::string_view, 5> methods_all{"GET", "POST", "PUT", "PATCH", "DELETE"};

/// Whether the model is served with the method, one of methods_all.
[[nodiscard]] bool serves(const Model& model, std::string_view method);

/// Whether the operation can come to any of the model's records: by a method that it is served with (a rollback, a
/// POST, is an update), or because what a record refers to is deleted (on_delete).
[[nodiscard]] bool can_happen(const Model& model, ApiOperation operation);

/// The methods by which the operation is asked for: "PUT, PATCH or POST".
[[nodiscard]] std::string_view methods_of(ApiOperation operation);

/// "GET and POST", for messages; of a model that names none, all of them.
[[nodiscard]] std::string served_methods(const Model& model);

}  // namespace annals::model
