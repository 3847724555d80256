#include "base/did_you_mean.hpp"
#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute on_delete_attribute;
const Attribute on_delete_attribute{
    .name = "on_delete",
    .sentence =
        "With `references`: what happens when the record that is referred to is deleted. `restrict` (the default): the "
        "request is refused with 409; `cascade`: this record is deleted with it; `set_null`: it loses the value.",
    .accepted = R"({ type = "uuid", references = "thing", on_delete = "set_null" })",
    .takes = "",
    .does_not_take = "",
    .refused = R"({ type = "uuid", references = "thing", on_delete = "delete" })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      const auto* text = value.as<std::string>();
      std::vector<std::string> names;
      for (const OnDelete one : {OnDelete::restrict, OnDelete::cascade, OnDelete::set_null}) {
        if (text && *text == to_string(one)) {
          field.on_delete = one;
          return {};
        }
        names.emplace_back(to_string(one));
      }
      return refuse(value.place, "on_delete is \"restrict\", \"cascade\" or \"set_null\"" +
                                     (text ? did_you_mean(*text, names) : ""));
    },
};

}  // namespace annals::model
