#include "projection/read_table.hpp"

#include <absl/container/btree_set.h>
#include <absl/types/compare.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "platform/reader_writer_lock.hpp"

namespace annals::projection {
namespace {

/// A place in the tree. Its row changes, its key does not, so the order stands.
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
    const int order = key(left).compare(key(right));
    if (order == 0) return absl::weak_ordering::equivalent;
    return order < 0 ? absl::weak_ordering::less : absl::weak_ordering::greater;
  }
};

}  // namespace

struct ReadTable::Rows {
  absl::btree_set<Slot, ByKey> slots;
  Position newest;  // no event after it is in the rows; changed with them
  mutable platform::ReaderWriterLock lock;

  /// The row of a key, or null.
  [[nodiscard]] const StoredRow* find(std::string_view key) const {
    const auto slot = slots.find(key);
    return slot == slots.end() ? nullptr : &*slot->row;
  }
};

ReadTable::ReadTable(const model::Model& model)
    : model_(model), rows_(std::make_unique<Rows>()), staged_(std::make_unique<Rows>()) {}
ReadTable::~ReadTable() = default;

model::Record ReadTable::get(std::string_view key) const {
  const std::shared_lock lock(rows_->lock);
  const StoredRow* row = rows_->find(key);
  return row ? row->record() : model::Record{};
}

/// Calls `visit(row)` for the rows asked for, in order, until it answers false.
template <class Visit>
void ReadTable::walk(std::string_view prefix, const std::optional<std::string>& after, Visit visit) const {
  const std::shared_lock lock(rows_->lock);
  const auto& slots = rows_->slots;
  auto slot = after && *after >= prefix ? slots.upper_bound(std::string_view(*after)) : slots.lower_bound(prefix);
  while (slot != slots.end() && slot->row->key().starts_with(prefix) && visit(*slot->row)) ++slot;
}

std::vector<ReadTable::Row> ReadTable::list(std::string_view prefix, const std::optional<std::string>& after,
                                            std::size_t limit) const {
  std::vector<Row> rows;
  if (limit == 0) return rows;
  walk(prefix, after, [&](const StoredRow& row) {
    if (row.exists()) rows.push_back({std::string(row.key()), row.record()});
    return rows.size() < limit;
  });
  return rows;
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

std::size_t ReadTable::size() const {
  const std::shared_lock lock(rows_->lock);
  return rows_->slots.size();
}

// One walk down the tree finds both the row and the place for it. Only the applier changes the rows, so the applier may
// look at them without the lock, and the place is still the place once it has the lock.
Result<> ReadTable::take_in(const EventView& event, Rows& into) {
  const std::string_view key = key_of(event.stream);
  const auto slot = into.slots.lower_bound(key);
  const bool found = slot != into.slots.end() && slot->row->key() == key;
  const StoredRow* before = found ? &*slot->row : nullptr;
  if (!found && &into != rows_.get()) before = rows_->find(key);
  // Rows from a checkpoint may be ahead of the events that are read again.
  if (before && event.version <= before->version()) return {};

  auto change = model::change_of(model_, event.type, event.data, event.version);
  if (!change) {
    return fail(change.error().kind, "stream " + std::string(event.stream) + ", position " + to_string(event.position) +
                                         ": " + change.error().message);
  }
  using Effect = model::Change::Effect;
  const bool keeps = change->effect == Effect::none;
  const bool exists = keeps ? before && before->exists() : change->effect == Effect::set;
  const std::string_view value = keeps ? (before ? before->value() : std::string_view{}) : change->value;
  RowHolder next = RowHolder::make(key, event.version, exists, value, event.created_at);
  const std::unique_lock lock(into.lock);
  if (found) {
    std::swap(slot->row, next);  // so that the old row is freed after the lock is released
  } else {
    into.slots.emplace_hint(slot, std::move(next));
  }
  into.newest = std::max(into.newest, event.position);
  return {};
}

Result<> ReadTable::apply(std::span<const EventView> events) {
  for (const EventView& event : events) {
    if (event.position <= applied_) continue;
    if (model_.owns_stream(event.stream)) {
      if (auto taken = take_in(event, *rows_); !taken) {
        progress_.publish(applied_);
        return taken;
      }
    }
    applied_ = event.position;
  }
  progress_.publish(applied_);
  return {};
}

Result<> ReadTable::stage(std::span<const EventView> events) {
  for (const EventView& event : events) {
    if (event.position <= applied_) continue;
    if (model_.owns_stream(event.stream)) TRY(take_in(event, *staged_));
    applied_ = event.position;
  }
  return {};
}

void ReadTable::publish() {
  {
    const std::unique_lock lock(rows_->lock);
    if (rows_->slots.empty()) {
      rows_->slots.swap(staged_->slots);
    } else {
      for (const Slot& staged : staged_->slots) {
        const auto slot = rows_->slots.lower_bound(staged.row->key());
        if (slot != rows_->slots.end() && slot->row->key() == staged.row->key()) {
          std::swap(slot->row, staged.row);
        } else {
          rows_->slots.emplace_hint(slot, std::move(staged.row));
        }
      }
    }
    rows_->newest = std::max(rows_->newest, staged_->newest);
  }
  staged_->slots.clear();
  progress_.publish(applied_);
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
    bytes += slot->row->bytes();
  }
  slice.newest = rows_->newest;
  return slice;
}

bool ReadTable::restore(RowHolder row) {
  auto& slots = staged_->slots;
  if (!slots.empty() && std::prev(slots.end())->row->key() >= row->key()) return false;
  slots.emplace_hint(slots.end(), std::move(row));
  return true;
}

void ReadTable::adopt(Position applied, Position newest) {
  {
    const std::unique_lock lock(rows_->lock);
    rows_->slots.swap(staged_->slots);
    rows_->newest = newest;
  }
  staged_->slots.clear();
  applied_ = applied;
  progress_.publish(applied_);
}

void ReadTable::forget_restored() {
  staged_->slots.clear();
}

}  // namespace annals::projection
