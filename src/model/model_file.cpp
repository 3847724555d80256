#include "model/model_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/did_you_mean.hpp"
#include "model/attribute.hpp"
#include "model/declared_form.hpp"
#include "model/field_file.hpp"

namespace annals::model {
namespace {

bool knows(const ModelAttribute& attribute, Profile profile) {
  return profile == Profile::kv ? attribute.of_kv : attribute.of_resource;
}

/// What is to be said of an attribute that does not stand where it belongs; else the nearest of the known names.
std::string where_it_belongs(const std::string& model, const std::string& name, const std::vector<std::string>& known) {
  const auto other = std::ranges::find(model_attributes(), name, &ModelAttribute::name);
  if (other != model_attributes().end())
    return "; it is one of profile " + std::string((*other)->of_kv ? "kv" : "resource");
  if (std::ranges::find(attributes(), name, &Attribute::name) != attributes().end() || name == "type")
    return "; it is one of a field, and stands in [model." + model + ".fields]";
  if (is_of_performance(name)) return "; it is one of performance, performance = { " + name + " = ... }";
  return did_you_mean(name, known);
}

/// The attribute of the model that is declared by this name.
Result<const ModelAttribute*> attribute_named(const std::string& model, const DeclaredMember& member, Profile profile) {
  std::vector<std::string> known;
  for (const ModelAttribute* attribute : model_attributes()) {
    if (!knows(*attribute, profile)) continue;
    if (attribute->name == member.name) return attribute;
    known.emplace_back(attribute->name);
  }
  return refuse(member.place, "\"" + member.name + "\" is not an attribute of a model of profile " +
                                  std::string(to_string(profile)) + where_it_belongs(model, member.name, known));
}

/// What says that a model has no fields; but if it has what has no other meaning, it is probably that.
std::unexpected<Error> refuse_without_fields(const DeclaredMember& member, const std::string& otherwise) {
  for (const DeclaredMember& one : *member.value.as<Declared::Table>()) {
    if (std::ranges::find(model_attributes(), one.name, &ModelAttribute::name) != model_attributes().end()) continue;
    if (auto attribute = attribute_named(member.name, one, Profile::resource); !attribute)
      return std::unexpected(std::move(attribute).error());
  }
  const std::string name = "model." + member.name;
  return refuse(member.place, name + " has no fields; declare them as [" + name + ".fields]" + otherwise);
}

Result<Profile> profile_of(const DeclaredMember& member) {
  if (const Declared* profile = member.value.find("profile")) {
    constexpr std::array all{Profile::kv, Profile::resource};
    const std::array words{to_string(all[0]), to_string(all[1])};
    return all[TRY(word_of(*profile, "model." + member.name + ".profile: ", words))];
  }
  if (member.value.find("fields")) return Profile::resource;
  return refuse_without_fields(member, ", or write profile = \"kv\" for text values under names");
}

Result<DeclaredModel> begin_model(const DeclaredMember& member, Profile profile) {
  DeclaredModel declared;
  declared.place = member.place;
  if (profile == Profile::kv) {
    declared.model = Model::kv(member.name, {});
    declared.model.value_bytes_max = 0;
    return declared;
  }
  const Declared* fields = member.value.find("fields");
  if (fields == nullptr) return refuse_without_fields(member, "");
  declared.model = Model::resource(member.name, {}, TRY(read_fields(member.name, *fields)));
  declared.model.snapshot_every = snapshot_every_otherwise;
  append_json(declared.model.declaration, *fields);
  TRY(check_own_events(declared.model, *fields));
  return declared;
}

Result<DeclaredModel> read_model(const DeclaredMember& member) {
  const auto* members = member.value.as<Declared::Table>();
  if (members == nullptr) {
    return refuse(member.value.place,
                  "model." + member.name + " is " + std::string(member.value.kind()) + "; a table is expected");
  }
  if (auto good = check_model_name(member.name); !good) return refuse(member.place, good.error().message);
  const Profile profile = TRY(profile_of(member));
  DeclaredModel declared = TRY(begin_model(member, profile));
  for (const DeclaredMember& one : *members) {
    const ModelAttribute* attribute = TRY(attribute_named(member.name, one, profile));
    TRY(attribute->declare(declared, one.value));
  }
  if (declared.model.paths.empty()) {
    const std::string& name = declared.model.name;
    return refuse(member.place, "model." + name + " has no path; write path = \"/" + name + "\"");
  }
  for (const DeclaredMember& one : *members) {
    const ModelAttribute* attribute = TRY(attribute_named(member.name, one, profile));
    if (attribute->suits != nullptr) TRY(attribute->suits(declared.model, one.value));
  }
  return declared;
}

/// Whether what a field refers to is there, and of its type. `declared`: the field's `references`.
Result<> check_reference(const Field& field, const Declared& declared, const std::vector<DeclaredModel>& models) {
  const auto target =
      std::ranges::find(models, field.references, [](const DeclaredModel& one) { return one.model.name; });
  if (target == models.end()) {
    std::vector<std::string> names;
    for (const DeclaredModel& one : models) names.push_back(one.model.name);
    return refuse(declared.place,
                  "there is no model \"" + field.references + "\"" + did_you_mean(field.references, names));
  }
  const Model& model = target->model;
  if (model.profile != Profile::resource)
    return refuse(declared.place, "model " + model.name + " is of profile kv; only resources can be referred to");
  const Field& key = model.fields[model.primary_key];
  if (key.type == field.type) return {};
  return refuse(declared.place, "\"" + field.name + "\" is of type " + field.type_text() + ", and the primary key of " +
                                    model.name + ", \"" + key.name + "\", of type " + key.type_text() +
                                    "; a reference has the type of the key");
}

Result<> check_references(const Declared::Table& declared, const std::vector<DeclaredModel>& models) {
  for (std::size_t place = 0; place < models.size(); ++place) {
    for (const Field& field : models[place].model.fields) {
      if (field.references.empty()) continue;
      const Declared& fields = *declared[place].value.find("fields");
      TRY(check_reference(field, *fields.find(field.name)->find("references"), models));
    }
  }
  return {};
}

Result<> check_apart(const DeclaredModel& model, const std::vector<DeclaredModel>& others) {
  for (const DeclaredModel& other : others) {
    for (const std::string& path : model.model.paths) {
      for (const std::string& taken : other.model.paths) {
        if (!paths_overlap(path, taken)) continue;
        return refuse(model.place, "model " + model.model.name + " is at \"" + path + "\", which lies with model " +
                                       other.model.name + " at \"" + taken + "\"; choose paths apart");
      }
    }
  }
  return {};
}

}  // namespace

Result<std::vector<DeclaredModel>> read_models(const Declared& models) {
  const auto* members = models.as<Declared::Table>();
  if (members == nullptr) {
    return refuse(models.place, "\"model\" is " + std::string(models.kind()) + "; declare a model as [model.NAME]");
  }
  std::vector<DeclaredModel> all;
  for (const DeclaredMember& member : *members) {
    DeclaredModel model = TRY(read_model(member));
    TRY(check_apart(model, all));
    all.push_back(std::move(model));
  }
  TRY(check_references(*members, all));
  return all;
}

}  // namespace annals::model
