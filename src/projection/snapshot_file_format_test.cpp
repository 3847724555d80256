// The page docs/formats/snapshots.md and the code say the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_hex.hpp"
#include "base/test_page.hpp"
#include "platform/simulated.hpp"
#include "projection/snapshot_file.hpp"

namespace annals::projection {
namespace {

std::string snapshot_file_example() {
  platform::SimulatedFileSystem files;
  EXPECT_TRUE(files.create_directories("data"));
  const std::string path = "data/product.snapshots";
  const auto file = SnapshotFile::create(files, path, "product\nid: string\nstock: integer\n");
  const auto append = [&](std::uint64_t version, SharedText value) {
    const Snapshot snapshot{{StreamVersion{version}, std::move(value), Instant{1'770'890'400'000'000}},
                            Position{version + version / 4},
                            Uuid::version_7(Instant{1'770'890'400'000'000}, version, version)};
    std::string entry;
    (*file)->append_entry(entry, "a", snapshot);
    EXPECT_TRUE((*file)->append(entry));
  };
  append(10, SharedText(R"({"id":"a","stock":1})"));
  append(20, {});
  return platform::read_whole_file(files, path, 1 << 20).value();
}

TEST(snapshot_file_format, the_page_shows_what_the_code_writes) {
  const std::string text = written_page("docs/formats/snapshots.md");
  const std::string bytes = snapshot_file_example();
  std::size_t begin = 0;
  for (const std::size_t size : {36u, 64u + 1u + 20u, 64u + 1u}) {
    EXPECT_THAT(text, testing::HasSubstr(hex_lines(bytes.substr(begin, size), begin, HexText::none)));
    begin += size;
  }
  EXPECT_EQ(begin, bytes.size());
}

}  // namespace
}  // namespace annals::projection
