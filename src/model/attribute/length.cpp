#include "base/faults.hpp"
#include "base/wording.hpp"
#include "model/attribute/declared_value.hpp"

namespace annals::model {
namespace {

/// Those of a list of texts are as long as their type may be.
Result<> check_elements(const Field& field, const FieldValue::List& list) {
  if (field.element != FieldType::string && field.element != FieldType::text) return {};
  const std::size_t most = field.element == FieldType::text ? text_length_max : string_length_max;
  ElementFaults faults;
  for (std::size_t place = 0; place < list.size() && !faults.enough(); ++place) {
    const auto* text = list[place].as<std::string>();
    const std::size_t length = text ? characters_of(*text) : 0;
    if (length <= most) continue;
    faults.add(place, Error(ErrorKind::unprocessable, "too_long",
                            "it has " + counted(length, "character") + "; the most is " + std::to_string(most)));
  }
  if (faults.empty()) return {};
  return std::unexpected(faults.take());
}

}  // namespace

extern const Attribute length_attribute;
const Attribute length_attribute{
    .name = "length",
    .sentence =
        "How many characters a text has, or elements a list: `[least, most]`. Without it a string has up to "
        "1,000, a text up to 1,000,000, and a list up to 10,000. Elements of a list are no longer than their type.",
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
      const bool has_length = list || field.type == FieldType::string || field.type == FieldType::text;
      if (!has_length || (!text && !list)) return {};
      const std::size_t length = text ? characters_of(*text) : list->size();
      const auto found = [&] { return "it has " + counted(length, text ? "character" : "element"); };
      if (length < field.length_min) {
        return fail(ErrorKind::unprocessable, "too_short",
                    found() + "; the least is " + std::to_string(field.length_min));
      }
      if (length > field.length_max) {
        return fail(ErrorKind::unprocessable, "too_long",
                    found() + "; the most is " + std::to_string(field.length_max));
      }
      return list ? check_elements(field, *list) : Result<>{};
    },
};

}  // namespace annals::model
