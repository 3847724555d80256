#include <array>

#include "model/attribute.hpp"

namespace annals::model {

extern const Attribute primary_key_attribute, required_attribute, default_attribute, unique_attribute,
    indexed_attribute, length_attribute, min_attribute, max_attribute, pattern_attribute, one_of_attribute,
    format_attribute, event_attribute, renamed_from_attribute, references_attribute, on_delete_attribute,
    exposed_attribute, secret_attribute, bloom_filter_attribute, computed_attribute, upcast_attribute;

std::span<const Attribute* const> attributes() {
  static constexpr std::array all{
      &primary_key_attribute, &required_attribute,     &default_attribute,   &unique_attribute,
      &indexed_attribute,     &bloom_filter_attribute, &length_attribute,    &min_attribute,
      &max_attribute,         &pattern_attribute,      &one_of_attribute,    &format_attribute,
      &event_attribute,       &references_attribute,   &on_delete_attribute, &exposed_attribute,
      &secret_attribute,      &renamed_from_attribute, &upcast_attribute,    &computed_attribute};
  return all;
}

Result<> check_value(const Field& field, const FieldValue& value) {
  for (const Attribute* attribute : attributes()) {
    if (attribute->check != nullptr) TRY(attribute->check(field, value));
  }
  return {};
}

}  // namespace annals::model
