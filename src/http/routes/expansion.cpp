#include "http/routes/expansion.hpp"

#include <algorithm>

#include "json/writer.hpp"
#include "model/exposure.hpp"
#include "model/filter.hpp"
#include "model/methods.hpp"
#include "model/resource.hpp"

namespace annals::http {
namespace {

constexpr std::string_view member_name = "expanded";

std::size_t place_of(const engine::Engine& engine, std::string_view model) {
  std::size_t place = 0;
  while (engine.model(place).name != model) ++place;  // what a declaration refers to is there
  return place;
}

}  // namespace

Result<Expansion> Expansion::read(engine::Engine& engine, std::size_t place, std::string_view value) {
  const model::Model& model = engine.model(place);
  if (model.field_of(member_name)) {
    return fail(ErrorKind::invalid, "invalid_query",
                model.name + " has a field \"expanded\" of its own, so what it refers to cannot be shown there");
  }
  Expansion expansion;
  expansion.engine_ = &engine;
  expansion.model_ = place;
  for (const std::size_t field : TRY(model::read_field_names(model, "expand", value))) {
    const std::string& references = model.fields[field].references;
    if (references.empty()) {
      return fail(ErrorKind::invalid, "not_a_reference",
                  "the query parameter \"expand\": " + model.name + "." + model.fields[field].name +
                      " refers to no other record; only fields with references are expanded");
    }
    const std::size_t target = place_of(engine, references);
    if (!model::serves(engine.model(target), "GET")) {
      return fail(ErrorKind::invalid, "not_served",
                  "the query parameter \"expand\": " + references +
                      " is not served with GET, so its records are not shown here either");
    }
    expansion.fields_.push_back({field, target});
  }
  if (expansion.fields_.size() <= expanded_fields_max) return expansion;
  return fail(ErrorKind::invalid, "invalid_query",
              "expand names " + std::to_string(expansion.fields_.size()) + " fields; the most is " +
                  std::to_string(expanded_fields_max));
}

std::vector<std::size_t> Expansion::targets() const {
  std::vector<std::size_t> targets;
  for (const Expanded& one : fields_) targets.push_back(one.target);
  return targets;
}

Result<> Expansion::append(std::string& out, std::string_view record) const {
  if (is_empty()) return {};
  const std::vector<model::ReferredKey> referred = TRY(model::referred_keys(engine_->model(model_), record));
  out.pop_back();
  json::append_member(out, member_name);
  out += '{';
  for (const Expanded& one : fields_) {
    json::append_member(out, engine_->model(model_).fields[one.field].name);
    const auto to = std::ranges::find(referred, one.field, &model::ReferredKey::field);
    SharedText text;
    if (to != referred.end()) {
      const model::Record found = TRY(engine_->feed(one.target).table().get(to->key));
      text = TRY(model::shown_record(engine_->model(one.target), found.value));
    }
    out += text ? *text : std::string_view("null");
  }
  out += "}}";
  return {};
}

}  // namespace annals::http
