#include "projection/read_table.hpp"

#include <absl/container/btree_map.h>

#include <functional>
#include <mutex>
#include <shared_mutex>

#include "platform/reader_writer_lock.hpp"

namespace annals::projection {

struct ReadTable::Rows {
  absl::btree_map<std::string, model::Record, std::less<>> records;
  mutable platform::ReaderWriterLock lock;
};

ReadTable::ReadTable(const model::Model& model)
    : model_(model), rows_(std::make_unique<Rows>()), staged_(std::make_unique<Rows>()) {}
ReadTable::~ReadTable() = default;

model::Record ReadTable::get(std::string_view key) const {
  const std::shared_lock lock(rows_->lock);
  const auto found = rows_->records.find(key);
  return found == rows_->records.end() ? model::Record{} : found->second;
}

/// Calls `visit(key, record)` for the records asked for, in order, until it answers false.
template <class Visit>
void ReadTable::walk(std::string_view prefix, const std::optional<std::string>& after, Visit visit) const {
  const std::shared_lock lock(rows_->lock);
  const auto& records = rows_->records;
  auto row = after && *after >= prefix ? records.upper_bound(*after) : records.lower_bound(prefix);
  while (row != records.end() && row->first.starts_with(prefix) && visit(row->first, row->second)) ++row;
}

std::vector<ReadTable::Row> ReadTable::list(std::string_view prefix, const std::optional<std::string>& after,
                                            std::size_t limit) const {
  std::vector<Row> rows;
  if (limit == 0) return rows;
  walk(prefix, after, [&](const std::string& key, const model::Record& record) {
    if (record.exists()) rows.push_back({key, record});
    return rows.size() < limit;
  });
  return rows;
}

std::vector<std::string> ReadTable::keys(std::string_view prefix, const std::optional<std::string>& after,
                                         std::size_t limit) const {
  std::vector<std::string> keys;
  if (limit == 0) return keys;
  walk(prefix, after, [&](const std::string& key, const model::Record&) {
    keys.push_back(key);
    return keys.size() < limit;
  });
  return keys;
}

std::size_t ReadTable::size() const {
  const std::shared_lock lock(rows_->lock);
  return rows_->records.size();
}

Result<> ReadTable::take_in(const EventView& event, Rows& into) {
  const std::string_view key = key_of(event.stream);
  // Only the applier changes records, so the applier may look at them without the lock.
  const model::Record* before = nullptr;
  const auto found = into.records.find(key);
  if (found != into.records.end()) {
    before = &found->second;
  } else if (&into != rows_.get()) {
    const auto published = rows_->records.find(key);
    if (published != rows_->records.end()) before = &published->second;
  }
  auto next = model::evolve(model_, before ? *before : model::Record{}, event.type, event.data, event.version,
                            event.created_at);
  if (!next) {
    return fail(next.error().kind, "stream " + std::string(event.stream) + ", position " + to_string(event.position) +
                                       ": " + next.error().message);
  }
  const std::unique_lock lock(into.lock);
  if (found != into.records.end()) {
    std::swap(found->second, *next);  // so that the old value is freed after the lock is released
  } else {
    into.records.emplace(key, *std::move(next));
  }
  return {};
}

Result<> ReadTable::take_all(std::span<const EventView> events) {
  for (const EventView& event : events) {
    if (event.position <= applied_) continue;
    if (model_.owns_stream(event.stream)) TRY(take_in(event, *rows_));
    applied_ = event.position;
  }
  return {};
}

Result<> ReadTable::apply(std::span<const EventView> events) {
  auto taken = take_all(events);
  progress_.publish(applied_);
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
    for (auto& [key, record] : staged_->records) rows_->records[key] = std::move(record);
  }
  progress_.publish(applied_);
  if (watch_.anyone()) {
    std::vector<std::string_view> keys;
    for (const auto& [key, record] : staged_->records) keys.push_back(key);
    watch_.wake(keys);
  }
  staged_->records.clear();
}

}  // namespace annals::projection
