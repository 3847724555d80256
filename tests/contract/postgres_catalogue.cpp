// The stores that the contract is held against with a PostgreSQL server of the program's own.

#include <string>

#include "store/postgres_store.hpp"
#include "tests/contract/store_catalogue.hpp"
#include "tests/support/postgres_server.hpp"

namespace annals::contract {
namespace {

/// A schema of its own in the database.
class PostgresPlace final : public StorePlace {
 public:
  explicit PostgresPlace(const platform::Platform& platform) : platform_(platform) {
    options_.url = test::PostgresServer::of_this_program().url();
    options_.schema = test::unique_schema();
    options_.pool_size = 6;
    options_.init = true;
  }

  [[nodiscard]] Result<std::unique_ptr<EventStore>> open() override {
    return store::open_postgres_store(options_, platform_);
  }

 private:
  const platform::Platform platform_;
  store::PostgresOptions options_;
};

constexpr StoreUnderTest catalogue[] = {
    {"postgres", true,
     [](const platform::Platform& platform, GroupSize) -> std::unique_ptr<StorePlace> {
       return std::make_unique<PostgresPlace>(platform);
     }},
};

}  // namespace

std::span<const StoreUnderTest> stores_under_test() {
  return catalogue;
}

}  // namespace annals::contract
