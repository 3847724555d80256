#include <algorithm>

#include "model/attribute/declared_value.hpp"

namespace annals::model {

extern const Attribute event_attribute;
const Attribute event_attribute{
    .name = "event",
    .sentence =
        "The type of the event when this field alone was changed, such as `PriceUpdated`, in the place of the "
        "model's own. Not with `primary_key`, which never changes.",
    .accepted = R"({ type = "integer", event = "StockUpdated" })",
    .takes = "1",
    .does_not_take = "",
    .refused = R"({ type = "integer", event = "stock updated" })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      const auto* text = value.as<std::string>();
      const auto letter = [](char character) {
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
               (character >= '0' && character <= '9');
      };
      if (text == nullptr || text->empty() || text->size() > 100 || text->front() < 'A' || text->front() > 'Z' ||
          !std::ranges::all_of(*text, letter)) {
        return refuse(value.place,
                      "event is a name such as \"PriceUpdated\": a capital, then letters (a to z) and digits, 100 at "
                      "most");
      }
      field.event = *text;
      return {};
    },
};

}  // namespace annals::model
