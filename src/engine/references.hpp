#pragma once
// References: which fields of which models refer to the records of which, and which records have come to refer to a key
// in what is under way. Whether one of those still does is for its newest state to say; what was recorded is in the
// read table of the model that refers. Confined to the writer's thread, but for its making.

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_hash.hpp"
#include "model/resource.hpp"
#include "projection/table_feed.hpp"

namespace annals::engine {

/// A field that refers to records of a model. Models by their places in the engine.
struct Reference {
  std::size_t model;  ///< whose records refer
  std::size_t field;
  std::size_t target;
  model::OnDelete on_delete;
};

class References {
 public:
  /// `feeds` are the tables of the models, and outlive this. INVARIANT: every model that is referred to is among them.
  explicit References(const std::vector<projection::TableFeed*>& feeds);

  /// The fields by which a model refers to others, and those by which others refer to it.
  [[nodiscard]] std::span<const Reference> of(std::size_t model) const { return of_[model]; }
  [[nodiscard]] std::span<const Reference> to(std::size_t model) const { return to_[model]; }

  /// By what is referred to: the keys of those that have come to.
  using Draft = TextMap<std::string, std::set<std::string>>;
  static void note(Draft& draft, const Reference& reference, std::string_view target, std::string_view referrer);
  /// The draft's request joins the flush.
  void join(Draft draft);
  void clear() { pending_.clear(); }

  /// The keys of records that may refer to this one, each once: those that do by what was recorded, up to
  /// `recorded_max` of them, and those that came to by what is under way or in the draft. Errors: unavailable
  /// ("table_behind", while the table is not as new as the state).
  [[nodiscard]] Result<std::set<std::string>> candidates(const Draft& draft, const Reference& reference,
                                                         const std::string& target, std::size_t recorded_max) const;

 private:
  const std::vector<projection::TableFeed*>& feeds_;
  std::vector<std::vector<Reference>> of_;
  std::vector<std::vector<Reference>> to_;
  Draft pending_;
};

}  // namespace annals::engine
