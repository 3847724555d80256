#pragma once
// The operations of a resource that are audited. Functions without state; thread-safe.

#include <string_view>

#include "model/model.hpp"

namespace annals::model {

[[nodiscard]] bool is_audited(const Model& model, ApiOperation operation);

/// Whether any is: the model has an audit.
[[nodiscard]] bool is_audited(const Model& model);

/// What an event of the model tells of: one that neither creates nor deletes is an update, also when the declaration
/// does not know its type any more.
[[nodiscard]] ApiOperation operation_of(const Model& model, std::string_view event_type);

}  // namespace annals::model
