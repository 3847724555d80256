#pragma once
// Models from declarations: the tables [model.NAME] of a configuration file. Everything is checked as a whole; what is
// not known, does not suit or does not hold together is refused at its place. Pure.

#include <vector>

#include "model/declaration.hpp"
#include "model/model.hpp"

namespace annals::model {

struct DeclaredModel {
  Model model;
  Place place;
  std::vector<Place> path_places;  ///< of each of its paths
};

/// Reads the value of `model`: a table of models. A kv model that does not say it has value_bytes_max 0. Errors: usage.
[[nodiscard]] Result<std::vector<DeclaredModel>> read_models(const Declared& models);

/// Whether one of two paths lies in the other.
[[nodiscard]] bool paths_overlap(std::string_view one, std::string_view other);

/// The attributes of a model itself, for the reference: name, profiles that know it, sentence.
struct ModelAttribute {
  std::string_view name;
  std::string_view profiles;
  std::string_view sentence;
};
[[nodiscard]] std::vector<ModelAttribute> model_attributes();

}  // namespace annals::model
