#pragma once
// The text of a record of declared fields, as it is kept in memory, in checkpoints and in replies: a JSON object that
// has every field once, in the order of the declaration, `null` where there is no value, and no blanks.
//
//     {"id":"0192...","name":"lamp","price":"7.50","note":null}
//
// Pure functions; no thread rule.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace annals::model {

/// The text of a record whose fields have these values, as JSON, in order.
[[nodiscard]] std::string record_text(const Model& model, std::span<const std::string_view> values);

/// The values of a record's text, one for each field, in order; views into the text. Errors: corrupt, when it is not
/// the text of a record of this model.
[[nodiscard]] Result<std::vector<std::string_view>> values_of(const Model& model, std::string_view text);

/// The values of the fields at `places`, which ascend, into `values`, as values_of gives them: but no more of the text
/// is looked at than it takes to find them. Errors: corrupt, when that is not the text of a record of this model.
[[nodiscard]] Result<> values_at(const Model& model, std::string_view text, std::span<const std::size_t> places,
                                 std::vector<std::string_view>& values);

/// What the text of records depends on: two models of the same form write the same events down as the same rows. Empty
/// for kv.
[[nodiscard]] std::string row_form_of(const Model& model);

}  // namespace annals::model
