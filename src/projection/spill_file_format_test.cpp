// The page docs/formats/spill_file.md and the code say the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_hex.hpp"
#include "base/test_page.hpp"
#include "projection/spill_file.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

TEST(spill_file_format, the_page_shows_what_the_code_writes) {
  TestWorld world;
  ASSERT_TRUE(world.files.create_directories("data"));
  SpillFile file("data/product.rows", world.files);
  const std::vector<SpillFile::Entry> entries{{"lamp", StreamVersion{3}, R"({"id":"lamp","stock":7})"},
                                              {"torch", StreamVersion{1}, R"({"id":"torch","stock":0})"}};
  ASSERT_TRUE(file.write(entries));
  const std::string bytes = *platform::read_whole_file(world.files, "data/product.rows", 1 << 20);
  const std::string text = written_page("docs/formats/spill_file.md");
  std::size_t begin = 0;
  for (const std::size_t size : {16u, 49u, 51u}) {
    EXPECT_THAT(text, testing::HasSubstr(hex_lines(bytes.substr(begin, size), begin, HexText::none)));
    begin += size;
  }
  EXPECT_EQ(begin, bytes.size());
}

}  // namespace
}  // namespace annals::projection
