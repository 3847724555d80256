#include "model/model_builder.hpp"

#include <algorithm>
#include <utility>

#include "model/model_file.hpp"

namespace annals::model {
namespace {

Place place_of(const std::source_location& line) {
  auto source = std::make_shared<const DeclaredSource>(DeclaredSource{line.file_name(), ""});
  return {std::move(source), line.line(), line.column()};
}

/// The value, and all that is in it, at a place.
Declared at(Declared declared, const Place& place) {
  declared.place = place;
  if (auto* list = std::get_if<Declared::List>(&declared.value)) {
    for (Declared& one : *list) one = at(std::move(one), place);
  }
  if (auto* table = std::get_if<Declared::Table>(&declared.value)) {
    for (DeclaredMember& one : *table) {
      one.place = place;
      one.value = at(std::move(one.value), place);
    }
  }
  return declared;
}

Result<> check_named_once(const Declared::Table& members) {
  for (const DeclaredMember& member : members) {
    if (const auto* table = member.value.as<Declared::Table>()) TRY(check_named_once(*table));
    if (&*std::ranges::find(members, member.name, &DeclaredMember::name) != &member)
      return refuse(member.place, "\"" + member.name + "\" is declared twice");
  }
  return {};
}

}  // namespace

ModelBuilder::Given::Given(std::initializer_list<Given> several) {
  Declared::List list;
  for (const Given& one : several) list.push_back(one.declared_);
  declared_.value = std::move(list);
}

ModelBuilder::Given ModelBuilder::table(std::initializer_list<Attribute> members) {
  Declared::Table table;
  for (const Attribute& one : members) table.push_back({one.name, {}, one.given.declared_});
  Given given(false);
  given.declared_.value = std::move(table);
  return given;
}

ModelBuilder::ModelBuilder(std::string name, std::source_location line)
    : name_(std::move(name)), place_(place_of(line)) {}

ModelBuilder& ModelBuilder::set(std::string attribute, Given given, std::source_location line) {
  const Place place = place_of(line);
  attributes_.push_back({std::move(attribute), place, at(std::move(given.declared_), place)});
  return *this;
}

ModelBuilder& ModelBuilder::field(std::string name, std::initializer_list<Attribute> attributes,
                                  std::source_location line) {
  const Place place = place_of(line);
  Declared::Table members;
  for (const Attribute& one : attributes) members.push_back({one.name, place, at(one.given.declared_, place)});
  fields_.push_back({std::move(name), place, {std::move(members), place}});
  return *this;
}

Result<Model> ModelBuilder::build() const {
  std::vector<Model> models = TRY(build_models(std::span(this, 1)));
  return std::move(models.front());
}

Result<std::vector<Model>> build_models(std::span<const ModelBuilder> builders) {
  Declared::Table members;
  for (const ModelBuilder& builder : builders) {
    Declared::Table attributes = builder.attributes_;
    if (!builder.fields_.empty()) attributes.push_back({"fields", builder.place_, {builder.fields_, builder.place_}});
    TRY(check_named_once(attributes));
    members.push_back({builder.name_, builder.place_, {std::move(attributes), builder.place_}});
  }
  TRY(check_named_once(members));
  Declared declared;
  if (!builders.empty()) declared.place = builders.front().place_;
  declared.value = std::move(members);
  std::vector<Model> models;
  for (DeclaredModel& one : TRY(read_models(declared))) models.push_back(std::move(one.model));
  return models;
}

}  // namespace annals::model
