#pragma once
// What replies show of records and events: all but the fields that are declared `exposed = false`. A model without such
// fields (Model::hides) shows everything, and nothing is copied. Pure functions; no thread rule.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/shared_text.hpp"
#include "model/model.hpp"

namespace annals::model {

/// Whether replies show what an event says of a field by this name, which the field may have had at another time. What
/// is no field any more is shown.
[[nodiscard]] bool is_shown(const Model& model, std::string_view name_in_event);

/// A record's text as replies show it; null of null. Of kv the value. Errors: corrupt, when it is none of the model.
[[nodiscard]] Result<SharedText> shown_record(const Model& model, SharedText record);

/// `{"field": ..., ...}` without the fields that replies do not show. Errors: those of json::Reader.
[[nodiscard]] Result<std::string> shown_members(const Model& model, std::string_view object);

/// The data of an event of the model's streams as replies show it; `{}` when what is to be left out cannot be found,
/// because it is not what the model writes.
[[nodiscard]] std::string shown_data(const Model& model, std::string_view type, std::string_view data);

}  // namespace annals::model
