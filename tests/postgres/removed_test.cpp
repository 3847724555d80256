// Databases of which somebody has removed events for good: positions that hold no event any more.

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RemovedTest : public PostgresTest {
 protected:
  /// As the original service's library does it.
  void hard_delete(const std::string& stream) {
    sql("SET eventstore.enable_hard_deletes = 'on'; "
        "CREATE TEMP TABLE gone AS SELECT event_id FROM stream_events JOIN streams USING (stream_id) WHERE stream_uuid "
        "= '" +
        stream +
        "'; "
        "DELETE FROM stream_events WHERE event_id IN (SELECT event_id FROM gone); "
        "DELETE FROM events WHERE event_id IN (SELECT event_id FROM gone); "
        "DELETE FROM streams WHERE stream_uuid = '" +
        stream + "'");
  }
  /// As somebody does who removes one event and leaves the row of its stream.
  void remove_by_hand(Position position) {
    sql("SET eventstore.enable_hard_deletes = 'on'; "
        "CREATE TEMP TABLE gone AS SELECT event_id FROM stream_events WHERE stream_id = 0 AND stream_version = " +
        to_string(position) +
        "; "
        "DELETE FROM stream_events WHERE event_id IN (SELECT event_id FROM gone); "
        "DELETE FROM events WHERE event_id IN (SELECT event_id FROM gone)");
  }
  [[nodiscard]] static EventPage after(const EventStore& store, std::uint64_t position, PageLimit limit = {}) {
    return value_of(store.read_all(Position{position}, Horizon::visible, limit));
  }
  [[nodiscard]] static Position position_now(const EventStore& store) {
    return value_of(store.position_at(platform::system_clock().now().plus(std::chrono::hours(1))));
  }
};

TEST_F(RemovedTest, a_reader_goes_on_after_positions_that_hold_no_event_any_more) {
  auto store = open();
  for (const char* const stream : {"a", "gone", "a", "gone2", "gone3"})
    ASSERT_TRUE(append(*store, group_saying(stream, "1")));
  for (const char* const stream : {"gone", "gone2", "gone3"}) hard_delete(stream);
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_EQ(store->status().visible, Position{5}) << "a later event gets a later position";
    EXPECT_EQ(after(*store, 0).next_after(Position{0}), Position{5});
    EXPECT_EQ(after(*store, 0, {.events_max = 1}).next_after(Position{0}), Position{1}) << "there are more";
    EXPECT_EQ(after(*store, 1).next_after(Position{1}), Position{5});
    EXPECT_THAT(after(*store, 3).events(), IsEmpty());
    EXPECT_EQ(after(*store, 3).next_after(Position{3}), Position{5});
    EXPECT_EQ(after(*store, 5).next_after(Position{5}), Position{5});
    EXPECT_EQ(after(*store, 9).next_after(Position{9}), Position{9});
    EXPECT_EQ(position_now(*store), Position{3}) << "it is the position of an event";
    store = open();
  }
  EXPECT_EQ(value_of(append(*store, group_saying("gone", "2"))).versions.front(), StreamVersion{1});
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 1", "3 a@2 1", "6 gone@1 2"));
}

TEST_F(RemovedTest, a_store_opens_whose_only_event_stands_far_from_the_beginning) {
  {
    const auto store = open();
    for (int number = 0; number < 5; ++number) ASSERT_TRUE(append(*store, group_saying("gone", "1")));
    ASSERT_TRUE(append(*store, group_saying("a", "1")));
  }
  hard_delete("gone");
  // Before Annals, too: none of its own tables is there.
  for (const char* const annals : {"", "DROP TABLE annals_store, annals_epochs, annals_writers, annals_foreign"}) {
    if (*annals != 0) sql(annals);
    const auto store = open();
    EXPECT_THAT(everything(*store), ElementsAre("6 a@1 1"));
    EXPECT_EQ(position_now(*store), Position{6});
    EXPECT_EQ(value_of(store->position_at(platform::system_clock().now().plus(-std::chrono::hours(24)))), Position{});
  }
}

TEST_F(RemovedTest, a_store_opens_of_which_every_event_is_gone) {
  {
    const auto store = open();
    ASSERT_TRUE(append(*store, group_saying("gone", "1")));
  }
  hard_delete("gone");
  const auto store = open();
  EXPECT_EQ(position_now(*store), Position{});
  EXPECT_EQ(after(*store, 0).next_after(Position{}), Position{1});
  Group group = group_saying("a", "2");
  group.nothing_after = Position{1};
  EXPECT_EQ(value_of(append(*store, group)).first, Position{2});
}

TEST_F(RemovedTest, a_stream_whose_last_event_is_gone_is_at_the_version_before_and_gives_none_twice) {
  const auto store = open();
  for (const char* const data : {"1", "2", "3"}) ASSERT_TRUE(append(*store, group_saying("a", data)));
  remove_by_hand(Position{3});
  EXPECT_EQ(value_of(store->stream_version("a")), StreamVersion{2});
  EXPECT_EQ(append(*store, group_saying("a", "no", ExpectedVersion::exact(StreamVersion{1}))).error().code,
            "version_conflict");
  EXPECT_EQ(append(*store, group_saying("a", "no", ExpectedVersion::none())).error().code, "version_conflict");
  Group group = group_saying("a", "4", ExpectedVersion::exact(StreamVersion{2}));
  group.appends.front().known_at = Position{3};
  EXPECT_THAT(value_of(append(*store, group)).versions, ElementsAre(StreamVersion{4}));
  EXPECT_EQ(value_of(store->stream_version("a")), StreamVersion{4});
  EXPECT_TRUE(append(*store, group_saying("a", "5", ExpectedVersion::exact(StreamVersion{4}))));
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 1", "2 a@2 2", "4 a@4 4", "5 a@5 5"));
}

TEST_F(RemovedTest, who_has_taken_in_a_stream_that_was_removed_is_told_so) {
  const auto store = open();
  for (const char* const data : {"1", "2"}) ASSERT_TRUE(append(*store, group_saying("gone", data)));
  hard_delete("gone");
  Group group = group_saying("gone", "3", ExpectedVersion::exact(StreamVersion{2}));
  EXPECT_EQ(append(*store, group).error().code, "version_conflict");
  group.appends.front().known_at = Position{2};
  const auto refused = append(*store, group);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::gone);
  EXPECT_EQ(refused.error().code, "stream_removed");
  EXPECT_THAT(everything(*store), IsEmpty());
  EXPECT_TRUE(store->status().writable);
}

// What next_after rests on: whatever was not removed is seen once, in order, by who goes on by it while others record.
TEST_F(RemovedTest, a_reader_that_passes_over_positions_skips_nothing_that_is_recorded_meanwhile) {
  const auto store = open();
  const auto other = open();
  constexpr int appends = 200;
  std::atomic<int> running = 2;
  std::set<std::string> kept;
  std::mutex kept_mutex;
  const auto write = [&](EventStore& to, const std::string& name) {
    for (int number = 0; number < appends; ++number) {
      const std::string stream = name + std::to_string(number);
      EXPECT_TRUE(append(to, group_saying(stream, "1")));
      if (number % 4 == 0) {
        hard_delete(stream);
      } else {
        const std::lock_guard lock(kept_mutex);
        kept.insert(stream);
      }
    }
    --running;
  };
  std::thread one([&] { write(*store, "one"); });
  std::thread two([&] { write(*other, "two"); });
  std::map<std::string, int> seen;
  Position reached;
  for (bool last = false; !last;) {
    last = running == 0;
    while (true) {
      const EventPage page = after(*store, reached.value, {.events_max = 3});
      for (const EventView& event : page.events()) {
        EXPECT_GT(event.position, reached);
        reached = event.position;
        ++seen[std::string(event.stream)];
      }
      const Position next = page.next_after(reached);
      if (next == reached && page.events().empty()) break;
      reached = next;
    }
  }
  one.join();
  two.join();
  EXPECT_EQ(reached, Position{2 * appends});
  for (const std::string& stream : kept) EXPECT_EQ(seen[stream], 1) << stream;
}

}  // namespace
}  // namespace annals::test
