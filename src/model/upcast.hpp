#pragma once
// Upcast: what becomes of values that were recorded while a field was declared otherwise, and that its type of now does
// not take: an expression (expression/expression.hpp) of `value`, or one for each former type. Events are never
// rewritten: it is done whenever they are read into records. Immutable once made; any thread.

#include <string>
#include <vector>

#include "base/result.hpp"
#include "expression/expression.hpp"
#include "model/declaration.hpp"
#include "model/field.hpp"

namespace annals::model {

class Upcast {
 public:
  /// Of a text: the value is a text, a number or a boolean as JSON has it, as far as the expression takes it. Of a
  /// table: by types, of which the first that the recorded value is of, and that gives a value, is taken. Errors:
  /// usage, at the place.
  [[nodiscard]] static Result<Upcast> read(const Field& field, const Declared& declared);

  /// The value of the field for one that was recorded, which may be null. Errors: unprocessable, telling why there is
  /// none; the recorded value is not told.
  [[nodiscard]] Result<FieldValue> carry(const Field& field, const json::Value& recorded) const;

  /// What it depends on.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Way {
    FieldType former;
    expression::Expression expression;
  };
  std::vector<Way> ways_;
  std::string text_;
};

}  // namespace annals::model
