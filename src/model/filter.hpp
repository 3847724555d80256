#pragma once
// Filter: what a list asks of one field of its records, as in `price[gte]=10`. Values are compared as their type has
// it: decimals by what they are worth, timestamps as moments, texts by their bytes.
//
// A record without a value: of an empty operand `eq` and `in` find the records that have no value (or the empty text),
// and `ne` those that have one. `ne` finds exactly those that `eq` does not. Nothing else finds a record without a
// value.
//
// Values and pure functions; no thread rule.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace annals::model {

enum class Operator : std::uint8_t { eq, ne, gt, gte, lt, lte, in, prefix, contains };
[[nodiscard]] std::string_view to_string(Operator an_operator);

/// Whether values of the type are greater or less than others for whoever filters: of the types that have an order, all
/// but boolean and enum.
[[nodiscard]] bool has_range(FieldType type);

/// Values of one `in`.
inline constexpr std::size_t operands_max = 100;

struct Filter {
  std::size_t field = 0;  ///< its place in the model
  Operator operation = Operator::eq;
  /// Of the field's type; of `contains` of a list, of its elements'. One, of `in` up to operands_max; none (null) for
  /// an empty one. Of `prefix` and of `contains` of a text: what is looked for.
  std::vector<FieldValue> operands;
};

/// Reads the parameter `name` of a query, "price[gte]" or "price", and its value, both decoded. `parameters` are the
/// other parameters that the client may have meant. Errors: invalid ("unknown_field", "unknown_operator",
/// "unsuitable_operator", "invalid_value"), which name the parameter, what was expected and what is known.
[[nodiscard]] Result<Filter> read_filter(const Model& model, std::string_view name, std::string_view value,
                                         std::span<const std::string_view> parameters);

/// Whether a value of the filter's field passes.
[[nodiscard]] bool passes(const Filter& filter, const FieldValue& value);

/// The fields whose names the value of the parameter lists, each once: "name,price". Errors: invalid ("unknown_field",
/// "invalid_query").
[[nodiscard]] Result<std::vector<std::size_t>> read_field_names(const Model& model, std::string_view parameter,
                                                                std::string_view value);

/// The place of the field of this name. Errors: invalid ("unknown_field"), with the nearest name; "hidden_field", of
/// one that is not exposed.
[[nodiscard]] Result<std::size_t> find_field(const Model& model, std::string_view parameter, std::string_view name,
                                             std::span<const std::string_view> parameters = {});

}  // namespace annals::model
