#pragma once
// Redeclaration: a model that is declared otherwise than before. What differs, and what that does to events that were
// recorded under the earlier declaration. Pure; a Review is confined to one thread.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/text_hash.hpp"
#include "event/event.hpp"
#include "model/decider.hpp"
#include "model/model.hpp"

namespace annals::model {

/// What differs between two declarations of fields (Model::declaration), a line for each: `+ colour: {...}` is new,
/// `- colour: declared no more`, `- name: called "title" now`, `~ price: min was 0, is 1`; of long values the
/// beginning. Errors: corrupt, when one is no declaration.
[[nodiscard]] Result<std::vector<std::string>> differences_of(std::string_view before, std::string_view after);

/// Whether the declaration takes an event that can be folded, with this effect, and leaves this record: its type is
/// known, and the record has the key of its stream. Errors: corrupt; the faults show no values.
[[nodiscard]] Result<> check_leaves(const Model& model, const EventView& event, Change::Effect effect,
                                    std::string_view record);

/// Reads all events of a model as its declaration takes them, and the records that they lead to.
class Review {
 public:
  struct Count {
    std::uint64_t number = 0;
    std::vector<std::string> examples;  ///< the first few
  };

  /// `model` outlives it. `before`: all declarations that it ever had (Model::declaration): values that were recorded
  /// sealed cannot be taken by a field that is secret no more, however long ago it was.
  explicit Review(const Model& model, std::span<const std::string> before = {});

  /// The next event of the model's streams, in the order of the store.
  void take(const EventView& event);

  /// Looks at the records, once all events have been taken.
  void finish();
  /// Looks at what the records refer to, once they have been looked at. `exists`: of a model's name and a key.
  void look_at_references(const std::function<bool(std::string_view, std::string_view)>& exists);
  /// Whether there is a record with this key, as far as the declaration takes its events.
  [[nodiscard]] bool has(std::string_view key) const { return records_.contains(std::string(key)); }

  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// Records that exist, those that do not suit among them.
  [[nodiscard]] std::uint64_t records() const { return records_.size() + unsuitable_.size(); }
  /// Records that exist and have an event that the declaration cannot take.
  [[nodiscard]] std::uint64_t unsuitable() const { return unsuitable_.size(); }
  /// Events that the declaration cannot take, each told with its place and why; of a record the first. Among them
  /// those that leave a record with another key than its stream has: it could not be reached, and keys be two records'.
  [[nodiscard]] const Count& broken() const { return broken_; }
  /// Values that several records have and only one may, each told with two of their keys.
  [[nodiscard]] const Count& taken_twice() const { return taken_twice_; }
  /// Members that events have and no field takes, because there is none, or it is computed; by their names. The
  /// examples are positions.
  [[nodiscard]] const std::map<std::string, Count>& left_out() const { return left_out_; }
  /// Rules that records do not keep, by field and rule ("price: too_small"). The examples are keys.
  [[nodiscard]] const std::map<std::string, Count>& not_kept() const { return not_kept_; }
  /// Values of events that were recorded under another type and are carried by the upcast of their field; by the
  /// fields' names. The examples are positions.
  [[nodiscard]] const std::map<std::string, Count>& carried() const { return carried_; }
  /// Records in which a computed field has no value because none can be made, or it would break the field's rules; by
  /// field and rule ("total: not_computable"). The examples are keys.
  [[nodiscard]] const std::map<std::string, Count>& not_computed() const { return not_computed_; }
  /// Records whose events have no value of a field whose default is another than in the declaration before; by field
  /// and defaults ("size: was 3, is 4"). The examples are keys.
  [[nodiscard]] const std::map<std::string, Count>& defaulted() const { return defaulted_; }
  /// Records that have a value of a field that the declaration before did not have: of the time when it was declared;
  /// by the fields' names. The examples are keys.
  [[nodiscard]] const std::map<std::string, Count>& found_again() const { return found_again_; }
  /// Events with something of a name that one field took by `renamed_from` in the declaration before, and another one
  /// takes now; by the names (`"name" was taken by "title", and is by "label"`). The examples are positions.
  [[nodiscard]] const std::map<std::string, Count>& moved() const { return moved_; }
  /// Records that refer to none; by the places of fields. The examples are keys, with what they refer to.
  [[nodiscard]] const std::map<std::size_t, Count>& dangling() const { return dangling_; }
  /// Values of events that are whole numbers which no double is; by the fields' names. The examples are positions.
  [[nodiscard]] const std::map<std::string, Count>& rounded() const { return rounded_; }
  /// Whether the declaration may take the place of the one before.
  [[nodiscard]] bool holds() const { return broken_.number == 0 && taken_twice_.number == 0; }

 private:
  /// A field of which it matters which records' events have a value of it.
  struct Followed {
    std::size_t place;
    std::string defaults;         // what was and is; empty: the declaration before did not have the field
    TextSet<std::string> keys{};  // of records whose events have a value, be it null
  };

  void follow(std::string_view before);
  void look_for_moves(std::string_view before);
  void refuse(const EventView& event, const std::string& fault);
  void look_at_members(const EventView& event);
  void look_at_numbers(const EventView& event);
  [[nodiscard]] std::string fault_of_names(const EventView& event) const;
  [[nodiscard]] std::string secret_no_more(std::string_view record) const;
  [[nodiscard]] std::string fault_of(const EventView& event, const Change& change) const;
  [[nodiscard]] std::vector<std::string> keys_in_order() const;
  void look_at_record(const std::string& key, std::string_view record);

  const Model& model_;
  std::uint64_t events_ = 0;
  TextMap<std::string, std::string> records_;                // texts of those that exist, by key
  TextMap<std::string, std::string> owners_;                 // of unique values: by field and identity the key
  TextSet<std::string> broken_records_;                      // by key
  std::vector<std::size_t> once_secret_;                     // places of fields
  std::vector<std::string> secrets_computed_;                // names of fields that were secret, and are computed now
  std::vector<std::pair<std::string, std::string>> merged_;  // what a field was called, and it, where both were fields
  TextSet<std::string> unsuitable_;                          // of those the keys that exist
  std::vector<Followed> followed_;
  std::vector<std::pair<std::string, std::string>> moving_;  // names in events, and how each is told among the moved
  bool has_numbers_ = false;
  Count broken_;
  Count taken_twice_;
  std::map<std::string, Count> left_out_;
  std::map<std::string, Count> not_kept_;
  std::map<std::string, Count> carried_;
  std::map<std::string, Count> not_computed_;
  std::map<std::string, Count> defaulted_;
  std::map<std::string, Count> found_again_;
  std::map<std::string, Count> moved_;
  std::map<std::size_t, Count> dangling_;
  std::map<std::string, Count> rounded_;
};

}  // namespace annals::model
