#pragma once
// `expand=customer,seller`: what records refer to, shown with them as `"expanded": {"customer": {...}, "seller":
// null}`. Of now only: what is referred to is taken from its model's table, as a GET of its own would show it; null
// where the record refers to none, or to one that is not there. Immutable; its reads are those of read tables.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"

namespace annals::http {

inline constexpr std::size_t expanded_fields_max = 5;

class Expansion {
 public:
  Expansion() = default;

  /// The fields that the value of the parameter names, of the model at this place; `engine` outlives it. Errors:
  /// invalid
  /// ("unknown_field", "hidden_field", "not_a_reference", "invalid_query").
  [[nodiscard]] static Result<Expansion> read(engine::Engine& engine, std::size_t model, std::string_view value);

  /// The places of the models that it shows something of.
  [[nodiscard]] std::vector<std::size_t> targets() const;
  [[nodiscard]] bool is_empty() const { return fields_.empty(); }

  /// Puts the member into the object that `out` ends with; `record` is the record's whole text. Errors: corrupt.
  [[nodiscard]] Result<> append(std::string& out, std::string_view record) const;

 private:
  struct Expanded {
    std::size_t field = 0;   // its place in the model
    std::size_t target = 0;  // the model's place in the engine
  };

  engine::Engine* engine_ = nullptr;  // null when it is empty
  std::size_t model_ = 0;
  std::vector<Expanded> fields_;
};

}  // namespace annals::http
