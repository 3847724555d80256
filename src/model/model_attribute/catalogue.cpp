#include <array>

#include "json/writer.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {

extern const ModelAttribute profile_attribute, path_attribute, consistency_attribute, refresh_every_attribute,
    value_bytes_max_attribute, methods_attribute, audited_attribute, versioned_attribute, retention_attribute,
    snapshot_every_attribute, memory_max_attribute, durability_attribute, write_behind_attribute, cache_attribute,
    performance_attribute, operations_attribute, fields_attribute;

std::span<const ModelAttribute* const> model_attributes() {
  static constexpr std::array all{
      &profile_attribute,         &path_attribute,           &consistency_attribute, &refresh_every_attribute,
      &value_bytes_max_attribute, &methods_attribute,        &audited_attribute,     &versioned_attribute,
      &retention_attribute,       &snapshot_every_attribute, &memory_max_attribute,  &durability_attribute,
      &write_behind_attribute,    &cache_attribute,          &performance_attribute, &operations_attribute,
      &fields_attribute};
  return all;
}

void append_texts(std::string& out, std::span<const std::string> texts) {
  out += '[';
  for (const std::string& text : texts) {
    if (&text != &texts.front()) out += ',';
    json::append_string(out, text);
  }
  out += ']';
}

std::string attribute_of(const Model& model, std::string_view attribute) {
  return "model." + model.name + "." + std::string(attribute) + ": ";
}

}  // namespace annals::model
