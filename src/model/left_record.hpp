#pragma once
// What a write leaves of a record of declared fields, where that can be judged only beside the record that it changes.
// Pure functions.

#include <string_view>
#include <vector>

#include "base/faults.hpp"
#include "model/decider.hpp"

namespace annals::model {

/// That a body is no record of the model.
[[nodiscard]] std::unexpected<Error> invalid_record(const Model& model, Faults faults);

/// Whether a field of the record of this key has the same value; both as JSON.
[[nodiscard]] bool same_value(const Model& model, const Field& field, std::string_view key, std::string_view left,
                              std::string_view right);

// Below, `before` and `after` are the values of all fields as JSON, null where there is none.

/// Of a create or an update: whether what is to stay is there, and what is computed can be, and is as the body says.
/// Errors: unprocessable ("invalid_record", with faults).
[[nodiscard]] Result<> check_left(const Model& model, const Command& command,
                                  const std::vector<std::string_view>& before,
                                  const std::vector<std::string_view>& after);

/// Of a restore: whether the record of then keeps the rules of now, as a PUT of it would have to. Not looked at are
/// values of secret fields, which are sealed, and values that replies do not show and that stay as they are. A record
/// that was deleted comes back as a new one: of that `before` has no value. Errors: unprocessable ("invalid_record",
/// with faults); corrupt.
[[nodiscard]] Result<> check_restored(const Model& model, const Command& command, const Record& record,
                                      const std::vector<std::string_view>& before,
                                      const std::vector<std::string_view>& after);

}  // namespace annals::model
