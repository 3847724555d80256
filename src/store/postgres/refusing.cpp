// What PostgresStore makes of appends that its database refuses although it answers: its disk is full, memory is short,
// somebody holds a lock that they wait for, a right was taken away.
//
// Whether that is over only an append can tell, and where health turns the clients away there is none: so the thread
// that follows rehearses one. It records an event as an append does, and rolls that back.

#include "store/postgres/postgres_store.hpp"

namespace annals::store {
namespace {

constexpr Duration rehearsal_pause = std::chrono::seconds{1};

}  // namespace

/// After refuse_all, of what has certainly not been recorded.
void PostgresStore::note_refusal(const Error& error) {
  {
    const auto condition = condition_.lock();
    condition->flush_found_nobody = is_lost(error) || !reached_.load() || !condition->displaced.empty();
    condition->has_room = error.code != disk_full;
  }
  if (!lacks_resources(error.code)) return;
  // Clients are not told in the words of the database.
  if (const auto held_back = shortage_told_.admit(platform_.clock.monotonic())) {
    platform_.log.error("The database has not enough room or memory to record; it is tried again all the time",
                        {{"error", std::string_view(error.message)}, {"held_back", *held_back}});
  }
}

void PostgresStore::note_flush(Duration took) {
  const auto condition = condition_.lock();
  condition->last_flush_ok = true;
  condition->has_room = true;
  condition->last_flush_duration = took;
}

/// Of the thread that follows: finds out whether the database takes again what it refused last.
void PostgresStore::rehearse() {
  std::uint64_t refused_count = 0;
  {
    const auto condition = condition_.lock();
    if (condition->last_flush_ok != false || condition->flush_found_nobody || !condition->doubt.empty()) return;
    refused_count = condition->refused_count;
  }
  const Duration now = platform_.clock.monotonic();
  if (rehearsed_at_ && now - *rehearsed_at_ < rehearsal_pause) return;
  rehearsed_at_ = now;
  const auto rehearsed = try_rehearsal(**listening_);
  // Whether the connection is lost, the next question tells.
  if (rehearsed || !is_lost(rehearsed.error())) (void)(*listening_)->run(Sql::rollback);
  if (!rehearsed) return;
  {
    const auto condition = condition_.lock();
    if (condition->last_flush_ok != false || condition->refused_count != refused_count) return;
    condition->last_flush_ok.reset();  // how the next one fares, it tells itself
    condition->has_room = true;
  }
  platform_.log.info("The database takes again what is recorded");
}

Result<> PostgresStore::try_rehearsal(Connection& connection) const {
  const std::vector<Call> locks{{Sql::begin}, {Sql::rehearsal}, {Sql::lock_all}, {Sql::lock_store}};
  (void)TRY(connection.run(locks));
  (void)TRY(reserve_streams(connection, 1));
  const Uuid id = platform::make_uuid(platform_.clock.now(), platform_.random);
  (void)TRY(connection.run(Sql::rehearse, std::move(Parameters().add(id))));
  return {};
}

}  // namespace annals::store
