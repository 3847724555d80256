#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute length_attribute;
const Attribute length_attribute{
    .name = "length",
    .sentence =
        "How many characters a text has, or elements a list: `[least, most]`. Without it a string has up to "
        "1,000, a text up to 1,000,000, and a list up to 10,000.",
    .accepted = R"({ type = "string", length = [1, 3] })",
    .takes = R"("äöü")",
    .does_not_take = R"("four")",
    .refused = R"({ type = "integer", length = [1, 3] })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "length", {FieldType::string, FieldType::text, FieldType::list}));
      const auto* bounds = value.as<Declared::List>();
      const bool two = bounds && bounds->size() == 2;
      const auto* least = two ? bounds->front().as<std::int64_t>() : nullptr;
      const auto* most = two ? bounds->back().as<std::int64_t>() : nullptr;
      const std::size_t limit = field.length_max;  // that of the type, so far
      if (least == nullptr || most == nullptr || *least < 0 || *most < *least ||
          static_cast<std::uint64_t>(*most) > (field.type == FieldType::list ? limit : text_length_max)) {
        return refuse(value.place, "length is [least, most], such as [1, 200], and " +
                                       std::to_string(field.type == FieldType::list ? limit : text_length_max) +
                                       " at most");
      }
      field.length_min = static_cast<std::size_t>(*least);
      field.length_max = static_cast<std::size_t>(*most);
      return {};
    },
    // The limits of the type are kept here, too.
    .check = [](const Field& field, const FieldValue& value) -> Result<> {
      const auto* text = value.as<std::string>();
      const auto* list = value.as<FieldValue::List>();
      const bool counted = list || field.type == FieldType::string || field.type == FieldType::text;
      if (!counted || (!text && !list)) return {};
      const std::size_t length = text ? characters_of(*text) : list->size();
      const std::string what = text ? " characters" : " elements";
      if (length < field.length_min) {
        return fail(ErrorKind::unprocessable, "too_short",
                    "it has " + std::to_string(length) + what + "; the least is " + std::to_string(field.length_min));
      }
      if (length > field.length_max) {
        return fail(ErrorKind::unprocessable, "too_long",
                    "it has " + std::to_string(length) + what + "; the most is " + std::to_string(field.length_max));
      }
      return {};
    },
};

}  // namespace annals::model
