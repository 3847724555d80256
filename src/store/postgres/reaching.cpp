// How PostgresStore comes to its database: at once, or, when it is away as the store is opened, later. Until then it
// stands on what is remembered: the epochs, by which cursors are known, and the checkpoints, which are of its events.

#include <algorithm>
#include <array>

#include "store/postgres/postgres_store.hpp"
#include "store/postgres/tables.hpp"

namespace annals::store {
namespace {

constexpr Duration after_failure = std::chrono::minutes{1};

}  // namespace

Result<> PostgresStore::start() {
  TRY(begin());
  reached_ = true;
  compare_with_known();
  // Not to be put off: what the file tells of another database would be believed when this one is away.
  if (const std::string& path = options_.known_path; !path.empty()) {
    TRY(platform_.files.create_directories(path.substr(0, path.rfind('/'))));
  }
  TRY(remember());
  begin_following();
  return {};
}

Result<> PostgresStore::start_away(const KnownDatabase& known, const Error& why) {
  std::erase_if(seen_, [&](const SeenFlushed& seen) {
    const auto position = locate(known.epochs, seen.cursor);
    return !position || position->value == 0;
  });
  if (seen_.empty()) return std::unexpected(why);
  take_epochs(known.epochs);
  for (const SeenFlushed& seen : seen_) publish(seen.cursor.position, seen.event);
  kept_.lock()->epochs = known.epochs.size();
  platform_.log.warning("The database cannot be used; what the checkpoints hold is served until it can be",
                        {{"error", std::string_view(why.message)}});
  {
    const auto condition = condition_.lock();
    condition->away = why.message;
    condition->away_code = why.code;
  }
  begin_following();
  return {};
}

void PostgresStore::begin_following() {
  follower_ = platform::make_thread_executor("postgres");
  follower_->post([this] { follow(); });
}

std::unexpected<Error> PostgresStore::tables_of_different_moments(const Before& before) const {
  return fail(ErrorKind::usage, "the " + destination_.text() +
                                    " has tables of different moments, as a restore of some "
                                    "of them leaves it: annals_store or annals_foreign "
                                    "accounts for events up to position " +
                                    to_string(before.accounted) + ", and the last one is at " + to_string(before.head) +
                                    "; restore all tables of one moment, or remove annals_store and annals_foreign, "
                                    "which are then made anew from the events");
}

/// Accounts for what others recorded, and makes visible what there is.
Result<> PostgresStore::begin() {
  const std::lock_guard writing(writer_mutex_);
  NamedStreams none;
  Locked locked = TRY(lock_whole(none));
  Before& before = locked.before;
  if (before.accounted > before.head) {
    (void)locked.lease->run(Sql::rollback);
    return tables_of_different_moments(before);
  }
  if (before.epochs == 0 && before.head.value > 0) {  // somebody restored the events alone
    const std::array calls{
        Call{Sql::insert_epoch, std::move(Parameters().add(std::int64_t{draw_epoch()}).add(std::int64_t{0}))}};
    (void)TRY(locked.lease->run(calls));
    before.epochs = 1;
  }
  TRY(locked.lease->run(Sql::commit));
  TRY(note(*locked.lease, {before.head, before.epochs, before.last}));
  (void)stamp_after(before);
  return {};
}

/// Begins once the database is there and is the one that is remembered.
Result<> PostgresStore::reach() {
  {
    const auto lease = TRY(following_.borrow());
    TRY(check_is_known(*lease));
  }
  TRY(begin());
  reached_ = true;
  return {};
}

Result<> PostgresStore::check_is_known(Connection& connection) const {
  const Tables tables = TRY(find_tables(connection, destination_, options_.schema));
  if (tables.is_standby) return std::unexpected(destination_.read_only());
  // A database without tables is not given any: the one that is remembered had them.
  if (!tables.has_published) return no_tables(destination_, options_.schema);
  if (!tables.has_annals) return another_database("Annals has never opened it");
  if (tables.dialect.data_type != dialect_.data_type || tables.dialect.metadata_type != dialect_.metadata_type) {
    return another_database("its events are kept as another type");
  }
  const std::vector<Epoch> epochs = TRY(read_epochs(connection));
  if (!continues(epochs, view_.lock()->epochs)) return another_database("its epochs are others");
  const Rows all = TRY(connection.run(std::array{ask_for({})})).front();
  if (all.size() == 0) return another_database("it has no stream $all");
  const Position head(static_cast<std::uint64_t>(all.integer(0, 0)));
  std::vector<const SeenFlushed*> removed;
  for (const SeenFlushed& seen : seen_) {
    const auto position = locate(epochs, seen.cursor);
    if (!position)
      return another_database("it went back and on from before position " + to_string(seen.cursor.position));
    const Rows rows = TRY(connection.run(Sql::event_at, std::move(Parameters().add(position->value))));
    if (rows.size() == 0 && head < *position) {
      return another_database("it has no event at position " + to_string(*position) + ", and ends at " +
                              to_string(head));
    }
    if (rows.size() == 0) {
      // It was removed by somebody; that the epochs go on is what tells the database then.
      removed.push_back(&seen);
      continue;
    }
    if (seen.event && rows.uuid(0, 0) != *seen.event) {
      return another_database("it has another event at position " + to_string(*position));
    }
  }
  for (const SeenFlushed* const seen : removed) {
    platform_.log.warning(
        "The event that a checkpoint ends with was removed from the database for good; what the checkpoint holds goes "
        "on being served, until the server is started again",
        {{"checkpoint", std::string_view(seen->path)}, {"position", seen->cursor.position.value}});
  }
  return {};
}

std::unexpected<Error> PostgresStore::another_database(const std::string& found) const {
  return fail(ErrorKind::conflict, "another_database",
              "the " + destination_.text() + " is not the one that the checkpoints beside " + options_.known_path +
                  " are of: " + found +
                  "; nothing is written to it; bring the other back, or restart the server to serve this one");
}

std::unexpected<Error> PostgresStore::not_reached() const {
  return fail(ErrorKind::unavailable, "database_away", condition_.lock()->away);
}

// --- What is remembered
// ------------------------------------------------------------------------------------------------

KnownDatabase PostgresStore::known_now() const {
  return {destination_.address(), dialect_.data_type, dialect_.metadata_type, view_.lock()->epochs};
}

/// Says so when the database is another one than this directory was used with.
void PostgresStore::compare_with_known() {
  if (options_.known_path.empty()) return;
  const auto known = read_known_database(platform_.files, options_.known_path);
  if (!known) return;
  const KnownDatabase now = known_now();
  if (*known == now) {
    kept_.lock()->epochs = now.epochs.size();
  } else if (!known->epochs.empty() && !continues(now.epochs, known->epochs)) {
    platform_.log.warning(
        "The database is not the one that this directory was used with, or it was set back; checkpoints of the other "
        "are not used, and the tables are made from the database",
        {{"database", std::string_view(now.address)}, {"before", std::string_view(known->address)}});
  }
}

Result<> PostgresStore::remember() {
  if (options_.known_path.empty()) return {};
  const auto kept = kept_.lock();
  const KnownDatabase known = known_now();
  if (kept->epochs == known.epochs.size()) return {};  // epochs only ever join
  TRY(write_known_database(platform_.files, options_.known_path, known));
  kept->epochs = known.epochs.size();
  return {};
}

/// As remember, but what fails is tried again a while later.
void PostgresStore::remember_soon() {
  const Duration now = platform_.clock.monotonic();
  if (now < kept_.lock()->not_before) return;
  const auto kept = remember();
  if (kept) return;
  kept_.lock()->not_before = now + after_failure;
  platform_.log.warning("What is known of the database could not be kept; a start while it is away may be refused",
                        {{"error", std::string_view(kept.error().message)}});
}

Result<> PostgresStore::close() {
  if (!reached_.load()) return {};
  kept_.lock()->not_before = Duration{0};
  remember_soon();
  return {};
}

}  // namespace annals::store
