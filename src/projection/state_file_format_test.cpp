// The page docs/formats/state_file.md and the code say the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/test_hex.hpp"
#include "base/test_page.hpp"
#include "projection/table_state.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

std::string state_file_example() {
  TestWorld world;
  ControlledStore store(world.platform());
  EXPECT_TRUE(world.files.create_directories("data"));
  const auto put_event = [&](const std::string& key, NewEvent event) {
    event.id = platform::make_uuid(world.clock.now(), world.random);
    record(store, "config-" + key, std::move(event));
    world.clock.advance(std::chrono::seconds(1));
  };
  put_event("color", set_event("red"));
  put_event("size", set_event("XL"));
  put_event("size", deleted_event());
  const model::Model config = model::Model::kv("config", {"/config"});
  ReadTable table(config);
  EXPECT_TRUE(table.apply(store.read_all(Position{}, Horizon::visible, PageLimit{})->events()));
  TableState state(table, config);
  EXPECT_TRUE(StateKeeper(state, "data/config.table", store, world.platform()).write_all());
  return *platform::read_whole_file(world.files, "data/config.table", 1 << 20);
}

TEST(state_file_format, the_page_shows_what_the_code_writes) {
  const std::string text = written_page("docs/formats/state_file.md");
  const std::string bytes = state_file_example();
  std::size_t begin = 0;
  for (const std::size_t size : {48u, 72u, 60u}) {
    EXPECT_THAT(text, testing::HasSubstr(hex_lines(bytes.substr(begin, size), begin, HexText::none)));
    begin += size;
  }
  EXPECT_EQ(begin, bytes.size());
}

}  // namespace
}  // namespace annals::projection
