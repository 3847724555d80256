#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute computed_attribute;
const Attribute computed_attribute{
    .name = "computed",
    .sentence =
        "The value is made from other fields of the record by an expression (docs/reference/expressions.md), whenever "
        "the record is read from its events, which do not have it; nobody writes it. Not with `primary_key`, "
        "`required`, `default`, `unique`, `secret`, `renamed_from`, `upcast`, `references` or `event`.",
    .accepted = R"x({ type = "integer", computed = "length(id)" })x",
    .takes = "",
    .does_not_take = "",
    .refused = R"x({ type = "integer", computed = "length(ids)" })x",
    // It is read when all fields are known (formula.hpp).
    .declare = [](Field& field, const Declared& value) -> Result<> {
      const auto* text = value.as<std::string>();
      if (text == nullptr || text->empty())
        return refuse(value.place, "computed is an expression in quotes, such as \"price * stock\"");
      field.computed_text = *text;
      return {};
    },
};

}  // namespace annals::model
