#pragma once
// ReadTable: what a model's projection keeps to be queried: the newest record of every key, in order of keys (bytes).
// Deleted keys stay as records without a value, because their versions go on.
//
// A row is one piece of memory (stored_row.hpp), which a new version of its record takes over where it has the same
// size and nobody reads it; the order is a B-tree of pointers to them, beside a hash table of the keys (key_index.hpp).
// With `memory_max` the values lie apart, some in a file (text_memory.hpp); all else stays in memory.
//
// Threads: any number of readers; one applier at a time (apply, stage, publish, and what restores). Readers are never
// locked out for longer than one record takes, `publish` excepted.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_pool.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "event/event.hpp"
#include "model/decider.hpp"
#include "model/model.hpp"
#include "model/resource.hpp"
#include "projection/key_watch.hpp"
#include "projection/progress.hpp"
#include "projection/stored_row.hpp"
#include "projection/table_walk.hpp"
#include "projection/text_memory.hpp"
#include "projection/witness.hpp"

namespace annals::projection {

struct StagedRows;

class ReadTable {
 public:
  /// `model` outlives the table, and so does `memory`, which keeps the values; null: they are all in memory.
  explicit ReadTable(const model::Model& model, TextMemory* memory = nullptr);
  ~ReadTable();

  /// The record of a key; its version is 0 when it never existed. Errors: those of TextMemory::text, here and wherever
  /// a table is asked for values; none of a table without such a memory.
  [[nodiscard]] Result<model::Record> get(std::string_view key) const;

  /// The row of a key; none when it never existed.
  [[nodiscard]] RowHolder find(std::string_view key) const;
  [[nodiscard]] Result<model::Record> record(const StoredRow& row, Use use) const;
  /// The records of the first of these rows, which are some: as many as have `bytes_max` bytes together, and one at
  /// least.
  [[nodiscard]] Result<std::vector<model::Record>> records(std::span<const RowHolder> rows, std::size_t bytes_max,
                                                           Use use) const;

  /// The rows of up to `limit` existing keys that begin with `prefix`, after the key `after` (nullopt: from the first),
  /// in order. INVARIANT: all values are in memory.
  [[nodiscard]] std::vector<RowHolder> list(std::string_view prefix, const std::optional<std::string>& after,
                                            std::size_t limit) const;

  /// The next of the rows that `walk` comes by after `after` (nullopt: from its beginning on), up to `rows_max`, which
  /// is not 0; those of deleted records are passed over and count. A record that changes while the walk goes on may
  /// come twice, or not at all, where its place changes with it. INVARIANT: the walk's field is indexed.
  [[nodiscard]] WalkedRows walk_on(const TableWalk& walk, const std::optional<WalkPlace>& after,
                                   std::size_t rows_max) const;

  /// How many rows a walk comes by, deleted ones included; `most` when there are as many or more.
  [[nodiscard]] std::size_t count(const TableWalk& walk, std::size_t most) const;

  /// As list, but the keys alone, and those of deleted records too.
  [[nodiscard]] std::vector<std::string> keys(std::string_view prefix, const std::optional<std::string>& after,
                                              std::size_t limit) const;

  /// Whether a record whose key begins with `prefix`, be it deleted, was last changed after `time`: a look at up to
  /// `rows_max` of them, those after the key `after` (nullopt: from the first).
  struct Look {
    bool changed = false;
    std::optional<std::string> after;  ///< where to go on; nullopt once all have been looked at
  };
  [[nodiscard]] Look look_for_change(std::string_view prefix, const std::optional<std::string>& after, Instant time,
                                     std::size_t rows_max) const;

  /// No event after it is reflected in what readers see.
  [[nodiscard]] Position newest() const;

  /// The key of the record that has a unique value.
  [[nodiscard]] std::optional<std::string> owner(const model::UniqueValue& value) const;

  /// Unique values that several records have, for a while or for good: how many, and in which fields of which records
  /// the first few, in words without the values; 0 of a model without unique fields.
  struct TakenTwice {
    std::size_t number = 0;
    std::vector<std::string> examples;
  };
  [[nodiscard]] TakenTwice taken_twice() const;

  /// True when no record has the value, which is not null, in the field at this place; false when one may have it. Of a
  /// field with the attribute `bloom_filter` it is nearly always right, of another always false.
  [[nodiscard]] bool surely_lacks(std::size_t field, const model::FieldValue& value) const;

  /// Up to `limit` keys of records that refer to this one by a field, in order.
  [[nodiscard]] std::vector<std::string> referrers(const model::ReferredKey& to, std::size_t limit) const;

  /// The number of keys, deleted ones included.
  [[nodiscard]] std::size_t size() const;

  /// The number of records that exist.
  [[nodiscard]] std::size_t existing() const;

  /// What the rows, their values and their order take of memory, more or less: what the allocator adds is not in it,
  /// nor are old rows that readers still hold.
  [[nodiscard]] std::uint64_t bytes() const;

  /// What the indexes of unique and indexed fields and references, and Bloom filters, take of memory, more or less.
  [[nodiscard]] std::uint64_t index_bytes() const;

  /// What was read after this call reflects at least `progress().position()`.
  [[nodiscard]] Progress& progress() { return progress_; }
  [[nodiscard]] const Progress& progress() const { return progress_; }

  /// Wakes those who wait for a key, or for keys with a prefix, once readers see that it has changed.
  [[nodiscard]] KeyWatch& watch() { return watch_; }

  /// Takes in the events of the model's streams, each visible at once. Passed over are events of other streams, those
  /// at or before the position already reached, and those up to `newest` that are at or below the version that their
  /// key already has. (With such an event after `newest` a removed stream begins again, and its row with it.)
  /// After an error the table stands just before the event that failed. Errors: corrupt.
  ///
  /// `left` is what each event leaves of its record, where whoever recorded it has worked that out already, by
  /// model::evolve; version 0 where nobody has. It spares the table the same work, where the row is at the version
  /// before. Empty: of none.
  [[nodiscard]] Result<> apply(std::span<const EventView> events, std::span<const model::Record> left = {});

  /// As apply, but readers see nothing of it before `publish`, and then all at once. The faster way to fill a table.
  /// After an error of `publish` all is still as it was before.
  [[nodiscard]] Result<> stage(std::span<const EventView> events);
  [[nodiscard]] Result<> publish();

  /// Takes in that no position from `applied` to this one holds an event any more. What is staged, this too, is told of
  /// by `publish`.
  void pass_over(Position position) {
    stage_pass_over(position);
    tell_progress();
  }
  void stage_pass_over(Position position) { reached_ = std::max(reached_, position); }

  /// What is told of each record, staged ones too, as an event has left it whose version is a multiple of the model's
  /// `snapshot_every`; by the applier, so it must return quickly. To be set before the first event is applied.
  using DueRow = std::function<void(const EventView& event, const model::Record& record)>;
  void set_on_due_row(DueRow on_due_row) { on_due_row_ = std::move(on_due_row); }

  /// The last position taken in, staged ones included.
  [[nodiscard]] Position applied() const { return reached_; }

  /// The last event taken in that readers may see, or, while a table that was restored has not come to it, the one at
  /// `newest`. Before `progress().position()` only when nothing but positions without an event lies between. Any
  /// thread.
  [[nodiscard]] Witness last() const { return *last_.lock(); }

  /// A few rows for whoever writes the table down: up to `rows_max`, and no more once they and their values have
  /// `bytes_max` bytes, from after `after` on (null: from the first), deleted ones included. A reader like any other.
  struct Slice {
    std::vector<RowHolder> rows;
    Witness newest;  ///< no event after it is reflected in the rows of this slice, nor in any that came before
  };
  [[nodiscard]] Slice slice(const StoredRow* after, std::size_t rows_max, std::size_t bytes_max) const;

  /// Puts rows that were written down aside, in order of their keys; false when one is out of order. Nobody sees them
  /// before `adopt`, which makes them the table's, in the place of all there was: every event up to `applied` is in
  /// them, and none after `newest`. The events in between have to be applied again, which is harmless: a row tells the
  /// version that it has reached. Until the table has come to `newest`, its rows are of several moments.
  [[nodiscard]] bool restore(const RowHolder::Head& head, std::string_view value);
  /// Errors: corrupt, when a row is none of the model's; nothing has changed then.
  [[nodiscard]] Result<> adopt(Position applied, const Witness& newest);
  void forget_restored();

 private:
  struct Rows;
  struct Changed;
  struct Text;
  template <class Visit>
  void walk(std::string_view prefix, const std::optional<std::string>& after, Visit visit) const;
  [[nodiscard]] RowHolder make_row(const RowHolder::Head& head, std::string_view value);
  [[nodiscard]] Result<Text> text_of(const StoredRow* row, Use use) const;
  [[nodiscard]] Result<Changed> change_row(const StoredRow* before, std::string_view key, const EventView& event,
                                           const model::Record* left);
  [[nodiscard]] Result<> check_others(const EventView& event, const Changed& changed) const;
  [[nodiscard]] bool is_due(const EventView& event) const;
  void tell_if_due(const EventView& event, const Changed& changed) const;
  [[nodiscard]] bool overwrite_row(const StoredRow& before, const EventView& event, const model::Record& left);
  [[nodiscard]] Result<> take_in(const EventView& event, const model::Record* left);
  void renew_filters(std::size_t rows_max);
  [[nodiscard]] Result<> stage_together(std::span<const EventView> events);
  [[nodiscard]] Result<> take_aside(const EventView& event, std::size_t hash);
  [[nodiscard]] Result<> take_all(std::span<const EventView> events, std::span<const model::Record> left);
  void tell_progress();
  [[nodiscard]] Result<> publish_first();
  [[nodiscard]] Result<> publish_changes();

  const model::Model& model_;
  TextMemory* const memory_;  // null: the values lie in the rows
  BlockPool pool_;            // of rows, and of the nodes of trees
  std::unique_ptr<Rows> rows_;
  std::unique_ptr<StagedRows> staged_;
  std::unique_ptr<Rows> restored_;  // while a checkpoint is read
  std::string unknown_row_;         // the key of the first of them that is none of the model's
  Position reached_;
  Witness applied_;        // the last event; 0 after `adopt`, until something is applied
  Guarded<Witness> last_;  // is there before `progress_` tells of it
  Progress progress_;
  KeyWatch watch_;
  DueRow on_due_row_;
};

}  // namespace annals::projection
