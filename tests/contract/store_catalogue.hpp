#pragma once
// The stores that the contract is held against. A new store is one entry in store_catalogue.cpp.

#include <memory>
#include <ostream>
#include <span>
#include <string_view>

#include "event/event_store.hpp"
#include "platform/platform.hpp"

namespace annals::contract {

/// Where one store lives for the length of a test: a directory, a simulated disk, a database, or nowhere.
class StorePlace {
 public:
  virtual ~StorePlace() = default;

  /// Opens the store of this place: the first time a fresh one, later (when the entry says that it keeps) what is
  /// there. One at a time.
  [[nodiscard]] virtual Result<std::unique_ptr<EventStore>> open() = 0;
};

/// How large the groups of a test get; a place may choose smaller files for small ones.
enum class GroupSize : std::uint8_t { small, up_to_the_limit };

struct StoreUnderTest {
  std::string_view name;  ///< snake_case; becomes a part of the tests' names
  bool keeps;             ///< what was recorded is there when the place is opened again
  std::unique_ptr<StorePlace> (*make_place)(const platform::Platform& platform, GroupSize size);

  friend std::ostream& operator<<(std::ostream& out, const StoreUnderTest& entry) { return out << entry.name; }
};

[[nodiscard]] std::span<const StoreUnderTest> stores_under_test();

}  // namespace annals::contract
