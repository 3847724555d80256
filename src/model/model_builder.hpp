#pragma once
// ModelBuilder: the declaration of a model in C++, for programs that are built on Annals. It says what a table
// [model.NAME] of annals.toml says, by the same names, and is checked by the same code; an error tells the line of C++
// that is to be mended.
//
//     ModelBuilder product("product");
//     product.set("path", "/api/products");
//     product.field("id", {{"type", "uuid"}, {"primary_key", true}});
//     product.field("name", {{"type", "string"}, {"required", true}, {"length", {1, 200}}});
//     product.field("made", {{"type", "date"}, {"upcast", ModelBuilder::table({{"timestamp", "date(value)"}})}});
//     const Result<Model> model = product.build();
//
// Confined to one thread.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/declaration.hpp"
#include "model/model.hpp"

namespace annals::model {

class ModelBuilder {
 public:
  /// What an attribute is given: a flag, a number, a text, a list of these, or a table.
  class Given {
   public:
    Given(std::same_as<bool> auto flag) { declared_.value = flag; }
    Given(std::integral auto number)
      requires(!std::same_as<decltype(number), bool>)
    {
      declared_.value = std::int64_t{number};
    }
    Given(std::floating_point auto number) { declared_.value = double{number}; }
    Given(const char* text) { declared_.value = std::string(text); }
    Given(std::string text) { declared_.value = std::move(text); }
    Given(std::initializer_list<Given> several);

   private:
    friend class ModelBuilder;
    Declared declared_;
  };
  struct Attribute {
    std::string name;
    Given given;
  };

  /// What stands in braces in a file: `{ timestamp = "date(value)" }` of an upcast, operations, performance.
  [[nodiscard]] static Given table(std::initializer_list<Attribute> members);

  explicit ModelBuilder(std::string name, std::source_location line = std::source_location::current());

  /// An attribute of the model itself, such as path, consistency.
  ModelBuilder& set(std::string attribute, Given given, std::source_location line = std::source_location::current());

  /// A field, behind those that are there; `type` is one of its attributes.
  ModelBuilder& field(std::string name, std::initializer_list<Attribute> attributes,
                      std::source_location line = std::source_location::current());

  /// A model that refers to no other. Errors: usage, as read_models, with file, line and column of the call that was
  /// wrong.
  [[nodiscard]] Result<Model> build() const;

 private:
  friend Result<std::vector<Model>> build_models(std::span<const ModelBuilder> builders);
  std::string name_;
  Place place_;
  Declared::Table attributes_;
  Declared::Table fields_;
};

/// Models that refer to each other, in the order of their builders. Errors: as ModelBuilder::build.
[[nodiscard]] Result<std::vector<Model>> build_models(std::span<const ModelBuilder> builders);

}  // namespace annals::model
