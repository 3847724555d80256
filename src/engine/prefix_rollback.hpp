#pragma once
// PrefixRollback: all keys of a model that begin with a prefix go back to what they were at a time, in one group.
//
// What must change is looked up ahead, in pieces, while others write; the writer then looks only at what was recorded
// since (see WriteRequest::plan), so that it decides on its own state and nobody waits for a long search. First
// `prepare` on one thread until it is done; from then on the writer alone, or for a dry run `changes`.

#include <map>
#include <string>
#include <string_view>

#include "engine/command.hpp"
#include "engine/difference.hpp"

namespace annals::engine {

/// A value of a kv model that a key is to have again. Errors: too_large ("value_too_large"), where its declaration
/// takes no value as large any more.
[[nodiscard]] Result<SharedText> value_of_then(const model::Model& model, std::string_view key, SharedText value);

class PrefixRollback {
 public:
  /// Everything outlives it. `model_place`: the model's place in the engine.
  PrefixRollback(Past past, std::size_t model_place, const projection::ReadTable& table, Instant at,
                 std::string prefix);

  /// Does what a turn allows of the work; true when it is done. Errors: too_large ("group_too_large"; the message says
  /// how many changes there are at the least), those of the store's reads.
  [[nodiscard]] Result<bool> prepare(const Turn& turn);

  /// What is to change, by key: `from` is how it was at the time, `to` how it is.
  [[nodiscard]] const std::map<std::string, Difference::Row, std::less<>>& changes() const { return changes_; }

  /// Whether all values may be set again. Errors: too_large ("value_too_large").
  [[nodiscard]] Result<> check() const;

  /// The commands that bring everything back, from the state of now. Errors: those of `check` and of the store's reads.
  [[nodiscard]] Result<Plan> plan();

 private:
  [[nodiscard]] Result<> look_on(const Turn& turn);
  void take(Difference::Row row);
  [[nodiscard]] bool is_too_much() const;

  const Past past_;
  const std::size_t model_place_;
  const Instant at_;
  const std::string prefix_;
  Difference difference_;
  std::map<std::string, Difference::Row, std::less<>> changes_;
  std::uint64_t found_ = 0;  // changes
  std::uint64_t bytes_ = 0;  // of values, at the least what their events take
  Position reflects_;
};

}  // namespace annals::engine
