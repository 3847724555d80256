#pragma once
// What is declared of a model beside its fields, as it is recorded with them and compared. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace annals::model {

/// The attributes as a JSON object, in the order of the catalogue, without what is as if it had not been declared.
/// Declarations by which a model is served alike have one text: `cache = "5m"` is `cache = "300s"`, and `write_behind`
/// is a `durability`. For example {"path":["/products"],"audited":true,"operations":{"delete":{"audited":false}}}.
[[nodiscard]] std::string declared_attributes(const Model& model);

/// What differs between two such texts, a line for each attribute, with what that does to what is stored:
/// `+ audited: true. ...`, `- cache: was "5m", is no more. ...`, `~ versioned: was 10, is 20. ...`. Also of attributes
/// that another version of the program knows. Errors: corrupt, when one is no such text.
[[nodiscard]] Result<std::vector<std::string>> attribute_differences(std::string_view before, std::string_view after);

}  // namespace annals::model
