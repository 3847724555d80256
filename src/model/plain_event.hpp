#pragma once
// Events of a resource in the very form in which the model writes them, read without a parser: nothing in them is
// escaped, no member is out of place, and each value is what canonical JSON of its field looks like. Every write and
// every replay is mostly this. What has another form (values with escapes, arrays and objects, events of another
// declaration, or that a database has written anew) is for the parser, which makes the same of these.
//
// Pure functions; no thread rule.

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "model/model.hpp"

namespace annals::model {

/// What an event gives to the field at a place; as JSON, in the event's data.
struct PlainValue {
  std::size_t place;
  std::string_view value;
};

/// What an event that is no deletion gives to fields, in their order; nullopt when it is for the parser.
[[nodiscard]] std::optional<std::vector<PlainValue>> plain_values(const Model& model, std::string_view type,
                                                                  std::string_view data);

}  // namespace annals::model
