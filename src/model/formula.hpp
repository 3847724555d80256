#pragma once
// Formula: what a computed field's value is made from: an expression (expression/expression.hpp) of other fields of the
// same record. The values are made whenever an event is folded into a record (resource.hpp), so that all that looks at
// records has them; events do not. Immutable once made; any thread.
//
// A value that cannot be made (expression.hpp says when), is none of the field's type, or breaks its rules is null in
// records; a write that would lead to one is refused (resource.cpp).

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "expression/expression.hpp"
#include "model/declaration.hpp"
#include "model/model.hpp"

namespace annals::model {

class Formula {
 public:
  /// The places of fields that it depends on, through other computed ones too, and that are not computed themselves.
  [[nodiscard]] const std::vector<std::size_t>& sources() const { return sources_; }

 private:
  friend Result<> read_formulas(std::vector<Field>& fields, const Declared& declared);
  friend struct Computing;
  friend bool has_formulas(const Model& model);

  expression::Expression expression_;
  std::vector<std::size_t> operands_;  // places of fields, in the order of the expression's names
  std::vector<std::size_t> sources_;
  std::shared_ptr<const std::vector<std::size_t>> order_;  // of all computed fields; shared by the model's formulas
};

/// Makes the formulas of those fields that are declared as computed. `declared`: what the fields were read from.
/// Errors: usage, at the place: what no expression is, names that there are not, types that do not go together,
/// circles, and what shows fields that are not to be shown.
[[nodiscard]] Result<> read_formulas(std::vector<Field>& fields, const Declared& declared);

[[nodiscard]] bool has_formulas(const Model& model);

/// What was made of a record.
struct Computed {
  std::vector<std::string> texts;  ///< the values that were made, as JSON
  struct Failure {
    std::size_t field;
    std::string code;  ///< as a fault has it: "not_computable", "too_large", ...
    std::string detail;
  };
  std::vector<Failure> failures;  ///< of values that are null because they could not be made
};

/// Texts that are made for one record, together: what follows in the order of making has no value. One text is seldom
/// so long, and the fields that are made of it are many.
inline constexpr std::size_t computed_bytes_max = 16u << 20;

/// Puts the values of computed fields in their places among those of all fields, as JSON; they live in the result.
[[nodiscard]] Computed compute(const Model& model, std::vector<std::string_view>& values);

}  // namespace annals::model
