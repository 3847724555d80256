#include "model/model_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/did_you_mean.hpp"
#include "base/sizes.hpp"
#include "model/attribute.hpp"

namespace annals::model {
namespace {

constexpr std::size_t fields_max = 200;
constexpr std::int64_t snapshot_every_min = 10;
constexpr std::int64_t snapshot_every_max = 1'000'000;
constexpr std::uint64_t snapshot_every_otherwise = 1000;

// --- Fields ---

std::unexpected<Error> unknown(const DeclaredMember& member, const std::string& what, std::vector<std::string> known) {
  return refuse(member.place, "\"" + member.name + "\" is not " + what + did_you_mean(member.name, known));
}

Result<> check_field_name(const DeclaredMember& member) {
  if (check_model_name(member.name)) return {};
  return refuse(member.place, "the field name \"" + member.name.substr(0, 80) +
                                  "\" is not of the form [a-z][a-z0-9_]*, 64 bytes at most");
}

Result<FieldType> type_of(const Declared& value, std::string_view attribute) {
  std::vector<std::string> names;
  std::string all;
  for (const FieldTypeLine& line : field_types()) {
    names.emplace_back(line.name);
    all.append(all.empty() ? "" : ", ").append(line.name);
  }
  const auto* text = value.as<std::string>();
  const auto type = text ? field_type_of(*text) : std::nullopt;
  if (type) return *type;
  return refuse(value.place, std::string(attribute) + " is one of " + all + (text ? did_you_mean(*text, names) : ""));
}

/// The texts of an enum.
Result<std::vector<std::string>> choices_of(const Declared& value) {
  const auto* list = value.as<Declared::List>();
  if (list == nullptr || list->empty())
    return refuse(value.place, "values is a list of texts, one at least, such as [\"new\", \"paid\"]");
  std::vector<std::string> choices;
  for (const Declared& element : *list) {
    const auto* text = element.as<std::string>();
    if (text == nullptr || text->empty() || text->size() > 200)
      return refuse(element.place, "each of values is a text in quotes, of 1 to 200 bytes");
    if (std::ranges::find(choices, *text) != choices.end())
      return refuse(element.place, "\"" + *text + "\" is among values twice");
    choices.push_back(*text);
  }
  return choices;
}

/// The type, and what belongs to it: the values of an enum, the type of a list's elements.
Result<> read_type(Field& field, const DeclaredMember& member) {
  const Declared* type = member.value.find("type");
  if (type == nullptr)
    return refuse(member.value.place, "the field \"" + field.name + "\" has no type; write type = \"string\"");
  field.type = TRY(type_of(*type, "type"));
  const Declared* of = member.value.find("of");
  if (field.type == FieldType::list) {
    if (of == nullptr)
      return refuse(type->place, "a list says what it is a list of; write type = \"list\", of = \"string\"");
    field.element = TRY(type_of(*of, "of"));
    if (field.element == FieldType::list || field.element == FieldType::json)
      return refuse(of->place, "a list is not one of lists or json; declare the field as json");
  } else if (of) {
    return refuse(of->place, "of goes with type = \"list\" only");
  }
  const Declared* values = member.value.find("values");
  if (field.type == FieldType::choice || (field.type == FieldType::list && field.element == FieldType::choice)) {
    if (values == nullptr) return refuse(type->place, "an enum says its values; write values = [\"new\", \"paid\"]");
    field.choices = TRY(choices_of(*values));
  } else if (values) {
    return refuse(values->place, "values goes with type = \"enum\" only; of another type say one_of");
  }
  field.length_max = field.type == FieldType::list   ? list_length_max
                     : field.type == FieldType::text ? text_length_max
                                                     : string_length_max;
  return {};
}

/// What a secret does not go with, and why.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> not_with_secret{{
    {"primary_key", "the key of a record stands in paths and in the names of streams"},
    {"unique", "values that are the same are encrypted otherwise, so nobody could tell"},
    {"indexed", "encrypted values are in no order, and no list asks for them"},
    {"references", "what it refers to is looked up by its key"},
    {"default", "a value that stands in a file is no secret"},
    {"one_of", "values that stand in a file are soon tried; say by pattern what they look like"},
}};

/// What a value that is not shown, or that nobody can read, cannot be used for.
Result<> check_exposure(Field& field, const DeclaredMember& member) {
  const auto place_of = [&](std::string_view attribute) { return member.value.find(attribute)->place; };
  if (field.secret) {
    if (field.exposed && member.value.find("exposed"))
      return refuse(place_of("exposed"), "\"" + field.name + "\" is secret, and so never shown; leave exposed out");
    field.exposed = false;
    for (const auto& [attribute, why] : not_with_secret) {
      if (member.value.find(attribute))
        return refuse(place_of(attribute), std::string(attribute) + " does not go with secret: " + std::string(why));
    }
  }
  if (!field.exposed && field.indexed)
    return refuse(place_of("indexed"),
                  "no list is filtered or sorted by a field that is not exposed; leave indexed out");
  if (field.exposed || !field.primary_key) return {};
  return refuse(place_of("exposed"), "the primary key of a record stands in its path, so every reply shows it");
}

Result<Field> read_field(const DeclaredMember& member) {
  TRY(check_field_name(member));
  Field field;
  field.name = member.name;
  const auto* members = member.value.as<Declared::Table>();
  if (members == nullptr) {
    return refuse(member.value.place, "the field \"" + field.name + "\" is of type " +
                                          std::string(member.value.kind()) + "; write " + field.name +
                                          " = { type = \"string\" }");
  }
  TRY(read_type(field, member));
  for (const DeclaredMember& one : *members) {
    if (one.name == "type" || one.name == "of" || one.name == "values") continue;
    const auto attribute = std::ranges::find(attributes(), one.name, &Attribute::name);
    if (attribute == attributes().end()) {
      std::vector<std::string> names{"type", "of", "values"};
      for (const Attribute* known : attributes()) names.emplace_back(known->name);
      return unknown(one, "an attribute of a field", names);
    }
    TRY((*attribute)->declare(field, one.value));
  }
  TRY(check_exposure(field, member));
  if (field.otherwise) {
    if (auto good = check_value(field, *field.otherwise); !good)
      return refuse(
          member.value.find("default")->place,
          "the default of \"" + field.name + "\" is refused by its other attributes: " + good.error().message);
  }
  if (const Declared* on_delete = member.value.find("on_delete")) {
    if (field.references.empty())
      return refuse(on_delete->place,
                    "on_delete goes with references, which names the model whose records are deleted");
    if (field.on_delete == OnDelete::set_null && (field.required || field.primary_key))
      return refuse(on_delete->place, "\"" + field.name + "\" always has a value, so set_null cannot take it away");
  }
  if (field.primary_key && field.unique)
    return refuse(member.value.find("unique")->place, "a primary key is unique by itself; leave unique out");
  if (field.primary_key && field.indexed && field.type != FieldType::integer)
    return refuse(member.value.find("indexed")->place, "records are in order of their keys; leave indexed out");
  return field;
}

/// A name in an event means one field.
Result<> check_former_names(const DeclaredMember& member, const std::vector<Field>& fields) {
  const auto self = std::ranges::find(fields, member.name, &Field::name);
  for (const std::string& name : self->renamed_from) {
    const auto other = std::ranges::find_if(fields, [&](const Field& one) {
      return one.name == name || (one.name != member.name && one.was_called(name));
    });
    if (other == fields.end()) continue;
    return refuse(member.value.find("renamed_from")->place,
                  other->name == name ? "\"" + name + "\" is a field of this model; its events are its own"
                                      : "\"" + name + "\" is what \"" + other->name + "\" was called as well");
  }
  return {};
}

Result<std::vector<Field>> read_fields(const std::string& model, const Declared& declared) {
  const auto* members = declared.as<Declared::Table>();
  if (members == nullptr || members->empty() || members->size() > fields_max) {
    return refuse(declared.place, "model." + model + ".fields is a table of 1 to " + std::to_string(fields_max) +
                                      " fields, such as name = { type = \"string\" }");
  }
  std::vector<Field> fields;
  const DeclaredMember* key = nullptr;
  for (const DeclaredMember& member : *members) {
    fields.push_back(TRY(read_field(member)));
    if (!fields.back().primary_key) continue;
    if (key)
      return refuse(member.place,
                    "\"" + member.name + "\" is a second primary key; \"" + key->name + "\" is one already");
    key = &member;
  }
  for (const DeclaredMember& member : *members) TRY(check_former_names(member, fields));
  if (key == nullptr) {
    return refuse(declared.place,
                  "model." + model + " has no primary key; write id = { type = \"uuid\", primary_key = true }");
  }
  return fields;
}

/// A field's own event is told from the model's, and its members from one another.
Result<> check_own_events(const Model& model, const Declared& fields) {
  for (const Field& field : model.fields) {
    if (field.event.empty()) continue;
    const Place& place = fields.find(field.name)->find("event")->place;
    for (const std::string* type : {&model.created_type, &model.updated_type, &model.deleted_type}) {
      if (field.event != *type) continue;
      return refuse(place, field.event + " is what the model calls its own events; name what happens to " + field.name);
    }
    if ("old_" + field.name == model.key_member || "new_" + field.name == model.key_member) {
      return refuse(place, "the event would have two members " + model.key_member +
                               "; leave event out, or call the field otherwise");
    }
  }
  return {};
}

// --- Models ---

bool has_dot_segment(const std::string& path) {
  const std::string closed = path + "/";
  return closed.find("/./") != std::string::npos || closed.find("/../") != std::string::npos;
}

Result<> read_path(DeclaredModel& declared, const Declared& value) {
  const std::string attribute = "model." + declared.model.name + ".path: ";
  const auto* path = value.as<std::string>();
  if (path == nullptr) return refuse(value.place, attribute + "expected a path in quotes, or a list of them");
  bool good = path->size() >= 2 && path->size() <= 200 && path->front() == '/' && path->back() != '/' &&
              path->find("//") == std::string::npos;
  for (char character : *path) {
    good = good && ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                    (character >= '0' && character <= '9') ||
                    std::string_view("/-_.~").find(character) != std::string_view::npos);
  }
  if (!good) {
    return refuse(value.place, attribute + "\"" + path->substr(0, 100) +
                                   "\" is not a path such as \"/config\" (letters, digits and -_.~ between slashes)");
  }
  if (has_dot_segment(*path)) {
    return refuse(value.place, attribute + "\"" + *path +
                                   "\" has a segment . or .., which clients resolve before they ask; choose another");
  }
  for (const std::string& taken : declared.model.paths) {
    if (paths_overlap(*path, taken)) {
      return refuse(value.place,
                    attribute + "\"" + *path + "\" lies with \"" + taken + "\" of the same model; choose paths apart");
    }
  }
  declared.model.paths.push_back(*path);
  declared.path_places.push_back(value.place);
  return {};
}

Result<> read_paths(DeclaredModel& declared, const Declared& value) {
  const auto* several = value.as<Declared::List>();
  if (several == nullptr || several->empty()) return read_path(declared, value);
  for (const Declared& one : *several) TRY(read_path(declared, one));
  return {};
}

Result<> read_consistency(Model& model, const Declared& value) {
  for (const Consistency one : {Consistency::live, Consistency::eventual, Consistency::restart}) {
    const auto* text = value.as<std::string>();
    if (text == nullptr || *text != to_string(one)) continue;
    model.consistency = one;
    return {};
  }
  return refuse(value.place, "model." + model.name + ".consistency: expected \"live\", \"eventual\" or \"restart\"");
}

Result<> read_refresh_every(Model& model, const Declared& value) {
  const auto* text = value.as<std::string>();
  const auto time = text ? duration_from_text(*text) : std::nullopt;
  if (!time || *time < std::chrono::milliseconds(10)) {
    return refuse(value.place,
                  "model." + model.name + ".refresh_every: expected a time in quotes, such as \"30s\", 10ms at least");
  }
  model.refresh_every = *time;
  return {};
}

Result<> read_value_bytes_max(Model& model, const Declared& value) {
  const auto* number = value.as<std::int64_t>();
  const auto* text = value.as<std::string>();
  const auto count = number ? std::optional(*number) : text ? bytes_from_text(*text) : std::nullopt;
  if (!count || *count < 1 || *count > 1 << 20)
    return refuse(value.place, "model." + model.name + ".value_bytes_max: expected a size from 1 to 1MiB");
  model.value_bytes_max = static_cast<std::size_t>(*count);
  return {};
}

Result<> read_snapshot_every(Model& model, const Declared& value) {
  const auto* number = value.as<std::int64_t>();
  if (number == nullptr || (*number != 0 && (*number < snapshot_every_min || *number > snapshot_every_max))) {
    return refuse(value.place, "model." + model.name + ".snapshot_every: expected a number of events from " +
                                   std::to_string(snapshot_every_min) + " to " + std::to_string(snapshot_every_max) +
                                   ", or 0 for no snapshots");
  }
  model.snapshot_every = static_cast<std::uint64_t>(*number);
  return {};
}

Result<Profile> profile_of(const std::string& name, const DeclaredMember& member) {
  const Declared* profile = member.value.find("profile");
  if (profile == nullptr) {
    if (member.value.find("fields")) return Profile::resource;
    return refuse(member.place, "model." + name + " has no fields; declare them as [model." + name +
                                    ".fields], or write profile = \"kv\" for text values under names");
  }
  const auto* text = profile->as<std::string>();
  if (text && *text == "kv") return Profile::kv;
  if (text && *text == "resource") return Profile::resource;
  return refuse(profile->place, "model." + name + ".profile: expected \"kv\" or \"resource\"");
}

Result<DeclaredModel> read_model(const DeclaredMember& member) {
  const auto* members = member.value.as<Declared::Table>();
  if (members == nullptr) {
    return refuse(member.value.place,
                  "model." + member.name + " is " + std::string(member.value.kind()) + "; a table is expected");
  }
  if (auto good = check_model_name(member.name); !good) return refuse(member.place, good.error().message);
  const std::string name = "model." + member.name;
  const Profile profile = TRY(profile_of(member.name, member));
  DeclaredModel declared;
  declared.place = member.place;
  if (profile == Profile::kv) {
    declared.model = Model::kv(member.name, {});
    declared.model.value_bytes_max = 0;
  } else {
    const Declared* fields = member.value.find("fields");
    if (fields == nullptr) return refuse(member.place, name + " has no fields; declare them as [" + name + ".fields]");
    declared.model = Model::resource(member.name, {}, TRY(read_fields(member.name, *fields)));
    declared.model.snapshot_every = snapshot_every_otherwise;
    append_json(declared.model.declaration, *fields);
    TRY(check_own_events(declared.model, *fields));
  }
  Model& model = declared.model;
  for (const DeclaredMember& one : *members) {
    if (one.name == "profile" || (one.name == "fields" && profile == Profile::resource)) continue;
    if (one.name == "path") {
      TRY(read_paths(declared, one.value));
    } else if (one.name == "consistency") {
      TRY(read_consistency(model, one.value));
    } else if (one.name == "refresh_every") {
      TRY(read_refresh_every(model, one.value));
    } else if (one.name == "audited" && profile == Profile::resource) {
      const bool* flag = one.value.as<bool>();
      if (flag == nullptr) return refuse(one.value.place, name + ".audited: expected true or false");
      model.audited = *flag;
    } else if (one.name == "snapshot_every" && profile == Profile::resource) {
      TRY(read_snapshot_every(model, one.value));
    } else if (one.name == "value_bytes_max" && profile == Profile::kv) {
      TRY(read_value_bytes_max(model, one.value));
    } else {
      std::vector<std::string> known;
      for (const ModelAttribute& attribute : model_attributes()) {
        if (attribute.profiles.find(to_string(profile)) != std::string_view::npos) known.emplace_back(attribute.name);
      }
      return unknown(one, "an attribute of a model of profile " + std::string(to_string(profile)), known);
    }
  }
  if (model.paths.empty()) return refuse(member.place, name + " has no path; write path = \"/" + model.name + "\"");
  if (model.refresh_every.count() > 0 && model.consistency != Consistency::restart)
    return refuse(member.place, name + ".refresh_every goes with consistency = \"restart\" only");
  if (model.has_unique_fields() && model.consistency != Consistency::live) {
    return refuse(member.place,
                  name + " has unique fields, which are looked up in its table; that goes with consistency = \"live\"");
  }
  if (model.has_references() && model.consistency != Consistency::live) {
    return refuse(member.place, name +
                                    " has references, which are looked up in its table when what they refer to is "
                                    "deleted; that goes with consistency = \"live\"");
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

bool paths_overlap(std::string_view one, std::string_view other) {
  const auto lies_in = [](std::string_view inner, std::string_view outer) {
    return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/';
  };
  return one == other || lies_in(one, other) || lies_in(other, one);
}

std::vector<ModelAttribute> model_attributes() {
  return {
      {"profile", "kv, resource",
       "`kv`: text values under names. `resource`: JSON records of declared fields; the default where there are "
       "fields."},
      {"path", "kv, resource", "Where it is served, such as `\"/config\"`, or a list of paths; needed."},
      {"consistency", "kv, resource",
       "When changes become visible: `live` (before the success is reported; the default), `eventual` (soon after) or "
       "`restart` (at the next start or refresh)."},
      {"refresh_every", "kv, resource", "With `restart`: refresh by itself this often; 10ms at least."},
      {"value_bytes_max", "kv", "The largest value; 1 MiB at most. Default: the setting `kv.value_bytes_max`."},
      {"audited", "resource",
       "`true`: who changed what, with old and new values, can be asked for at `RESOURCE/:name/audit`. Default: "
       "`false`."},
      {"snapshot_every", "resource",
       "After how many of its events a record is written down as it was, so that a look at its past folds no more "
       "events than that: 10 to 1000000, or 0 for never. Default: 1000."},
      {"fields", "resource", "The fields of a record, each by its name; one of them is the primary key."},
  };
}

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
