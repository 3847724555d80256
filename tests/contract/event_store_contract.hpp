#pragma once
// The contract of event/event_store.hpp as tests, one suite over every store of store_catalogue.cpp. The tests lie in
// append_contract.cpp, read_contract.cpp, time_contract.cpp, thread_contract.cpp, keep_contract.cpp and
// model_contract.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "event/event_store.hpp"
#include "platform/simulated.hpp"
#include "tests/contract/store_catalogue.hpp"

namespace annals::contract {

/// A world with a clock that stands still, and one store in it.
class EventStoreContract : public testing::TestWithParam<StoreUnderTest> {
 protected:
  EventStoreContract() { use_place_for(GroupSize::small); }

  /// Starts again with a fresh store.
  void use_place_for(GroupSize size);
  /// Closes the store and opens it again; only for stores that keep.
  void reopen();
  void close() { store_.reset(); }
  void open();
  [[nodiscard]] EventStore& store() { return *store_; }

  /// A store of the same kind in a place of its own.
  [[nodiscard]] std::pair<std::unique_ptr<StorePlace>, std::unique_ptr<EventStore>> make_other_store();

  [[nodiscard]] platform::Platform world() { return {clock_, dice_, platform::posix_files(), log_}; }

  platform::SimulatedClock clock_;
  platform::SimulatedRandom dice_{20'260'212};
  platform::CollectingLogger log_;

 private:
  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<EventStore> store_;
};

/// An event with a unique id whose data say `data`.
[[nodiscard]] NewEvent event_saying(std::string data);
/// A group of `count` events for one stream, which say "<stream> 1", "<stream> 2", ...
[[nodiscard]] Group group_for(std::string stream, ExpectedVersion expected = ExpectedVersion::any(),
                              std::size_t count = 1);
[[nodiscard]] StreamAppend append_for(std::string stream, ExpectedVersion expected = ExpectedVersion::any(),
                                      std::size_t count = 1);

/// Appends and waits for `done`.
[[nodiscard]] std::vector<AppendResult> append(EventStore& store, const std::vector<Group>& groups);
[[nodiscard]] AppendResult append(EventStore& store, const Group& group);
/// Appends what must succeed.
Appended record(EventStore& store, const Group& group);

/// An event that has been read, with its text.
struct Recorded {
  std::uint64_t position = 0;
  std::string stream;
  std::uint64_t version = 0;
  Uuid id;
  std::string type;
  std::string data;
  std::string metadata;
  Uuid correlation_id;
  std::optional<Uuid> causation_id;
  Instant created_at;

  bool operator==(const Recorded&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Recorded& event);
};
[[nodiscard]] Recorded copy_of(const EventView& event);

/// Everything, page by page.
[[nodiscard]] std::vector<Recorded> everything(const EventStore& store, PageLimit limit = {},
                                               Horizon horizon = Horizon::visible);
[[nodiscard]] std::vector<Recorded> stream_of(const EventStore& store, std::string_view stream);
[[nodiscard]] std::vector<std::uint64_t> versions_of(const EventPage& page);
[[nodiscard]] std::vector<std::uint64_t> positions_of(const EventPage& page);

/// The value of what must have one.
template <class T>
[[nodiscard]] T value_of(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
    return T{};
  }
  return *std::move(result);
}

MATCHER_P2(fails_with, kind, code, "fails with " + std::string(to_string(kind)) + " (" + std::string(code) + ")") {
  if (arg.has_value()) {
    *result_listener << "which succeeds";
    return false;
  }
  *result_listener << "whose error is " << to_string(arg.error().kind) << " (" << arg.error().code
                   << "): " << arg.error().message;
  return arg.error().kind == kind && arg.error().code == code;
}

inline auto conflicts() {
  return fails_with(ErrorKind::conflict, std::string_view("version_conflict"));
}

}  // namespace annals::contract
