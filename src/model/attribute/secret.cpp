#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute secret_attribute;
const Attribute secret_attribute{
    .name = "secret",
    .sentence =
        "`true`: the value is checked, and then encrypted with a key of `secrets.key_file` before it is recorded: the "
        "log, everything made from it, and `annals events` have the ciphertext only, and replies nothing (as with "
        "`exposed = false`). Not with `primary_key`, `unique`, `indexed`, `references`, `default` or `one_of`.",
    .accepted = R"({ type = "string", secret = true, length = [4, 100] })",
    .takes = R"("1234")",
    .does_not_take = R"("123")",
    .refused = R"({ type = "string", secret = true, unique = true })",
    // What it does not go with is looked at when all attributes of the field are known (model_file.cpp).
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "secret", {FieldType::string, FieldType::text}));
      field.secret = TRY(flag_of(value, "secret"));
      return {};
    },
};

}  // namespace annals::model
