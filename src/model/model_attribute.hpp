#pragma once
// The catalogue of what can be said of a model itself. Each attribute is one file in model_attribute/ and one line in
// model_attribute/catalogue.cpp; the reference page and the contract test are made from it. Immutable.

#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/declaration.hpp"
#include "model/model.hpp"

namespace annals::model {

struct DeclaredModel {
  Model model;
  Place place;
  std::vector<Place> path_places;  ///< of each of its paths
};

struct ModelAttribute {
  std::string_view name;
  bool of_kv;                 ///< known of models of this profile
  bool of_resource;           ///< the same
  std::string_view sentence;  ///< for the reference
  std::string_view change{};  ///< what another value of it does to what is stored, a sentence; empty without `tell`

  // Examples, which a contract test tries: lines that are accepted in the table of a model, and lines that are refused.
  // Where the attribute is known of both profiles, they are tried with a resource.
  std::string_view accepted;
  std::string_view refused;

  /// Takes the declaration in; the profile, the name and the fields are known by then. Errors: usage, at the place.
  Result<> (*declare)(DeclaredModel& declared, const Declared& value);
  /// Appends what the model has of it, as JSON, in one form whatever way it was declared; nothing where that is what a
  /// model has that declares nothing of it. Null where another attribute tells it, or the record of the fields does.
  void (*tell)(std::string& out, const Model& model) = nullptr;
  /// Once all of the model's attributes were taken in: whether it goes with them; null where it goes with everything.
  /// Errors: usage, at the place.
  Result<> (*suits)(const Model& model, const Declared& value) = nullptr;
  /// Takes the declaration of a single operation in; null where it is for the whole model only. Errors: usage, at the
  /// place.
  Result<> (*declare_for)(OperationRules& rules, ApiOperation operation, const Declared& value) = nullptr;
};

[[nodiscard]] std::span<const ModelAttribute* const> model_attributes();

/// Of snapshot_every, where nothing is declared of it.
inline constexpr std::uint64_t snapshot_every_otherwise = 1000;

/// Refuses a model that is audited and has a write whose success promises nothing that survives. Errors: usage, at the
/// place.
[[nodiscard]] Result<> check_audit_survives(const Model& model, const Declared& value);

/// Refuses an attribute about recording of an operation that only reads. Errors: usage, at the place.
[[nodiscard]] Result<> check_records_something(ApiOperation operation, std::string_view attribute,
                                               const Declared& value);

/// Refuses a number of events between snapshots that is not the model's, which was declared twice then. Errors: usage,
/// at the place.
[[nodiscard]] Result<> check_snapshot_every(const Model& model, const Declared& value);

/// An error (usage) at the place: the attribute is about what nobody can ask of the model, which is not served with
/// `methods`.
[[nodiscard]] std::unexpected<Error> refuse_unserved(const Model& model, std::string_view attribute,
                                                     std::string_view methods, const Declared& value);

/// Refuses an attribute about writes of a model whose records nothing writes. Errors: usage, at the place.
[[nodiscard]] Result<> check_writes_happen(const Model& model, std::string_view attribute, const Declared& value);

/// Refuses an attribute about how much of the past is shown of a model of which none is: to nobody who asks for it, and
/// to no rollback. Errors: usage, at the place.
[[nodiscard]] Result<> check_shows_past(const Model& model, std::string_view attribute, const Declared& value);

/// Whether it is something that `performance` says of a model.
[[nodiscard]] bool is_of_performance(std::string_view name);

/// Appends a list of texts, as JSON.
void append_texts(std::string& out, std::span<const std::string> texts);

/// "model.product.audited: ", for the messages of an attribute.
[[nodiscard]] std::string attribute_of(const Model& model, std::string_view attribute);

/// Whether one of two paths lies in the other.
[[nodiscard]] bool paths_overlap(std::string_view one, std::string_view other);

}  // namespace annals::model
