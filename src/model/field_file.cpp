#include "model/field_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/did_you_mean.hpp"
#include "model/attribute.hpp"
#include "model/formula.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::size_t fields_max = 200;

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

/// The other attributes are about the default as well, as far as they can tell before it is made.
Result<> check_default(const Field& field, const DeclaredMember& member) {
  const Declared* declared = member.value.find("default");
  const std::string of = "the default of \"" + field.name + "\" is ";
  if (field.otherwise) {
    const auto good = check_value(field, *field.otherwise);
    if (!good) return refuse(declared->place, of + "refused by its other attributes: " + good.error().message);
  }
  if (field.made == Field::Made::no) return {};
  if (!field.one_of.empty()) {
    return refuse(declared->place, of + "made anew for each record, so it is none of one_of; leave one of both out");
  }
  // A year in which no program reads this any more. A later one passes: a declaration that holds does so tomorrow.
  constexpr std::string_view now_min = "2026-01-01";
  const auto* most = field.max ? field.max->as<std::string>() : nullptr;
  if (most && *most < now_min)
    return refuse(declared->place, of + "the time of the record's making, and max, " + *most + ", is over");
  return {};
}

Result<> check_attribute_name(const DeclaredMember& member) {
  std::vector<std::string> names{"type", "of", "values"};
  for (const Attribute* known : attributes()) names.emplace_back(known->name);
  if (std::ranges::find(names, member.name) != names.end()) return {};
  const bool of_models =
      std::ranges::find(model_attributes(), member.name, &ModelAttribute::name) != model_attributes().end();
  return refuse(member.place, "\"" + member.name + "\" is not an attribute of a field" +
                                  (of_models ? "; it is one of the model" : did_you_mean(member.name, names)));
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
  // A name that is not known comes first: it may be what something else is missed for.
  for (const DeclaredMember& one : *members) TRY(check_attribute_name(one));
  TRY(read_type(field, member));
  for (const DeclaredMember& one : *members) {
    const auto attribute = std::ranges::find(attributes(), one.name, &Attribute::name);
    if (attribute != attributes().end()) TRY((*attribute)->declare(field, one.value));
  }
  TRY(check_exposure(field, member));
  TRY(check_default(field, member));
  if (field.primary_key && field.otherwise) {
    return refuse(member.value.find("default")->place,
                  "\"" + field.name +
                      "\" is the key, and two records with one default would have the same; leave "
                      "default out" +
                      (field.type == FieldType::uuid ? ": a uuid is made for who gives none" : ""));
  }
  for (std::size_t place = 0; place < field.one_of.size(); ++place) {
    if (auto good = check_value(field, field.one_of[place]); !good) {
      const Declared& one = member.value.find("one_of")->as<Declared::List>()->at(place);
      return refuse(one.place, "what is one_of of \"" + field.name +
                                   "\" is refused by its other attributes: " + good.error().message);
    }
  }
  if (const Declared* on_delete = member.value.find("on_delete")) {
    if (field.references.empty())
      return refuse(on_delete->place,
                    "on_delete goes with references, which names the model whose records are deleted");
    if (field.on_delete == OnDelete::set_null && (field.required || field.primary_key))
      return refuse(on_delete->place, "\"" + field.name + "\" always has a value, so set_null cannot take it away");
  }
  if (const Declared* upcast = member.value.find("upcast"); upcast && (field.secret || field.primary_key)) {
    return refuse(upcast->place, field.secret
                                     ? "upcast does not go with secret: nobody reads what is encrypted"
                                     : "upcast does not go with primary_key: the key of a record stays what it is");
  }
  if (field.bloom_filter && (field.primary_key || field.unique || field.indexed || !field.exposed)) {
    return refuse(member.value.find("bloom_filter")->place,
                  field.exposed ? std::string(field.primary_key ? "primary_key"
                                              : field.unique    ? "unique"
                                                                : "indexed") +
                                      " tells exactly whether a record has a value; leave bloom_filter out"
                                : "no list is filtered by a field that is not exposed; leave bloom_filter out");
  }
  if (field.primary_key && !field.event.empty()) {
    return refuse(member.value.find("event")->place,
                  "no primary key ever changes, so nothing would be recorded as " + field.event + "; leave event out");
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

}  // namespace

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
  TRY(read_formulas(fields, declared));
  if (key == nullptr) {
    return refuse(declared.place,
                  "model." + model + " has no primary key; write id = { type = \"uuid\", primary_key = true }");
  }
  return fields;
}

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

}  // namespace annals::model
