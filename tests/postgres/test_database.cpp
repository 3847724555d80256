#include "tests/postgres/test_database.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

namespace annals::test {

std::string run_sql(const std::string& url, const std::string& sql, std::string* refusal) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  const bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
  if (refusal != nullptr) *refusal = good ? "" : PQerrorMessage(connection.get());
  EXPECT_TRUE(good || refusal != nullptr) << PQerrorMessage(connection.get()) << sql;
  std::string text;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    if (row > 0) text += "\n";
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      if (column > 0) text += "|";
      text += PQgetvalue(result.get(), row, column);
    }
  }
  return text;
}

PostgresTest::PostgresTest() {
  options_.url = server().url();
  options_.schema = unique_schema();
  options_.init = true;
}

platform::Platform PostgresTest::world() {
  return {platform::system_clock(), platform::system_random(), platform::posix_files(), log_};
}

std::unique_ptr<EventStore> PostgresTest::open() {
  auto opened = store::open_postgres_store(options_, world());
  if (!opened) throw std::runtime_error("the store does not open: " + opened.error().message);
  return *std::move(opened);
}

std::string PostgresTest::sql(const std::string& text) {
  return run_sql(server().url(), "SET search_path TO \"" + options_.schema + "\"; " + text);
}

std::string PostgresTest::refusal_of(const std::string& text) {
  std::string refusal;
  run_sql(server().url(), "SET search_path TO \"" + options_.schema + "\"; " + text, &refusal);
  return refusal;
}

std::vector<std::string> PostgresTest::told_on(const std::string& channel, std::size_t count,
                                               const std::function<void()>& work) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(server().url().c_str()), PQfinish);
  const std::string listen = "LISTEN \"" + options_.schema + "." + channel + "\"";
  PQclear(PQexec(connection.get(), listen.c_str()));
  work();
  std::vector<std::string> told;
  EXPECT_TRUE(comes_true([&] {
    PQclear(PQexec(connection.get(), "SELECT 1"));
    while (PGnotify* const notification = PQnotifies(connection.get())) {
      told.emplace_back(notification->extra);
      PQfreemem(notification);
    }
    return told.size() >= count;
  }));
  std::ranges::sort(told);
  return told;
}

std::vector<std::string> PostgresTest::everything(const EventStore& store) {
  std::vector<std::string> all;
  Position after;
  for (bool more = true; more;) {
    const EventPage page = value_of(store.read_all(after, Horizon::visible, {}));
    for (const EventView& event : page.events()) {
      all.push_back(to_string(event.position) + " " + std::string(event.stream) + "@" + to_string(event.version) + " " +
                    std::string(event.data));
      after = event.position;
    }
    more = page.more();
  }
  return all;
}

Group group_saying(std::string stream, std::string data, ExpectedVersion expected) {
  const Uuid id = platform::make_uuid(platform::system_clock().now(), platform::system_random());
  NewEvent event{.id = id,
                 .type = "Said",
                 .data = std::move(data),
                 .metadata = R"({"actor":"somebody"})",
                 .correlation_id = id,
                 .causation_id = std::nullopt};
  return {.appends = {{.stream = std::move(stream), .expected = expected, .events = {std::move(event)}}},
          .nothing_after = std::nullopt};
}

std::vector<AppendResult> append(EventStore& store, const std::vector<Group>& groups) {
  std::promise<std::vector<AppendResult>> promise;
  store.append(groups, [&promise](std::vector<AppendResult> results) { promise.set_value(std::move(results)); });
  return promise.get_future().get();
}

AppendResult append(EventStore& store, const Group& group) {
  return append(store, std::vector<Group>{group}).front();
}

bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace annals::test
