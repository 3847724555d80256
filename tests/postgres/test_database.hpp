#pragma once
// What the tests of the PostgreSQL store share: a schema of their own, stores over it, and SQL by another way than the
// store's. Confined to one thread but where the store is asked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/simulated.hpp"
#include "store/postgres_store.hpp"
#include "tests/support/postgres_server.hpp"

namespace annals::test {

/// Runs a text of SQL with psql's rights over everything; the values of the last statement's rows, joined by "|" and
/// "\n".
/// Errors go to `refusal`, or fail the test when there is none.
std::string run_sql(const std::string& url, const std::string& sql, std::string* refusal = nullptr);

class PostgresTest : public testing::Test {
 protected:
  PostgresTest();

  /// Opens another store over the schema; fails the test when it cannot.
  [[nodiscard]] std::unique_ptr<EventStore> open();
  [[nodiscard]] store::PostgresOptions& options() { return options_; }
  [[nodiscard]] platform::Platform world();

  /// Within the schema.
  std::string sql(const std::string& text);
  /// What PostgreSQL says against a text; empty when it does not.
  std::string refusal_of(const std::string& text);
  /// The payloads that `channel` of the schema carries while `work` is done, `count` of them; sorted.
  std::vector<std::string> told_on(const std::string& channel, std::size_t count, const std::function<void()>& work);
  /// Every event as "position stream@version data".
  static std::vector<std::string> everything(const EventStore& store);

  static PostgresServer& server() { return PostgresServer::of_this_program(); }

  platform::CollectingLogger log_;

 private:
  store::PostgresOptions options_;
};

[[nodiscard]] Group group_saying(std::string stream, std::string data,
                                 ExpectedVersion expected = ExpectedVersion::any());
[[nodiscard]] std::vector<AppendResult> append(EventStore& store, const std::vector<Group>& groups);
[[nodiscard]] AppendResult append(EventStore& store, const Group& group);

/// Asks until it is so, for a minute at most.
bool comes_true(const std::function<bool()>& condition);

template <class T>
[[nodiscard]] T value_of(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
    return T{};
  }
  return *std::move(result);
}

}  // namespace annals::test
