#pragma once
// ReadTable: what a model's projection keeps to be queried: the newest record of every key, in order of keys (bytes).
// Deleted keys stay as records without a value, because their versions go on.
//
// Threads: any number of readers; one applier at a time (apply, stage and publish). Readers are never locked out for
// longer than one record takes, `publish` excepted.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "event/event.hpp"
#include "model/decider.hpp"
#include "model/model.hpp"
#include "projection/key_watch.hpp"
#include "projection/progress.hpp"

namespace annals::projection {

class ReadTable {
 public:
  /// `model` outlives the table.
  explicit ReadTable(const model::Model& model);
  ~ReadTable();

  /// The record of a key; its version is 0 when it never existed.
  [[nodiscard]] model::Record get(std::string_view key) const;

  struct Row {
    std::string key;
    model::Record record;
  };
  /// Up to `limit` existing keys that begin with `prefix`, after the key `after` (nullopt: from the first), in order.
  [[nodiscard]] std::vector<Row> list(std::string_view prefix, const std::optional<std::string>& after,
                                      std::size_t limit) const;

  /// As list, but the keys alone, and those of deleted records too.
  [[nodiscard]] std::vector<std::string> keys(std::string_view prefix, const std::optional<std::string>& after,
                                              std::size_t limit) const;

  /// The number of keys, deleted ones included.
  [[nodiscard]] std::size_t size() const;

  /// What was read after this call reflects at least `progress().position()`.
  [[nodiscard]] Progress& progress() { return progress_; }
  [[nodiscard]] const Progress& progress() const { return progress_; }

  /// Wakes those who wait for a key, once readers see that it has changed.
  [[nodiscard]] KeyWatch& watch() { return watch_; }

  /// Takes the events of the model's streams in, each visible at once; others, and those at or before the position
  /// already reached, are passed over. After an error the table stands just before the event that failed. Errors:
  /// corrupt.
  [[nodiscard]] Result<> apply(std::span<const EventView> events);

  /// As apply, but readers see nothing of it before `publish`, and then all at once.
  [[nodiscard]] Result<> stage(std::span<const EventView> events);
  void publish();

  /// The last position taken in, staged ones included.
  [[nodiscard]] Position applied() const { return applied_; }

 private:
  struct Rows;
  template <class Visit>
  void walk(std::string_view prefix, const std::optional<std::string>& after, Visit visit) const;
  [[nodiscard]] Result<> take_in(const EventView& event, Rows& into);
  [[nodiscard]] Result<> take_all(std::span<const EventView> events);

  const model::Model& model_;
  std::unique_ptr<Rows> rows_;
  std::unique_ptr<Rows> staged_;
  Position applied_;
  Progress progress_;
  KeyWatch watch_;
};

}  // namespace annals::projection
