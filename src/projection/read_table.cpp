#include "projection/read_table.hpp"

#include <absl/container/btree_set.h>
#include <absl/types/compare.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <shared_mutex>

#include "base/pool_allocator.hpp"
#include "model/redeclaration.hpp"
#include "platform/reader_writer_lock.hpp"
#include "projection/bloom_filters.hpp"
#include "projection/field_index.hpp"
#include "projection/key_index.hpp"
#include "projection/key_order.hpp"
#include "projection/reference_index.hpp"
#include "projection/staged_rows.hpp"
#include "projection/unique_index.hpp"

namespace annals::projection {
namespace {

/// A place in the tree. Its row changes, its key does not, so it stays where it is.
struct Slot {
  mutable RowHolder row;
  explicit Slot(RowHolder the_row) : row(std::move(the_row)) {}
};

struct ByKey {
  using is_transparent = void;
  static std::string_view key(const Slot& slot) { return slot.row->key(); }
  static std::string_view key(std::string_view text) { return text; }
  template <class Left, class Right>
  absl::weak_ordering operator()(const Left& left, const Right& right) const {
    const int order = compare_keys(key(left), key(right));
    if (order == 0) return absl::weak_ordering::equivalent;
    return order < 0 ? absl::weak_ordering::less : absl::weak_ordering::greater;
  }
};

using Tree = absl::btree_set<Slot, ByKey, PoolAllocator<Slot>>;

constexpr std::ptrdiff_t rows_ahead = 8;  // whose keys are asked for, before a walk comes to them
constexpr std::size_t staged_together = 32;

/// What is wrong with an event, with its place.
Error at_event(const EventView& event, Error error) {
  error.message =
      "stream " + std::string(event.stream) + ", position " + to_string(event.position) + ": " + error.message;
  return error;
}

/// Rows that an event pays for while filters are made anew, some 5 us.
constexpr std::size_t rows_for_filters = 32;
/// As so many of them counts one whose value may have to be read from a file.
constexpr std::size_t cost_of_row_apart = 8;

}  // namespace

/// The value of a row, for as long as this is held.
struct ReadTable::Text {
  bool exists = false;
  std::string_view text;  // empty when the record does not exist
  SharedText held;        // where the value lies apart

  [[nodiscard]] std::optional<std::string_view> if_exists() const {
    return exists ? std::optional(text) : std::nullopt;
  }
};

/// A row that an event has left, and the values before and after.
struct ReadTable::Changed {
  RowHolder row;  // none when there is nothing new
  model::Change::Effect effect = model::Change::Effect::none;
  Text before;
  Text after;
};

struct ReadTable::Rows {
  /// The nodes of its trees lie in `pool`.
  Rows(const model::Model& model, BlockPool& pool)
      : slots(PoolAllocator<Slot>(pool)), unique(model), references(model), indexes(model, pool), filters(model) {}

  Tree slots;
  KeyIndex keys;  // of all slots
  UniqueIndex unique;
  ReferenceIndex references;
  FieldIndexes indexes;
  BloomFilters filters;
  std::uint64_t row_bytes = 0;  // of all rows
  std::size_t existing = 0;     // rows of records that exist
  Witness newest;               // no event after it is in the rows; changed with them
  mutable platform::ReaderWriterLock lock;

  /// Changes places with what was made aside; `newest` stays.
  void take(Rows& aside) {
    slots.swap(aside.slots);
    keys.swap(aside.keys);
    unique.swap(aside.unique);
    references.swap(aside.references);
    indexes.swap(aside.indexes);
    filters.swap(aside.filters);
    std::swap(row_bytes, aside.row_bytes);
    std::swap(existing, aside.existing);
  }

  /// What the change of a record does to indexes and filters. Without the lock.
  struct Change {
    FieldIndexes::Change fields;
    UniqueIndex::Change unique;
    ReferenceIndex::Change references;
    BloomFilters::Change filters;
  };
  [[nodiscard]] Change change_of(const Text& before, const Text& after) const {
    auto of_unique = unique.change_of(before.text, after.text);
    auto of_references = references.change_of(before.text, after.text);
    INVARIANT(of_unique && of_references, "the rows are what the model makes of events");
    return {indexes.change_of(before.if_exists(), after.if_exists()), *std::move(of_unique), *std::move(of_references),
            filters.change_of(before.text, after.text)};
  }
  /// Accounts for a row that takes the place of another; null: of none.
  void account(const StoredRow* before, const StoredRow& after, Change change) {
    count(before, after);
    keys.put(after);
    take_in(before, after, std::move(change));
  }
  /// Writes a row over, for which it has the block, and accounts for it; false when somebody else holds it.
  [[nodiscard]] bool overwrite(const StoredRow& row, StreamVersion version, Instant updated_at, std::string_view value,
                               Change& change) {
    if (!row.is_held_once()) return false;
    row_bytes += value.size() - row.value_bytes();
    RowHolder::overwrite(row, version, updated_at, value);
    take_in(&row, row, std::move(change));
    return true;
  }
  void take_in(const StoredRow* before, const StoredRow& after, Change change) {
    filters.take_in(change.filters);
    indexes.take_in(std::move(change.fields), before, after);
    if (unique.wanted()) unique.take_in(after.key(), std::move(change.unique));
    if (references.wanted()) references.take_in(after.key(), change.references);
  }
  /// Accounts for one of many rows that come in order of their keys; `fill` makes the indexes of fields, and filters,
  /// from them, and the one of keys from the slots, where they are by then.
  /// False when it is none of the model's.
  [[nodiscard]] bool file(const StoredRow& row, const Text& text) {
    count(nullptr, row);
    auto of_unique = unique.change_of({}, text.text);
    auto of_references = references.change_of({}, text.text);
    if (!of_unique || !of_references) return false;
    if (unique.wanted()) unique.take_in(row.key(), *std::move(of_unique));
    if (references.wanted()) references.take_in(row.key(), *of_references);
    return indexes.file(row, text.if_exists()) && filters.file(text.if_exists());
  }
  void fill() {
    indexes.fill();
    filters.fill();
    keys.make_room(slots.size());
    for (const Slot& slot : slots) keys.put(*slot.row);
  }
  void count(const StoredRow* before, const StoredRow& after) {
    row_bytes += after.bytes() - (before ? before->bytes() : 0);
    existing += (after.exists() ? 1 : 0) - (before && before->exists() ? 1 : 0);
  }

  /// Calls `visit(row, order)` for the rows that `walk` comes by after `after`, until it answers false: true when it
  /// never did.
  template <class Visit>
  bool visit(const TableWalk& walk, const std::optional<WalkPlace>& after, Visit visit) const {
    if (!walk.index) {
      const auto at = [](std::string_view order, std::string_view) { return order; };
      const auto order_of = [](const Slot& slot) { return slot.row->key(); };
      return walk_over(slots, walk, after, at, order_of,
                       [&](const Slot& slot) { return visit(*slot.row, slot.row->key()); });
    }
    const FieldIndex* index = indexes.find(*walk.index);
    INVARIANT(index != nullptr, "a walk in order of a field goes by its index");
    const auto at = [](std::string_view order, std::string_view key) { return IndexPlace{order, key}; };
    const auto order_of = [](const IndexEntry& entry) { return entry.order(); };
    return walk_over(*index, walk, after, at, order_of,
                     [&](const IndexEntry& entry) { return visit(entry.row(), entry.order()); });
  }

  /// The row of a key, or null.
  [[nodiscard]] const StoredRow* find(std::string_view key) const { return keys.find(key); }
};

ReadTable::ReadTable(const model::Model& model, TextMemory* memory)
    : model_(model),
      memory_(memory),
      rows_(std::make_unique<Rows>(model, pool_)),
      staged_(std::make_unique<StagedRows>()) {}
ReadTable::~ReadTable() = default;

Result<model::Record> ReadTable::get(std::string_view key) const {
  RowHolder row;
  {
    const std::shared_lock lock(rows_->lock);
    const StoredRow* found = rows_->find(key);
    if (found == nullptr) return model::Record{};
    if (!found->is_apart()) return found->record();
    row = RowHolder::share(*found);
  }
  return record(*row, Use::keeps);
}

RowHolder ReadTable::find(std::string_view key) const {
  const std::shared_lock lock(rows_->lock);
  const StoredRow* found = rows_->find(key);
  return found ? RowHolder::share(*found) : RowHolder();
}

Result<model::Record> ReadTable::record(const StoredRow& row, Use use) const {
  if (!row.is_apart()) return row.record();
  return model::Record{row.version(), TRY(memory_->text(row, use)), row.updated_at()};
}

Result<std::vector<model::Record>> ReadTable::records(std::span<const RowHolder> rows, std::size_t bytes_max,
                                                      Use use) const {
  std::vector<model::Record> records;
  records.reserve(rows.size());
  std::vector<const StoredRow*> apart;
  std::vector<std::size_t> places;
  std::size_t bytes = 0;
  for (const RowHolder& row : rows) {
    if (row->is_apart()) {
      apart.push_back(&*row);
      places.push_back(records.size());
      records.push_back({row->version(), {}, row->updated_at()});
    } else {
      records.push_back(row->record());
    }
    bytes += row->value_bytes();
    if (bytes >= bytes_max) break;
  }
  if (apart.empty()) return records;
  std::vector<SharedText> texts = TRY(memory_->texts(apart, use));
  for (std::size_t at = 0; at < texts.size(); ++at) records[places[at]].value = std::move(texts[at]);
  return records;
}

RowHolder ReadTable::make_row(const RowHolder::Head& head, std::string_view value) {
  if (memory_ != nullptr && head.exists) return memory_->make(head, value);
  return RowHolder::make(head, value, &pool_);
}

/// The value of a row; null: of none.
Result<ReadTable::Text> ReadTable::text_of(const StoredRow* row, Use use) const {
  if (row == nullptr || !row->exists()) return Text{};
  if (!row->is_apart()) return Text{true, row->value(), {}};
  SharedText text = TRY(memory_->text(*row, use));
  const std::string_view value = *text;
  return Text{true, value, std::move(text)};
}

/// Calls `visit(row)` for the rows asked for, in order, until it answers false.
template <class Visit>
void ReadTable::walk(std::string_view prefix, const std::optional<std::string>& after, Visit visit) const {
  const std::shared_lock lock(rows_->lock);
  const auto& slots = rows_->slots;
  auto slot = after && *after >= prefix ? slots.upper_bound(std::string_view(*after)) : slots.lower_bound(prefix);
  auto ahead = slot;
  for (std::ptrdiff_t count = 0; count < rows_ahead && ahead != slots.end(); ++count) (ahead++)->row->ask_for_key();
  while (slot != slots.end() && slot->row->key().starts_with(prefix) && visit(*slot->row)) {
    ++slot;
    if (ahead != slots.end()) (ahead++)->row->ask_for_key();
  }
}

std::vector<RowHolder> ReadTable::list(std::string_view prefix, const std::optional<std::string>& after,
                                       std::size_t limit) const {
  INVARIANT(memory_ == nullptr, "lists of what may lie elsewhere go by walks");
  std::vector<RowHolder> rows;
  if (limit == 0) return rows;
  rows.reserve(std::min<std::size_t>(limit, 1024));
  walk(prefix, after, [&](const StoredRow& row) {
    if (row.exists()) rows.push_back(RowHolder::share(row));
    return rows.size() < limit;
  });
  return rows;
}

WalkedRows ReadTable::walk_on(const TableWalk& walk, const std::optional<WalkPlace>& after,
                              std::size_t rows_max) const {
  std::vector<const StoredRow*> rows;
  rows.reserve(rows_max);
  WalkedRows walked;
  walked.rows.reserve(rows_max);
  const std::shared_lock lock(rows_->lock);
  const bool ended = rows_->visit(walk, after, [&](const StoredRow& row, std::string_view order) {
    row.ask_for();
    rows.push_back(&row);
    if (walk.index) walked.orders.emplace_back(order);
    if (rows.size() < rows_max) return true;
    walked.place = WalkPlace{std::string(order), {}};
    return false;
  });
  if (!ended) walked.place->key = rows.back()->key();
  for (const StoredRow* row : rows) {
    if (row->exists()) walked.rows.push_back(RowHolder::share(*row));
  }
  INVARIANT(!walk.index || walked.rows.size() == walked.orders.size(), "records that do not exist are in no index");
  return walked;
}

std::size_t ReadTable::count(const TableWalk& walk, std::size_t most) const {
  std::size_t count = 0;
  const std::shared_lock lock(rows_->lock);
  rows_->visit(walk, std::nullopt, [&](const StoredRow&, std::string_view) { return ++count < most; });
  return count;
}

std::vector<std::string> ReadTable::keys(std::string_view prefix, const std::optional<std::string>& after,
                                         std::size_t limit) const {
  std::vector<std::string> keys;
  if (limit == 0) return keys;
  walk(prefix, after, [&](const StoredRow& row) {
    keys.emplace_back(row.key());
    return keys.size() < limit;
  });
  return keys;
}

ReadTable::Look ReadTable::look_for_change(std::string_view prefix, const std::optional<std::string>& after,
                                           Instant time, std::size_t rows_max) const {
  Look look;
  std::size_t seen = 0;
  walk(prefix, after, [&](const StoredRow& row) {
    look.changed = row.updated_at() > time;
    if (look.changed) return false;
    if (++seen < rows_max) return true;
    look.after.emplace(row.key());
    return false;
  });
  return look;
}

Position ReadTable::newest() const {
  const std::shared_lock lock(rows_->lock);
  return rows_->newest.position;
}

std::optional<std::string> ReadTable::owner(const model::UniqueValue& value) const {
  const std::shared_lock lock(rows_->lock);
  return rows_->unique.owner(value);
}

ReadTable::TakenTwice ReadTable::taken_twice() const {
  if (!rows_->unique.wanted()) return {};
  const std::shared_lock lock(rows_->lock);
  auto [number, examples] = rows_->unique.taken_twice();
  return {number, std::move(examples)};
}

bool ReadTable::surely_lacks(std::size_t field, const model::FieldValue& value) const {
  const std::shared_lock lock(rows_->lock);
  return rows_->filters.surely_lacks(field, value);
}

std::vector<std::string> ReadTable::referrers(const model::ReferredKey& to, std::size_t limit) const {
  const std::shared_lock lock(rows_->lock);
  return rows_->references.referrers(to, limit);
}

std::size_t ReadTable::size() const {
  const std::shared_lock lock(rows_->lock);
  return rows_->slots.size();
}

std::size_t ReadTable::existing() const {
  const std::shared_lock lock(rows_->lock);
  return rows_->existing;
}

std::uint64_t ReadTable::bytes() const {
  // A node of the tree is full, or half full, or between.
  constexpr std::uint64_t place_bytes = sizeof(Slot) * 3 / 2 + KeyIndex::bytes_a_key;
  const std::uint64_t apart_bytes = memory_ ? memory_->status().bytes : 0;
  const std::shared_lock lock(rows_->lock);
  return rows_->row_bytes + rows_->slots.size() * place_bytes + apart_bytes;
}

/// The row of a key after an event, or none when the one before has reached the event's version already: rows from a
/// checkpoint may be ahead of events up to `newest`. A later event of no later version begins a removed stream again.
Result<ReadTable::Changed> ReadTable::change_row(const StoredRow* before, std::string_view key, const EventView& event,
                                                 const model::Record* left) {
  Changed changed;
  const StreamVersion version_before = before ? before->version() : StreamVersion{};
  const bool begins_again = event.version <= version_before && event.position > rows_->newest.position;
  if (event.version <= version_before && !begins_again) return changed;
  changed.before = TRY(text_of(before, Use::passes));
  const Text none;
  const Text& rests_on = begins_again ? none : changed.before;
  if (left && left->version == event.version && version_before.next() == event.version) {
    const std::string_view value = left->exists() ? *left->value : std::string_view{};
    changed.row = make_row({key, event.version, left->exists(), event.created_at}, value);
    changed.after = TRY(text_of(&*changed.row, Use::passes));
    return changed;
  }
  auto change = model::change_of(model_, rests_on.text, event.type, event.data, event.version);
  if (!change) return std::unexpected(at_event(event, std::move(change).error()));
  using Effect = model::Change::Effect;
  changed.effect = change->effect;
  const bool keeps = change->effect == Effect::none;
  const bool exists = keeps ? rests_on.exists : change->effect == Effect::set;
  const std::string_view value = keeps ? rests_on.text : change->new_value();
  changed.row = make_row({key, event.version, exists, event.created_at}, value);
  changed.after = TRY(text_of(&*changed.row, Use::passes));
  return changed;
}

/// What was not decided here may be by another declaration, and an event that can be folded none that this one takes.
Result<> ReadTable::check_others(const EventView& event, const Changed& changed) const {
  auto good = model::check_leaves(model_, event, changed.effect, changed.after.text);
  if (!good) return std::unexpected(at_event(event, std::move(good).error()));
  return {};
}

bool ReadTable::is_due(const EventView& event) const {
  return on_due_row_ && event.version.value % model_.snapshot_every == 0;
}

void ReadTable::tell_if_due(const EventView& event, const Changed& changed) const {
  if (!is_due(event)) return;
  const StoredRow& row = *changed.row;
  if (!row.is_apart()) return on_due_row_(event, row.record());
  on_due_row_(event, {row.version(), changed.after.held, row.updated_at()});
}

std::uint64_t ReadTable::index_bytes() const {
  const std::shared_lock lock(rows_->lock);
  return rows_->unique.bytes() + rows_->references.bytes() + rows_->indexes.bytes() + rows_->filters.bytes();
}

/// Where it is known what an event leaves, and that takes a block like the row's, and nobody has a part of the row, it
/// is written over: the row keeps its place in the tree, to which it would be a walk past a dozen rows that the
/// processor has not at hand, and its entries in the indexes. False, and nothing has changed, in every other case.
bool ReadTable::overwrite_row(const StoredRow& before, const EventView& event, const model::Record& left) {
  if (left.version != event.version || before.version().next() != event.version || !left.exists() || is_due(event) ||
      !RowHolder::has_block_for(before, left.value->size()) || !before.is_held_once()) {
    return false;
  }
  const std::string_view value = *left.value;
  Rows::Change change = rows_->change_of(Text{true, before.value(), {}}, Text{true, value, {}});
  const std::unique_lock lock(rows_->lock);
  if (!rows_->overwrite(before, event.version, event.created_at, value, change)) return false;
  rows_->newest = later(rows_->newest, witness_of(event));
  return true;
}

// Only the applier changes the rows, so the applier may look at them without the lock, and the place in the tree is
// still the place once it has the lock.
Result<> ReadTable::take_in(const EventView& event, const model::Record* left) {
  const std::string_view key = key_of(event.stream);
  const StoredRow* before = rows_->find(key);
  if (before && left && overwrite_row(*before, event, *left)) {
    renew_filters(rows_for_filters);
    return {};
  }
  Changed changed = TRY(change_row(before, key, event, left));
  if (!changed.row) return {};
  if (left == nullptr) TRY(check_others(event, changed));
  tell_if_due(event, changed);
  Rows::Change change = rows_->change_of(changed.before, changed.after);
  rows_->keys.make_room(1);
  const auto slot = rows_->slots.lower_bound(key);
  {
    const std::unique_lock lock(rows_->lock);
    rows_->account(before, *changed.row, std::move(change));
    if (before) {
      std::swap(slot->row, changed.row);  // so that the old row is freed after the lock is released
    } else {
      rows_->slots.emplace_hint(slot, std::move(changed.row));
    }
    rows_->newest = later(rows_->newest, witness_of(event));
  }
  renew_filters(rows_for_filters);
  if (memory_) memory_->make_room();
  return {};
}

/// Goes on with filters that are to be made anew, by up to so many rows. Only the applier changes rows, so it may look
/// at them, and read what lies apart, without the lock. What cannot be read now is tried again with the next event: the
/// filters that are asked until then deny nothing that is there.
void ReadTable::renew_filters(std::size_t rows_max) {
  BloomFilters& filters = rows_->filters;
  if (!filters.has_work(rows_->existing)) return;
  const auto& slots = rows_->slots;
  auto slot = filters.worked_to() ? slots.upper_bound(std::string_view(*filters.worked_to())) : slots.begin();
  for (std::size_t left = rows_max; slot != slots.end() && left > 0; ++slot) {
    const StoredRow& row = *slot->row;
    const auto text = text_of(&row, Use::passes);
    if (!text) return;
    filters.work_on(row.key(), text->text);
    left -= std::min(left, row.is_apart() ? cost_of_row_apart : 1);
  }
  if (slot != slots.end()) return;
  const std::unique_lock lock(rows_->lock);
  filters.put_in_place();
}

Result<> ReadTable::take_aside(const EventView& event, std::size_t hash) {
  const std::string_view key = key_of(event.stream);
  const auto slot = staged_->slots.find(HashedKey{hash, key});
  const bool found = slot != staged_->slots.end();
  Changed changed = TRY(change_row(found ? &*slot->row : rows_->find(key), key, event, nullptr));
  if (!changed.row) return {};
  tell_if_due(event, changed);
  if (found) {
    slot->row = std::move(changed.row);
  } else {
    staged_->slots.insert(StagedSlot{hash, std::move(changed.row)});
  }
  staged_->newest = witness_of(event);
  if (memory_) memory_->make_room();
  return {};
}

Result<> ReadTable::take_all(std::span<const EventView> events, std::span<const model::Record> left) {
  INVARIANT(left.empty() || left.size() == events.size(), "what is left is told of each event");
  for (std::size_t at = 0; at < events.size(); ++at) {
    const EventView& event = events[at];
    if (event.position <= reached_) continue;
    if (model_.owns_stream(event.stream)) TRY(take_in(event, left.empty() ? nullptr : &left[at]));
    applied_ = witness_of(event);
    reached_ = event.position;
  }
  return {};
}

void ReadTable::tell_progress() {
  {
    const auto last = last_.lock();
    *last = later(*last, applied_);
  }
  progress_.publish(reached_);
}

Result<> ReadTable::apply(std::span<const EventView> events, std::span<const model::Record> left) {
  auto taken = take_all(events, left);
  tell_progress();
  if (watch_.anyone()) {
    std::vector<std::string_view> keys;
    for (const EventView& event : events) {
      if (model_.owns_stream(event.stream)) keys.push_back(key_of(event.stream));
    }
    watch_.wake(keys);
  }
  return taken;
}

Result<> ReadTable::stage(std::span<const EventView> events) {
  while (!events.empty()) {
    const auto together = events.first(std::min(events.size(), staged_together));
    TRY(stage_together(together));
    events = events.subspan(together.size());
  }
  return {};
}

/// Three times over the events: the first asks for their places, the second for the rows there, the third needs both.
Result<> ReadTable::stage_together(std::span<const EventView> events) {
  std::array<std::size_t, staged_together> hashes;
  for (std::size_t at = 0; at < events.size(); ++at) {
    const std::string_view key = key_of(events[at].stream);
    hashes[at] = absl::HashOf(key);
    staged_->slots.prefetch(HashedKey{hashes[at], key});
  }
  for (std::size_t at = 0; at < events.size(); ++at) {
    const auto slot = staged_->slots.find(HashAlone{hashes[at]});
    // All of it: where a row is replaced, its memory is soon that of another one.
    if (slot != staged_->slots.end()) slot->row->ask_for();
  }
  for (std::size_t at = 0; at < events.size(); ++at) {
    const EventView& event = events[at];
    if (event.position <= reached_) continue;
    if (model_.owns_stream(event.stream)) TRY(take_aside(event, hashes[at]));
    applied_ = witness_of(event);
    reached_ = event.position;
  }
  return {};
}

Result<> ReadTable::publish() {
  staged_->order = staged_->sorted();
  std::vector<std::string_view> changed;  // in the rows, which only the applier could let go
  for (const Sortable& one : staged_->order) changed.push_back(one.slot->row->key());
  TRY(rows_->slots.empty() ? publish_first() : publish_changes());
  renew_filters(rows_for_filters * staged_->order.size());
  tell_progress();
  if (watch_.anyone()) watch_.wake(changed);
  staged_ = std::make_unique<StagedRows>();
  return {};
}

/// A table that is filled is made where nobody looks.
Result<> ReadTable::publish_first() {
  Rows fresh(model_, pool_);
  for (const Sortable& one : staged_->order) {
    const Text text = TRY(text_of(&*one.slot->row, Use::passes));
    INVARIANT(fresh.file(*one.slot->row, text), "the rows are what the model makes of events");
  }
  for (const Sortable& one : staged_->order) fresh.slots.emplace_hint(fresh.slots.end(), std::move(one.slot->row));
  fresh.fill();
  const std::unique_lock lock(rows_->lock);
  rows_->take(fresh);
  rows_->newest = later(rows_->newest, staged_->newest);
  return {};
}

/// One that has rows is changed where it is.
Result<> ReadTable::publish_changes() {
  std::vector<Rows::Change> changes;  // worked out before the readers have to wait
  changes.reserve(staged_->order.size());
  for (const Sortable& one : staged_->order) {
    const Text before = TRY(text_of(rows_->find(one.slot->row->key()), Use::passes));
    const Text after = TRY(text_of(&*one.slot->row, Use::passes));
    changes.push_back(rows_->change_of(before, after));
  }
  rows_->keys.make_room(changes.size());
  const std::unique_lock lock(rows_->lock);
  auto change = changes.begin();
  for (const Sortable& one : staged_->order) {
    const auto slot = rows_->slots.lower_bound(one.slot->row->key());
    const bool found = slot != rows_->slots.end() && slot->row->key() == one.slot->row->key();
    rows_->account(found ? &*slot->row : nullptr, *one.slot->row, std::move(*change++));
    if (found) {
      std::swap(slot->row, one.slot->row);
    } else {
      rows_->slots.emplace_hint(slot, std::move(one.slot->row));
    }
  }
  rows_->newest = later(rows_->newest, staged_->newest);
  return {};
}

ReadTable::Slice ReadTable::slice(const StoredRow* after, std::size_t rows_max, std::size_t bytes_max) const {
  Slice slice;
  slice.rows.reserve(rows_max);
  std::size_t bytes = 0;
  const std::shared_lock lock(rows_->lock);
  const auto& slots = rows_->slots;
  for (auto slot = after ? slots.upper_bound(after->key()) : slots.begin();
       slot != slots.end() && slice.rows.size() < rows_max && bytes < bytes_max; ++slot) {
    slice.rows.push_back(RowHolder::share(*slot->row));
    bytes += slot->row->bytes() + (slot->row->is_apart() ? slot->row->value_bytes() : 0);
  }
  slice.newest = rows_->newest;
  return slice;
}

bool ReadTable::restore(const RowHolder::Head& head, std::string_view value) {
  if (!restored_) restored_ = std::make_unique<Rows>(model_, pool_);
  Tree& slots = restored_->slots;
  if (!slots.empty() && std::prev(slots.end())->row->key() >= head.key) return false;
  RowHolder row = make_row(head, value);
  // Of another declaration, maybe: whether that matters, `adopt` is to say. The value is at hand only now.
  const bool known = restored_->file(*row, head.exists ? Text{true, value, {}} : Text{});
  if (!known && unknown_row_.empty()) unknown_row_ = head.key;
  slots.emplace_hint(slots.end(), std::move(row));
  if (memory_) memory_->make_room();
  return true;
}

Result<> ReadTable::adopt(Position applied, const Witness& newest) {
  if (!restored_) restored_ = std::make_unique<Rows>(model_, pool_);
  if (!unknown_row_.empty())
    return fail(ErrorKind::corrupt, "the row of \"" + unknown_row_ + "\" is not what a table of the model writes");
  restored_->fill();
  {
    const std::unique_lock lock(rows_->lock);
    rows_->take(*restored_);
    rows_->newest = newest;
  }
  restored_.reset();
  applied_ = {};
  reached_ = applied;
  *last_.lock() = newest;
  tell_progress();
  return {};
}

void ReadTable::forget_restored() {
  restored_.reset();
  unknown_row_.clear();
}

}  // namespace annals::projection
