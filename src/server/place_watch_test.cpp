#include "server/place_watch.hpp"

#include <gtest/gtest.h>

#include "platform/simulated.hpp"
#include "store/embedded_store.hpp"

namespace annals::server {
namespace {

class PlaceWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = store::open_embedded_store({.directory = "data", .segment_bytes = 64u << 10},
                                             {clock, random, files, log}, background);
    ASSERT_TRUE(opened);
    store = *std::move(opened);
  }

  platform::SimulatedClock clock;
  platform::SimulatedRandom random{1};
  platform::SimulatedFileSystem files;
  platform::CollectingLogger log;
  platform::SteppedExecutor background{clock};
  std::unique_ptr<EventStore> store;
};

TEST_F(PlaceWatchTest, a_store_whose_directory_is_gone_is_found_out_without_being_asked) {
  const PlaceWatch watch(*store, background);
  for (int turn = 0; turn < 3; ++turn) EXPECT_TRUE(background.run_next_timer());
  EXPECT_TRUE(store->status().writable);
  ASSERT_TRUE(files.remove("data/LOCK"));
  EXPECT_TRUE(background.run_next_timer());
  EXPECT_FALSE(store->status().writable);
}

TEST_F(PlaceWatchTest, a_store_that_is_closed_is_not_asked) {
  {
    const PlaceWatch watch(*store, background);
  }
  store.reset();
  EXPECT_TRUE(background.run_next_timer());
  EXPECT_FALSE(background.run_next_timer());
}

}  // namespace
}  // namespace annals::server
