#include "projection/snapshots.hpp"

#include <absl/container/btree_set.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "base/invariant.hpp"
#include "base/throttle.hpp"
#include "model/record_text.hpp"

namespace annals::projection {
namespace {

// Some 3,000 entries, whose places readers wait for.
constexpr std::size_t write_bytes = 256u << 10;
constexpr std::size_t entries_at_once = 3000;
constexpr Duration between_warnings = std::chrono::minutes(1);

struct ByKeyAndVersion {
  bool operator()(const SnapshotFile::Place& left, const SnapshotFile::Place& right) const {
    return std::pair(left.key_hash, left.version) < std::pair(right.key_hash, right.version);
  }
};
using Places = absl::btree_set<SnapshotFile::Place, ByKeyAndVersion>;

/// A file and what is in it.
struct Generation {
  std::shared_ptr<const SnapshotFile> file;  // shared with readers, who read without the lock; null: there is none
  Places places;

  /// The last place of a key at or before a version.
  [[nodiscard]] const SnapshotFile::Place* find(std::uint64_t key_hash, StreamVersion last) const {
    auto after = places.upper_bound({key_hash, last, 0});
    if (after == places.begin()) return nullptr;
    --after;
    return after->key_hash == key_hash ? &*after : nullptr;
  }
  void forget(std::uint64_t key_hash, StreamVersion from) {
    places.erase(places.lower_bound({key_hash, from, 0}), places.upper_bound({key_hash, StreamVersion{UINT64_MAX}, 0}));
  }
};

struct Waiting {
  std::string key;
  Snapshot snapshot;
};

/// Of one that is in no file yet.
SnapshotFile::Place place_of(std::string_view key, const Snapshot& snapshot) {
  return {SnapshotFile::hash_of(key), snapshot.record.version, 0};
}

/// What readers and those who hand in touch.
struct State {
  Generation young;
  Generation old;
  std::vector<Waiting> waiting;
  Places coming;  // of them and of those that are being written
  std::size_t waiting_bytes = 0;
  bool posted = false;  // a task that writes what waits
  bool stopped = false;
  std::uint64_t young_bytes = 0;
  std::uint64_t old_bytes = 0;
};

}  // namespace

// Every task takes `working` and looks at `stopped` first; `stop` sets it under the same mutex. So after `stop` has
// returned no task touches a file, although tasks may still lie in the executor.
struct Snapshots::Core : std::enable_shared_from_this<Snapshots::Core> {
  Core(const model::Model& model, std::string the_path, platform::Platform the_platform,
       platform::Executor& the_executor, SnapshotLimits the_limits)
      : name(model.name),
        form(model.name + "\n" + model::row_form_of(model)),
        every(model.snapshot_every),
        path(std::move(the_path)),
        old_path(path + ".old"),
        platform(the_platform),
        executor(the_executor),
        limits(the_limits) {}

  void post() {
    executor.post([self = shared_from_this()] {
      const std::lock_guard lock(self->working);
      if (!self->stopped) self->write_waiting();
    });
  }

  // --- On the executor, or in stop: under `working` ---

  void write_waiting() {
    if (!std::exchange(loaded, true)) load();
    std::vector<Waiting> taken;
    {
      const auto now = state.lock();
      taken.swap(now->waiting);
      now->waiting_bytes = 0;
      now->posted = false;
    }
    if (taken.empty()) return;
    look_for_file();
    if (auto done = write(taken); !done) failed(done.error());
    // Not before: what is handed in again meanwhile would be written twice.
    for (std::span<const Waiting> rest = taken; !rest.empty();
         rest = rest.subspan(std::min(rest.size(), entries_at_once))) {
      const auto now = state.lock();
      for (const Waiting& one : rest.first(std::min(rest.size(), entries_at_once)))
        now->coming.erase(place_of(one.key, one.snapshot));
    }
  }

  void load() {
    if (path.empty()) return;
    for (const bool is_old : {true, false}) {
      const std::string& from = is_old ? old_path : path;
      Generation found;
      auto file = SnapshotFile::open(platform.files, from, form, [&](const SnapshotFile::Place& place) {
        // Of two of one version the later was written because the earlier would not do.
        if (const auto [at, fresh] = found.places.insert(place); !fresh) {
          found.places.erase(at);
          found.places.insert(place);
        }
      });
      if (!file) {
        if (file.error().kind != ErrorKind::not_found) dropped(from, file.error());
        continue;
      }
      const std::uint64_t bytes = (*file)->end();
      std::shared_ptr<SnapshotFile> shared = *std::move(file);
      found.file = shared;
      if (!is_old) writing = std::move(shared);
      const auto now = state.lock();
      (is_old ? now->old_bytes : now->young_bytes) = bytes;
      (is_old ? now->old : now->young) = std::move(found);
    }
  }

  void dropped(const std::string& file, const Error& error) const {
    platform.log.info("Snapshots are of no use and are made anew from the log",
                      {{"model", std::string_view(name)}, {"error", std::string_view(error.message)}});
    // Where it cannot be removed, it is passed over again at the next start.
    if (error.kind != ErrorKind::input_output) (void)platform.files.remove(file);
  }

  void failed(const Error& error) {
    if (!warnings.admit(platform.clock.monotonic())) return;
    platform.log.warning("Snapshots could not be written; reads of the past fold more events",
                         {{"model", std::string_view(name)}, {"error", std::string_view(error.message)}});
  }

  /// Somebody may have removed the file: then nobody would find again what is written into it.
  void look_for_file() {
    if (path.empty() || !writing || platform.files.exists(path).value_or(true)) return;
    take_young({}, 0);
    writing = nullptr;
  }

  /// Gives the young generation up for another.
  Generation take_young(Generation fresh, std::uint64_t bytes) {
    const auto now = state.lock();
    now->young_bytes = bytes;
    return std::exchange(now->young, std::move(fresh));
  }

  [[nodiscard]] Result<> begin() {
    if (path.empty()) {
      writing = SnapshotFile::in_memory();
    } else {
      TRY(platform::make_directory_again(platform.files, path));
      writing = TRY(SnapshotFile::create(platform.files, path, form));
    }
    take_young({writing, {}}, writing->end());
    return {};
  }

  /// Makes the young generation the old one, and begins another. Places and files go without the lock: they are many.
  [[nodiscard]] Result<> turn_over() {
    if (!path.empty()) TRY(platform.files.rename(path, old_path));
    const std::uint64_t bytes = writing->end();
    writing = nullptr;
    Generation before = take_young({}, 0);
    {
      const auto now = state.lock();
      std::swap(now->old, before);
      now->old_bytes = bytes;
    }
    return begin();
  }

  [[nodiscard]] Result<> write(const std::vector<Waiting>& all) {
    std::string bytes;
    std::vector<SnapshotFile::Place> places;
    const auto write_out = [&]() -> Result<> {
      if (places.empty()) return {};
      TRY(writing->append(bytes));
      written += places.size();
      const auto now = state.lock();
      now->young_bytes = writing->end();
      for (const SnapshotFile::Place& place : places) now->young.places.insert(place);
      places.clear();
      bytes.clear();
      return {};
    };
    if (!writing) TRY(begin());
    for (const Waiting& one : all) {
      const std::uint64_t size = SnapshotFile::bytes_of(one.key, one.snapshot);
      if (size > limits.file_bytes_max) continue;
      if (is_full(bytes.size() + size, places.size())) {
        TRY(write_out());
        TRY(turn_over());
      }
      places.push_back({SnapshotFile::hash_of(one.key), one.snapshot.record.version, writing->end() + bytes.size()});
      writing->append_entry(bytes, one.key, one.snapshot);
      if (bytes.size() >= write_bytes) TRY(write_out());
    }
    return write_out();
  }

  [[nodiscard]] bool is_full(std::uint64_t further_bytes, std::size_t further_entries) const {
    const std::size_t entries = state.lock()->young.places.size() + further_entries;
    return entries > 0 &&
           (writing->end() + further_bytes > limits.file_bytes_max || entries >= limits.file_entries_max);
  }

  // --- Any thread ---

  /// True once a task is to be posted.
  [[nodiscard]] bool take(std::string_view key, Snapshot snapshot) {
    const std::uint64_t bytes = SnapshotFile::bytes_of(key, snapshot);
    const SnapshotFile::Place place = place_of(key, snapshot);
    const auto now = state.lock();
    if (now->stopped || now->young.places.contains(place) || now->waiting_bytes + bytes > limits.waiting_bytes_max)
      return false;
    if (!now->coming.insert(place).second) return false;
    now->waiting_bytes += bytes;
    now->waiting.push_back({std::string(key), std::move(snapshot)});
    return !std::exchange(now->posted, true);
  }

  const std::string name;
  const std::string form;
  const std::uint64_t every;
  const std::string path;
  const std::string old_path;
  const platform::Platform platform;
  platform::Executor& executor;
  const SnapshotLimits limits;

  std::mutex working;
  bool stopped = false;  // under working, as these
  bool loaded = false;
  std::shared_ptr<SnapshotFile> writing;  // the file of the young generation; null until there is something to write
  Throttle warnings{between_warnings};

  Guarded<State> state;
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> used{0};
};

Snapshots::Snapshots(const model::Model& model, std::string path, platform::Platform platform,
                     platform::Executor& executor, SnapshotLimits limits)
    : core_(std::make_shared<Core>(model, std::move(path), platform, executor, limits)) {
  INVARIANT(model.snapshot_every > 0, "a model without snapshots has nobody who keeps them");
}

Snapshots::~Snapshots() {
  stop();
}

void Snapshots::start() {
  if (!core_->path.empty()) core_->post();
}

void Snapshots::stop() {
  const std::lock_guard lock(core_->working);
  if (core_->stopped) return;
  core_->state.lock()->stopped = true;
  core_->write_waiting();
  core_->stopped = true;
}

std::uint64_t Snapshots::every() const {
  return core_->every;
}

std::optional<Snapshot> Snapshots::nearest(std::string_view key, StreamVersion last) {
  const std::uint64_t key_hash = SnapshotFile::hash_of(key);
  while (true) {
    std::shared_ptr<const SnapshotFile> file;
    SnapshotFile::Place place;
    bool from_old = false;
    {
      const auto now = core_->state.lock();
      const SnapshotFile::Place* young = now->young.find(key_hash, last);
      const SnapshotFile::Place* old = now->old.find(key_hash, last);
      if (young == nullptr && old == nullptr) return std::nullopt;
      from_old = young == nullptr || (old != nullptr && old->version > young->version);
      place = from_old ? *old : *young;
      file = from_old ? now->old.file : now->young.file;
    }
    auto read = file->read(place, key);
    if (read) {
      ++core_->used;
      if (from_old) offer(key, *read);
      return *std::move(read);
    }
    // What cannot be read is made anew by whoever misses it.
    const auto now = core_->state.lock();
    for (Generation* generation : {&now->young, &now->old}) {
      if (generation->file == file) generation->places.erase(place);
    }
  }
}

void Snapshots::forget(std::string_view key, StreamVersion from) {
  const std::uint64_t key_hash = SnapshotFile::hash_of(key);
  const auto now = core_->state.lock();
  now->young.forget(key_hash, from);
  now->old.forget(key_hash, from);
}

void Snapshots::offer(std::string_view key, Snapshot snapshot) {
  if (core_->take(key, std::move(snapshot))) core_->post();
}

SnapshotStatus Snapshots::status() const {
  SnapshotStatus status{core_->written.load(), core_->used.load(), 0};
  const auto now = core_->state.lock();
  status.bytes = now->young_bytes + now->old_bytes;
  return status;
}

}  // namespace annals::projection
