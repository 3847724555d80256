// The reading half of PostgresStore: pages, and questions about times.

#include <algorithm>
#include <array>

#include "store/postgres/postgres_store.hpp"

namespace annals::store {
namespace {

constexpr std::size_t page_events_max = 1'000'000;

std::int64_t clamped(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, INT64_MAX));
}

std::uint64_t count_of(const Rows& rows) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(rows.size() == 0 ? 0 : rows.integer(0, 0), 0));
}

void put_limit(Parameters& parameters, PageLimit limit) {
  parameters.add(clamped(std::clamp<std::size_t>(limit.events_max, 1, page_events_max))).add(clamped(limit.bytes_max));
}

/// The database's encoding lacks a character of the stream's name: then no stream in it has that name.
Result<Rows> none_if_untranslatable(Result<Rows> found) {
  if (!found && found.error().code == "22P05") return Rows();
  return found;
}

/// The page that one of the read_ statements gave; its text stays where libpq put it. Where nothing follows it, a
/// reader of everything has come to `reached` at least.
EventPage page_of(const Rows& rows, Position reached = {}) {
  std::vector<EventView> events;
  events.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    events.push_back({.position = Position(static_cast<std::uint64_t>(rows.integer(row, 0))),
                      .stream = rows.bytes(row, 1),
                      .version = StreamVersion(static_cast<std::uint64_t>(rows.integer(row, 2))),
                      .id = rows.uuid(row, 3),
                      .type = without_original_prefix(rows.bytes(row, 4)),
                      .data = rows.bytes(row, 5),
                      .metadata = rows.bytes(row, 6),
                      .correlation_id = rows.uuid(row, 7),
                      .causation_id = rows.is_null(row, 8) ? std::nullopt : std::optional(rows.uuid(row, 8)),
                      .created_at = rows.time(row, 9),
                      .node_id = static_cast<std::uint32_t>(rows.integer(row, 10))});
  }
  const bool more = rows.size() > 0 && rows.boolean(rows.size() - 1, 11);
  return EventPage(std::move(events), rows.storage(), more, more ? Position{} : reached);
}

}  // namespace

Result<EventPage> PostgresStore::read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                             PageLimit limit) const {
  const bool forward = direction == Direction::forward;
  const Statement& statement = forward ? Sql::read_stream_forward : Sql::read_stream_backward;
  Parameters parameters;
  parameters.add(stream).add(clamped(from.value));
  put_limit(parameters, limit);
  return page_of(TRY(
      read([&](Connection& connection) { return none_if_untranslatable(ask(connection, statement, parameters)); })));
}

// Why no event ever comes at a position up to `seen.head` that has none in this page, be it in between or at its end,
// after a hard delete:
//
//   Every append, also of the original service, holds the lock on the row of `$all` from before it takes its positions,
//   which are those after the row's version, until the commit that raises the version to the last of them. So in any
//   snapshot the version says H only if every transaction that was given a position up to H is committed in it, and no
//   later one is given such a position: the version does not go back. `seen.head` was the version in a snapshot that
//   was taken before this read began, and what one snapshot has, every later one of the same server has. That it is
//   still the same server and no older state of it, the question behind the page tells. So what the page's snapshot
//   does not have up to `seen.head` was removed, or never recorded.
//
// What has been recorded since `seen` is read the next time, although the page may have some of it.
Result<EventPage> PostgresStore::read_all(Position after, Horizon, PageLimit limit) const {
  Parameters parameters;
  parameters.add(clamped(after.value)).add(std::int64_t{INT64_MAX});
  put_limit(parameters, limit);
  // How far the events reach is asked after the page was read, so that nobody holds an event that is not visible yet.
  return read([&](Connection& connection) -> Result<EventPage> {
    const Seen seen = this->seen();
    const std::array calls{Call{Sql::read_all, parameters}, ask_for(seen)};
    const std::vector<Rows> rows = TRY(connection.run(calls));
    const Outlook found = TRY(outlook(rows[1], seen));
    TRY(note(connection, found));
    return page_of(rows[0], seen.head);
  });
}

Result<StreamVersion> PostgresStore::stream_version(std::string_view stream) const {
  const auto rows = TRY(read([&](Connection& connection) {
    return none_if_untranslatable(ask(connection, Sql::stream_version, std::move(Parameters().add(stream))));
  }));
  return StreamVersion(count_of(rows));
}

Result<Position> PostgresStore::position_at(Instant time) const {
  const auto rows = TRY(read(
      [&](Connection& connection) { return ask(connection, Sql::position_at, std::move(Parameters().add(time))); }));
  return Position(count_of(rows));
}

Result<StreamVersion> PostgresStore::version_at(std::string_view stream, Instant time) const {
  // By way of the position, so that a stream's times are those of the whole, which never run back.
  const Position position = TRY(position_at(time));
  const auto rows = TRY(read([&](Connection& connection) {
    return none_if_untranslatable(
        ask(connection, Sql::version_at, std::move(Parameters().add(stream).add(clamped(position.value)))));
  }));
  return StreamVersion(count_of(rows));
}

Result<> PostgresStore::settle(Instant time) {
  if (time > platform_.clock.now()) return {};
  {
    const auto times = times_.lock();
    times->settled = std::max(times->settled, time);
    // Whoever stamps stamps after these anyway.
    if (time < times->last || time <= times->settled_there) return {};
  }
  if (const std::string why = condition_.lock()->lost; !why.empty()) return settle_unwritten(time, why);
  // For the other servers. Waits for an append that is under way, which holds the row; one that is not over after 10 s
  // may still be stamped before.
  (void)TRY(read([&](Connection& connection) -> Result<Rows> {
    const Seen seen = this->seen();
    Parameters parameters;
    parameters.add(time).add(seen.position.value).add(seen.event);
    return ask(connection, Sql::settle, std::move(parameters));
  }));
  const auto times = times_.lock();
  times->settled_there = std::max(times->settled_there, time);
  return {};
}

/// For who may only read: what was recorded or settled after it settles a time, too.
Result<> PostgresStore::settle_unwritten(Instant time, const std::string& why) const {
  const Rows rows = TRY(read([&](Connection& connection) { return ask(connection, Sql::settled, {}); }));
  if (rows.size() > 0 && time <= std::max(rows.time(0, 0), rows.time(0, 1))) return {};
  return fail(ErrorKind::unavailable, "not_settled",
              "nothing has been recorded after it yet, and " + why +
                  "; ask as a user who has UPDATE on the table annals_store, or about a time before the last event");
}

}  // namespace annals::store
