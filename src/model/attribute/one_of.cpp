#include <algorithm>

#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute one_of_attribute;
const Attribute one_of_attribute{
    .name = "one_of",
    .sentence =
        "The values that the field may have. For texts, `enum` says the same as a type. Not for text, boolean, json "
        "and lists.",
    .accepted = R"({ type = "integer", one_of = [1, 2, 5] })",
    .takes = "5",
    .does_not_take = "4",
    .refused = R"({ type = "integer", one_of = [] })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "one_of",
                {FieldType::string, FieldType::integer, FieldType::decimal, FieldType::number, FieldType::date,
                 FieldType::timestamp, FieldType::uuid}));
      const auto* list = value.as<Declared::List>();
      if (list == nullptr || list->empty())
        return refuse(value.place, "one_of is a list of values, one at least, such as [1, 2]");
      for (const Declared& element : *list) {
        FieldValue one = TRY(value_of(field, element, "one_of"));
        if (std::ranges::any_of(field.one_of, [&](const FieldValue& other) { return compare(one, other) == 0; }))
          return refuse(element.place, shown(field, one) + " is in one_of twice");
        field.one_of.push_back(std::move(one));
      }
      return {};
    },
    .check = [](const Field& field, const FieldValue& value) -> Result<> {
      const auto same = [&](const FieldValue& one) { return compare(one, value) == 0; };
      if (field.one_of.empty() || std::ranges::any_of(field.one_of, same)) return {};
      std::string expected;
      for (const FieldValue& one : field.one_of) expected.append(expected.empty() ? "" : ", ").append(to_json(one));
      return fail(ErrorKind::unprocessable, "not_one_of", shown(field, value) + " is none of " + expected);
    },
};

}  // namespace annals::model
