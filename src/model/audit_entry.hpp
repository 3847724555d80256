#pragma once
// What an event says to whoever audits: which action it was, and the values of the fields that it changed before and
// after, those that are not exposed left out. Taken from the event alone, so that it is what was recorded then,
// whatever else the declaration says now. Pure.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/model.hpp"

namespace annals::model {

struct AuditEntry {
  /// "create", "update" or "delete"; of an event that is none of a model's, its type.
  std::string action;
  std::string old_values;             ///< a JSON object of fields that had a value, or null; "null" where nothing was
  std::string new_values;             ///< the same of what is; "null" where nothing is, and of such an event both
  bool old_values_too_large = false;  ///< of a deletion that does not tell them
};

/// Of an event of a resource. Errors: corrupt, when the data is not what the model writes.
[[nodiscard]] Result<AuditEntry> audit_entry_of(const Model& model, std::string_view type, std::string_view data);

}  // namespace annals::model
