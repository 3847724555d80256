// What the memory store does beyond the contract of every store (tests/contract).

#include "store/memory_store.hpp"

#include <gtest/gtest.h>

#include "platform/simulated.hpp"

namespace annals::store {
namespace {

class MemoryStoreTest : public testing::Test {
 protected:
  static std::vector<Group> one_event() {
    return {{.appends = {{.stream = "a",
                          .expected = ExpectedVersion::any(),
                          .events = {{.id = {},
                                      .type = "Said",
                                      .data = "{}",
                                      .metadata = "{}",
                                      .correlation_id = {},
                                      .causation_id = {}}}}},
             .nothing_after = std::nullopt}};
  }

  platform::SimulatedClock clock_;
  platform::SimulatedRandom dice_{7};
  platform::SimulatedFileSystem files_;
  platform::CollectingLogger log_;
  const platform::Platform platform_{clock_, dice_, files_, log_};
};

TEST_F(MemoryStoreTest, success_means_memory_and_what_is_visible_counts_as_flushed) {
  const auto store = make_memory_store(platform_);
  EXPECT_EQ(store->durability(), Durability::memory);
  const auto groups = one_event();
  store->append(groups, [](const std::vector<AppendResult>& results) { EXPECT_TRUE(results.front()); });
  EXPECT_EQ(store->status().flushed, Position{1});
  EXPECT_EQ(files_.steps(), 0u) << "it touches no file";
}

TEST_F(MemoryStoreTest, an_append_is_answered_inside_the_call) {
  const auto store = make_memory_store(platform_);
  const auto groups = one_event();
  bool answered = false;
  store->append(groups, [&](const std::vector<AppendResult>&) { answered = true; });
  EXPECT_TRUE(answered);
}

TEST_F(MemoryStoreTest, a_clock_behind_the_log_is_an_alarm_once_a_minute_only) {
  const auto store = make_memory_store(platform_);
  const auto groups = one_event();
  const auto append = [&] { store->append(groups, [](const std::vector<AppendResult>&) {}); };
  append();
  clock_.set(clock_.now().plus(-std::chrono::hours(1)));
  for (int round = 0; round < 5; ++round) append();
  EXPECT_EQ(log_.lines().size(), 1u);
  clock_.advance(std::chrono::minutes(1));
  append();
  EXPECT_EQ(log_.lines().size(), 2u);
  clock_.advance(std::chrono::hours(1));
  append();
  EXPECT_EQ(log_.lines().size(), 2u);
}

TEST_F(MemoryStoreTest, an_epoch_is_never_0) {
  /// Dice that always fall on zero.
  class Zeros final : public platform::Random {
   public:
    [[nodiscard]] std::uint64_t next() override { return 0; }
  } zeros;
  const auto store = make_memory_store({clock_, zeros, files_, log_});
  EXPECT_NE(store->cursor(Position{1}).epoch, 0u);
}

}  // namespace
}  // namespace annals::store
