#include "model/declared_attributes.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "json/reader.hpp"
#include "json/writer.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

using ToldAttributes = std::vector<std::pair<std::string, std::string>>;  ///< names and values as JSON, in order

/// The attributes of a text; those within another are told by both names: "operations.update.audited".
Result<> flatten(std::string_view text, const std::string& within, ToldAttributes& all) {
  json::Reader reader;
  const json::Object object = TRY(reader.read_object(text));
  for (const json::Member& member : object.members) {
    const std::string name = within + std::string(member.name);
    const auto* nested = std::get_if<json::Nested>(&member.value);
    if (nested && !nested->is_array) {
      TRY(flatten(nested->text, name + ".", all));
      continue;
    }
    json::append_value(all.emplace_back(name, std::string()).second, member.value);
  }
  return {};
}

const std::string* value_of(const ToldAttributes& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &ToldAttributes::value_type::first);
  return found == all.end() ? nullptr : &found->second;
}

/// What another value of the attribute does: as its innermost name that is one says.
std::string change_of_attribute(std::string_view name) {
  while (true) {
    const std::size_t dot = name.rfind('.');
    const std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
    const auto attribute = std::ranges::find(model_attributes(), last, &ModelAttribute::name);
    if (attribute != model_attributes().end()) return ". " + std::string((*attribute)->change);
    if (dot == std::string_view::npos) return "";
    name = name.substr(0, dot);
  }
}

}  // namespace

std::string declared_attributes(const Model& model) {
  std::string text = "{";
  for (const ModelAttribute* attribute : model_attributes()) {
    if (attribute->tell == nullptr) continue;
    std::string value;
    attribute->tell(value, model);
    if (value.empty()) continue;
    json::append_member(text, attribute->name);
    text += value;
  }
  return text + "}";
}

Result<std::vector<std::string>> attribute_differences(std::string_view before, std::string_view after) {
  ToldAttributes earlier;
  ToldAttributes later;
  TRY(flatten(before, "", earlier));
  TRY(flatten(after, "", later));
  std::vector<std::string> lines;
  for (const auto& [name, is] : later) {
    const std::string* was = value_of(earlier, name);
    if (was && *was == is) continue;
    lines.push_back((was ? "~ " + name + ": was " + *was + ", is " : "+ " + name + ": ") + is +
                    change_of_attribute(name));
  }
  for (const auto& [name, was] : earlier) {
    if (value_of(later, name) == nullptr)
      lines.push_back("- " + name + ": was " + was + ", is no more" + change_of_attribute(name));
  }
  return lines;
}

}  // namespace annals::model
