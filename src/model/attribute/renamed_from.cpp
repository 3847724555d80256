#include "model/attribute/declared_value.hpp"
#include "model/model.hpp"

namespace annals::model {
namespace {

Result<> add_name(Field& field, const Declared& value) {
  const auto* name = value.as<std::string>();
  if (name == nullptr || !check_model_name(*name)) {
    return refuse(value.place,
                  "renamed_from is the name that the field had before, such as \"title\", or a list of such names");
  }
  if (*name == field.name) return refuse(value.place, "the field is called \"" + *name + "\" now");
  if (field.was_called(*name)) return refuse(value.place, "\"" + *name + "\" is given twice");
  field.renamed_from.push_back(*name);
  return {};
}

}  // namespace

extern const Attribute renamed_from_attribute;
const Attribute renamed_from_attribute{
    .name = "renamed_from",
    .sentence =
        "The name that the field had before, or a list of names: what events of that time say of it is taken as this "
        "field's.",
    .accepted = R"({ type = "string", renamed_from = ["title", "caption"] })",
    .takes = R"("a")",
    .does_not_take = "",
    .refused = R"({ type = "string", renamed_from = 3 })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      const auto* several = value.as<Declared::List>();
      if (several == nullptr) return add_name(field, value);
      if (several->empty()) return refuse(value.place, "renamed_from is an empty list; leave it out");
      for (const Declared& one : *several) TRY(add_name(field, one));
      return {};
    },
};

}  // namespace annals::model
