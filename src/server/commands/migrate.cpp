// `annals migrate`: copies every event of one store into another as it is, goes on where an interrupted copy ended, and
// compares the two in the end.

#include <algorithm>
#include <optional>

#include "base/invariant.hpp"
#include "base/wording.hpp"
#include "platform/logging.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/named_store.hpp"
#include "server/commands/progress.hpp"

namespace annals::server {
namespace {

constexpr PageLimit page_limit{5000, 8u << 20};

/// Goes through all events of a store.
class Walk {
 public:
  explicit Walk(const EventStore& store) : store_(store) {}

  /// The next event, borrowed until the next call; null at the end. Errors: those of EventStore::read_all.
  [[nodiscard]] Result<const EventView*> next() {
    if (at_ == page_.events().size()) {
      page_ = TRY(store_.read_all(after_, Horizon::flushed, page_limit));
      after_ = page_.next_after(after_);
      at_ = 0;
      if (page_.events().empty()) return nullptr;
    }
    return &page_.events()[at_++];
  }

 private:
  const EventStore& store_;
  EventPage page_;
  Position after_;
  std::size_t at_ = 0;
};

/// The times of a copy. Those of an Annals store increase; where another program wrote the source they need not, and
/// the copy of an event gets the first moment after the event before it.
class Times {
 public:
  [[nodiscard]] Instant next(Instant original) {
    const Instant time = last_ ? std::max(original, last_->plus(Duration{1})) : original;
    moved_ += time != original ? 1 : 0;
    last_ = time;
    return time;
  }
  [[nodiscard]] std::uint64_t moved() const { return moved_; }

 private:
  std::optional<Instant> last_;
  std::uint64_t moved_ = 0;
};

bool same(const EventView& one, const EventView& other) {
  return one.position == other.position && one.stream == other.stream && one.version == other.version &&
         one.id == other.id && one.type == other.type && one.data == other.data && one.metadata == other.metadata &&
         one.correlation_id == other.correlation_id && one.causation_id == other.causation_id &&
         one.created_at == other.created_at && one.node_id == other.node_id;
}

/// Looks whether a store's positions follow each other, as those of the copy will. Only a database that others wrote to
/// can have lost events from its midst. Errors: conflict.
Result<> check_without_gaps(const EventStore& store, const std::string& name) {
  Walk source(store);
  Position last;
  while (const EventView* event = TRY(source.next())) {
    if (event->position != last.next()) {
      return fail(
          ErrorKind::conflict,
          "events are missing in " + shown_store(name) + ": after position " + to_string(last) + " comes " +
              to_string(event->position) +
              ", as where a stream was deleted for good (a hard delete of the original service), and a copy has no "
              "places without events; nothing was copied. Serve the database where it is, or take its values without "
              "their history into a new store: `annals export` and `annals import`");
    }
    last = event->position;
  }
  return {};
}

class Migration {
 public:
  Migration(MigrateRequest request, const EventStore& from, EventStore& to)
      : request_(std::move(request)), from_(from), to_(to) {}

  /// Walks the source and the target side by side: what the target has must be what the source has, and what it lacks
  /// is copied.
  [[nodiscard]] Result<> copy() {
    Walk source(from_);
    Walk target(to_);
    Times times;
    Position last;
    std::vector<EventView> batch;
    while (const EventView* found = TRY(target.next())) {
      const EventView* original = TRY(source.next());
      TRY(compare(original, times, *found));
      ++there_;
      last = found->position;
    }
    Position after = to_.status().flushed;
    if (after != last) {
      return fail(ErrorKind::conflict,
                  "positions up to " + to_string(after) + " of " + shown_store(request_.to) +
                      " are given and hold no events after " + to_string(last) +
                      ", as where a stream was deleted for good; nothing was copied; name an empty store");
    }
    while (true) {
      const EventPage page = TRY(from_.read_all(after, Horizon::flushed, page_limit));
      if (page.events().empty()) break;
      batch = page.events();
      for (EventView& event : batch) event.created_at = times.next(event.created_at);
      TRY(to_.restore(batch));
      after = batch.back().position;
      copied_ += batch.size();
      progress_.count(batch.size());
    }
    moved_ = times.moved();
    end_ = after;
    return {};
  }

  /// Reads both again, from the start, and compares every event that was there. Errors: conflict, when others recorded
  /// in the source meanwhile; corrupt.
  [[nodiscard]] Result<> verify() const {
    Walk source(from_);
    Walk target(to_);
    Times times;
    while (const EventView* original = TRY(source.next())) {
      if (original->position > end_) {
        return fail(ErrorKind::conflict,
                    "events were recorded in " + shown_store(request_.from) + " meanwhile; those up to position " +
                        to_string(end_) +
                        " were copied and compared, and the others are missing in the copy: stop who records there, "
                        "and give the command again, which goes on from there");
      }
      const EventView* found = TRY(target.next());
      if (found == nullptr) {
        return fail(ErrorKind::corrupt, "the copy in " + shown_store(request_.to) + " ends before position " +
                                            to_string(original->position) + "; do not use it, and look after the disk");
      }
      TRY(compare(original, times, *found));
    }
    return {};
  }

  void tell() {
    std::string details;
    if (there_ > 0)
      details += "; " + std::to_string(there_) + std::string(for_number(there_, " was", " were")) + " there before";
    if (moved_ > 0)
      details += "; " + std::to_string(moved_) + " of all stood still or ran back in time, and were moved on";
    progress_.finish(copied_, details + "; all were compared");
  }

 private:
  [[nodiscard]] Result<> compare(const EventView* original, Times& times, const EventView& found) const {
    if (original != nullptr) {
      EventView expected = *original;
      expected.created_at = times.next(original->created_at);
      if (same(expected, found)) return {};
    }
    return fail(ErrorKind::conflict, shown_store(request_.to) + " holds other events than " +
                                         shown_store(request_.from) + ": they part at position " +
                                         to_string(found.position) +
                                         "; nothing more was copied; name an empty store, or a copy of this one");
  }

  const MigrateRequest request_;
  const EventStore& from_;
  EventStore& to_;
  Progress progress_{"copied", "event"};
  std::uint64_t there_ = 0;
  std::uint64_t copied_ = 0;
  std::uint64_t moved_ = 0;
  Position end_;  // of the copy
};

Result<> run(const MigrateRequest& request, const Settings& settings) {
  if (request.from == request.to) {
    return fail(ErrorKind::usage, "--from and --to name the same store, " + shown_store(request.from) + "; name two");
  }
  for (const std::string& name : {request.from, request.to}) TRY(check_store_name(name));
  const auto log = platform::make_json_logger(LogLevel::warning);
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  const auto background = platform::make_thread_executor("background");
  const auto source = TRY(open_named_store_to_read(request.from, settings, platform));
  // Before there is anything of the target.
  if (is_database(request.from)) TRY(check_without_gaps(*source, request.from));
  const auto target = TRY(open_named_store(request.to, settings, platform, *background));
  Migration migration(request, *source, *target);
  TRY(migration.copy());
  TRY(migration.verify());
  TRY(target->close());
  migration.tell();
  return {};
}

}  // namespace

int migrate(const MigrateRequest& request, const Settings& settings) {
  const auto migrated = run(request, settings);
  return migrated ? static_cast<int>(done) : report(migrated.error());
}

}  // namespace annals::server
