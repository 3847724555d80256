#include "model/model.hpp"

#include <algorithm>
#include <utility>

#include "base/invariant.hpp"
#include "base/utf8.hpp"
#include "event/event.hpp"

namespace annals::model {

std::string_view to_string(Consistency consistency) {
  switch (consistency) {
    case Consistency::live: return "live";
    case Consistency::eventual: return "eventual";
    case Consistency::restart: return "restart";
  }
  return "live";
}

std::string_view to_string(ApiOperation operation) {
  switch (operation) {
    case ApiOperation::list: return "list";
    case ApiOperation::get: return "get";
    case ApiOperation::create: return "create";
    case ApiOperation::update: return "update";
    case ApiOperation::remove: return "delete";
  }
  return "get";
}

Result<> check_model_name(std::string_view name) {
  const auto lower = [](char character) { return character >= 'a' && character <= 'z'; };
  bool good = !name.empty() && name.size() <= 64 && lower(name.front());
  for (char character : name)
    good = good && (lower(character) || (character >= '0' && character <= '9') || character == '_');
  if (good) return {};
  return fail(ErrorKind::invalid, "invalid_model_name",
              "the model name \"" + std::string(name.substr(0, 80)) +
                  "\" is not of the form [a-z][a-z0-9_]*, 64 bytes at most");
}

Result<> check_key(std::string_view key) {
  if (key.empty()) return fail(ErrorKind::invalid, "invalid_name", "the name is empty");
  if (key.size() > key_bytes_max) {
    return fail(ErrorKind::invalid, "invalid_name",
                "the name has " + std::to_string(key.size()) + " bytes; the most is " + std::to_string(key_bytes_max));
  }
  if (is_utf8_without_controls(key)) return {};
  if (!is_utf8(key)) return fail(ErrorKind::invalid, "invalid_name", "the name is not UTF-8 after percent-decoding");
  return fail(ErrorKind::invalid, "invalid_name", "the name has a control character");
}

Result<> check_key_prefix(std::string_view prefix) {
  if (prefix.size() > key_bytes_max) {
    return fail(ErrorKind::invalid, "invalid_prefix",
                "the prefix has " + std::to_string(prefix.size()) + " bytes; a name has no more than " +
                    std::to_string(key_bytes_max));
  }
  if (!is_utf8(prefix))
    return fail(ErrorKind::invalid, "invalid_prefix", "the prefix is not UTF-8 after percent-decoding");
  if (!is_utf8_without_controls(prefix))
    return fail(ErrorKind::invalid, "invalid_prefix", "the prefix has a control character, which no name has");
  return {};
}

std::string_view to_string(Profile profile) {
  return profile == Profile::kv ? "kv" : "resource";
}

namespace {

std::string camel_case_of(std::string_view name) {
  INVARIANT(check_model_name(name).has_value(), "model names are checked when they are read");
  std::string camel_case;
  bool upper = true;
  for (char character : name) {
    if (character == '_') {
      upper = true;
      continue;
    }
    const bool lower = character >= 'a' && character <= 'z';
    camel_case += upper && lower ? static_cast<char>(character - 'a' + 'A') : character;
    upper = false;
  }
  return camel_case;
}

}  // namespace

Model Model::kv(std::string name, std::vector<std::string> paths) {
  Model model;
  model.aggregate_type = camel_case_of(name) + "Value";
  model.set_type = model.aggregate_type + "Set";
  model.deleted_type = model.aggregate_type + "Deleted";
  model.key_member = name + "_name";
  model.name = std::move(name);
  model.paths = std::move(paths);
  return model;
}

Model Model::resource(std::string name, std::vector<std::string> paths, std::vector<Field> fields) {
  Model model;
  model.profile = Profile::resource;
  model.aggregate_type = camel_case_of(name);
  model.created_type = model.aggregate_type + "Created";
  model.updated_type = model.aggregate_type + "Updated";
  model.deleted_type = model.aggregate_type + "Deleted";
  model.key_member = name + "_id";
  model.name = std::move(name);
  model.paths = std::move(paths);
  model.fields = std::move(fields);
  const auto key = std::ranges::find(model.fields, true, &Field::primary_key);
  INVARIANT(key != model.fields.end(), "a resource is declared with a primary key");
  model.primary_key = static_cast<std::size_t>(key - model.fields.begin());
  model.hides = std::ranges::find(model.fields, false, &Field::exposed) != model.fields.end();
  return model;
}

std::optional<std::size_t> Model::field_of(std::string_view field) const {
  const auto found = std::ranges::find(fields, field, &Field::name);
  if (found == fields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - fields.begin());
}

std::optional<std::size_t> Model::field_in_events(std::string_view field) const {
  if (const auto place = field_of(field)) return place;
  const auto found = std::ranges::find_if(fields, [&](const Field& one) { return one.was_called(field); });
  if (found == fields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - fields.begin());
}

bool Model::has_unique_fields() const {
  return std::ranges::any_of(fields, &Field::unique);
}

bool Model::has_references() const {
  return std::ranges::any_of(fields, [](const Field& field) { return !field.references.empty(); });
}

bool Model::has_secrets() const {
  return std::ranges::any_of(fields, &Field::secret);
}

AskedDurability Model::durability_of(ApiOperation operation) const {
  const auto& rules = operations[std::to_underlying(operation)];
  return rules.durability.value_or(durability.value_or(AskedDurability::store));
}

Duration Model::cache_of(ApiOperation operation) const {
  return operations[std::to_underlying(operation)].cache.value_or(cache);
}

std::string Model::stream(std::string_view key) const {
  std::string stream;
  stream.reserve(name.size() + 1 + key.size());
  stream.append(name).append(1, '-').append(key);
  return stream;
}

bool Model::owns_stream(std::string_view stream) const {
  return category_of(stream) == name && stream.size() > name.size() + 1;
}

}  // namespace annals::model
