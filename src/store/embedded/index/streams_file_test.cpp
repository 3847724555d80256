// The page FORMAT.md and the code say the same of streams files, and nothing that was not written is believed.

#include "store/embedded/index/streams_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iomanip>
#include <map>
#include <sstream>

#include "base/test_page.hpp"
#include "log/test_world.hpp"
#include "store/embedded/index/streams_builder.hpp"

namespace annals::store {
namespace {

using testing::Eq;
using testing::HasSubstr;

StreamsFooter footer_of(SegmentSpan span, const std::vector<std::uint64_t>& salts) {
  StreamsFooter footer;
  footer.store = Uuid{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  footer.span = span;
  footer.salts = digest_of_salts(salts);
  return footer;
}

struct World : log::TestWorld {
  PageCache cache{64};

  std::shared_ptr<const StreamsFile> build(const StreamsFooter& footer,
                                           std::vector<std::unique_ptr<StreamSource>> sources,
                                           std::size_t step_bytes = 1) {
    StreamsBuilder builder(files, "index", footer, std::move(sources));
    for (;;) {
      const auto done = builder.step(step_bytes);
      EXPECT_TRUE(done) << done.error().message;
      if (!done) return nullptr;
      if (*done) break;
    }
    auto file = StreamsFile::open(files, builder.path(), cache, footer);
    EXPECT_TRUE(file) << file.error().message;
    return file.value();
  }
  std::unique_ptr<StreamSource> memory(SegmentStreams streams) {
    return source_of(std::make_shared<const SegmentStreams>(std::move(streams)), hash_seed(footer_of({}, {}).store));
  }
  StreamHash hash(std::string_view stream) { return hash_stream(stream, hash_seed(footer_of({}, {}).store)); }
};

SegmentStreams example_streams() {
  SegmentStreams streams;
  EXPECT_TRUE(streams.add("config-color", StreamVersion{1}, Address({0, 4160}, 0)));
  EXPECT_TRUE(streams.add("config-color", StreamVersion{2}, Address({0, 4160}, 1)));
  EXPECT_TRUE(streams.add("config-size", StreamVersion{5}, Address({0, 4432}, 0)));
  return streams;
}

/// Sixteen bytes a line; lines of zeros left out.
std::string hex_without_zeros(std::string_view bytes) {
  std::ostringstream out;
  out << std::hex << std::setfill('0');
  bool left_out = false;
  for (std::size_t line = 0; line < bytes.size(); line += 16) {
    const std::string_view sixteen = bytes.substr(line, 16);
    if (sixteen.find_first_not_of('\0') == std::string_view::npos) {
      if (!left_out) out << "    ...   (zeros)\n";
      left_out = true;
      continue;
    }
    left_out = false;
    out << "    " << std::setw(4) << line << ' ';
    std::string text;
    for (std::size_t at = 0; at < sixteen.size(); ++at) {
      const auto byte = static_cast<unsigned char>(sixteen[at]);
      out << (at % 8 == 0 ? " " : "") << std::setw(2) << static_cast<int>(byte) << ' ';
      text += byte > 32 && byte < 127 ? static_cast<char>(byte) : '.';
    }
    out << ' ' << text << '\n';
  }
  return out.str();
}

TEST(StreamsFile, the_page_shows_the_bytes_that_are_written) {
  World world;
  std::vector<std::unique_ptr<StreamSource>> sources;
  sources.push_back(world.memory(example_streams()));
  (void)world.build(footer_of({0, 0}, {7}), std::move(sources));
  const std::string written =
      hex_without_zeros(platform::read_whole_file(world.files, "index/0000000-0000000.streams", 1u << 20).value());
  const std::string page = written_page("src/store/embedded/FORMAT.md");
  EXPECT_NE(page.find(written), std::string::npos) << "FORMAT.md should end with:\n\n" << written;
}

TEST(StreamsFile, finds_each_stream_of_several_merged_files_and_no_other) {
  World world;
  platform::SimulatedRandom dice(3);
  std::map<std::string, std::vector<Address>> wanted;
  std::vector<std::unique_ptr<StreamSource>> merged;
  constexpr std::uint32_t files = 5;
  for (std::uint32_t segment = 0; segment < files; ++segment) {
    SegmentStreams streams;
    for (std::uint32_t event = 0; event < 4'000; ++event) {
      const std::string name = event % 4 == 0 ? "config-hot" : "config-" + std::to_string(dice.below(2'500));
      auto& addresses = wanted[name];
      addresses.emplace_back(log::Place{segment, 4096 + event * 64}, event % 3);
      ASSERT_TRUE(streams.add(name, StreamVersion{addresses.size()}, addresses.back()));
    }
    std::vector<std::unique_ptr<StreamSource>> sources;
    sources.push_back(world.memory(std::move(streams)));
    const auto file = world.build(footer_of({segment, segment}, {segment}), std::move(sources), 1u << 20);
    ASSERT_TRUE(file);
    merged.push_back(source_of(file).value());
  }
  const auto file = world.build(footer_of({0, files - 1}, {0, 1, 2, 3, 4}), std::move(merged));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->footer().entries, wanted.size());
  EXPECT_EQ(file->footer().addresses, files * 4'000u);
  for (const auto& [name, addresses] : wanted) {
    const auto entry = file->find(world.hash(name)).value();
    ASSERT_TRUE(entry) << name;
    EXPECT_EQ(entry->first, StreamVersion{1});
    ASSERT_EQ(entry->count, addresses.size());
    for (std::size_t at = 0; at < addresses.size(); ++at) ASSERT_EQ(file->address(*entry, at).value(), addresses[at]);
  }
  std::size_t passed = 0;
  std::string bloom =
      file->read_pages(file->footer().address_pages() + file->footer().entry_pages(), file->footer().bloom_pages())
          .value();
  bloom.resize(file->footer().bloom_blocks * bloom_block_bytes);
  for (int other = 0; other < 10'000; ++other) {
    const StreamHash hash = world.hash("other-" + std::to_string(other));
    EXPECT_THAT(file->find(hash).value(), Eq(std::nullopt));
    passed += bloom_may_have(bloom, hash);
  }
  EXPECT_LT(passed, 300u) << "the filter lets too much pass";
}

TEST(StreamsFile, does_not_merge_what_does_not_continue) {
  World world;
  SegmentStreams gap;
  ASSERT_TRUE(gap.add("config-color", StreamVersion{4}, Address({1, 4160}, 0)));
  std::vector<std::unique_ptr<StreamSource>> sources;
  sources.push_back(world.memory(example_streams()));
  sources.push_back(world.memory(std::move(gap)));
  StreamsBuilder builder(world.files, "index", footer_of({0, 1}, {7, 8}), std::move(sources));
  const auto done = builder.step(1u << 20);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::corrupt);
  builder.clear_away();
  EXPECT_TRUE(world.files.list("index").value().empty());
}

TEST(StreamsFile, of_which_a_bit_is_flipped_or_bytes_are_missing_is_not_believed) {
  World world;
  std::vector<std::unique_ptr<StreamSource>> sources;
  sources.push_back(world.memory(example_streams()));
  const StreamsFooter footer = footer_of({0, 0}, {7});
  const std::string path = world.build(footer, std::move(sources))->path();
  std::uint64_t digest = 0;
  const SegmentStreams streams = example_streams();
  for (const auto& [name, stretch] : streams.streams()) {
    for (std::size_t at = 0; at < stretch.addresses.size(); ++at) {
      digest += event_digest(world.hash(name), StreamVersion{stretch.first.value + at}, stretch.addresses[at].bits());
    }
  }
  const auto check = [&] { return check_streams_file(world.files, path, world.cache, footer, digest); };
  ASSERT_TRUE(check());
  EXPECT_FALSE(check_streams_file(world.files, path, world.cache, footer, digest + 1));
  EXPECT_FALSE(check_streams_file(world.files, path, world.cache, footer_of({0, 0}, {8}), digest));
  const std::string good = platform::read_whole_file(world.files, path, 1u << 20).value();
  ASSERT_EQ(good.size(), 4 * page_bytes);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    const auto flip = [&](std::string& all) { all[bit / 8] = static_cast<char>(all[bit / 8] ^ (1 << (bit % 8))); };
    world.files.damage(path, flip);
    const auto checked = check();
    ASSERT_FALSE(checked) << "bit " << bit;
    ASSERT_EQ(checked.error().kind, ErrorKind::corrupt);
    ASSERT_THAT(checked.error().message, HasSubstr(path));
    world.files.damage(path, flip);
  }
  for (std::size_t size = 0; size < good.size(); size += 97) {
    world.files.damage(path, [&](std::string& all) { all = good.substr(0, size); });
    ASSERT_FALSE(check()) << size << " bytes";
  }
}

TEST(StreamsFile, that_is_wrong_with_checksums_that_are_right_is_told_from_what_the_log_says) {
  const auto built = [](World& world, const SegmentStreams& streams) {
    std::vector<std::unique_ptr<StreamSource>> sources;
    sources.push_back(world.memory(streams));
    (void)world.build(footer_of({0, 0}, {7}), std::move(sources));
  };
  std::uint64_t digest = 0;
  World right;
  digest += event_digest(right.hash("config-color"), StreamVersion{1}, Address({0, 4160}, 0).bits());
  digest += event_digest(right.hash("config-color"), StreamVersion{2}, Address({0, 4160}, 1).bits());
  digest += event_digest(right.hash("config-size"), StreamVersion{5}, Address({0, 4432}, 0).bits());
  built(right, example_streams());
  const std::string path = "index/0000000-0000000.streams";
  EXPECT_TRUE(check_streams_file(right.files, path, right.cache, footer_of({0, 0}, {7}), digest));
  // An event less, one more, another place, another version, another stream.
  for (int wrong = 0; wrong < 5; ++wrong) {
    World world;
    SegmentStreams streams;
    EXPECT_TRUE(streams.add("config-color", StreamVersion{1}, Address({0, wrong == 2 ? 4168u : 4160u}, 0)));
    if (wrong != 0) {
      EXPECT_TRUE(streams.add("config-color", StreamVersion{2}, Address({0, 4160}, 1)));
    }
    EXPECT_TRUE(streams.add(wrong == 4 ? "config-shape" : "config-size", StreamVersion{wrong == 3 ? 4u : 5u},
                            Address({0, 4432}, 0)));
    if (wrong == 1) {
      EXPECT_TRUE(streams.add("config-size", StreamVersion{6}, Address({0, 4432}, 1)));
    }
    built(world, streams);
    const auto checked = check_streams_file(world.files, path, world.cache, footer_of({0, 0}, {7}), digest);
    ASSERT_FALSE(checked) << wrong;
    EXPECT_THAT(checked.error().message, HasSubstr("does not say what the log says"));
  }
}

// As a program that is wrong could write it: with checksums that are right.
TEST(StreamsFile, whose_counts_no_file_of_its_size_has_is_not_opened) {
  World world;
  std::vector<std::unique_ptr<StreamSource>> sources;
  sources.push_back(world.memory(example_streams()));
  const auto file = world.build(footer_of({0, 0}, {7}), std::move(sources));
  const StreamsFooter good = file->footer();
  const auto opens = [&](std::uint64_t addresses, std::uint64_t entries, std::uint64_t bloom_blocks) {
    StreamsFooter footer = good;
    footer.addresses = addresses;
    footer.entries = entries;
    footer.bloom_blocks = bloom_blocks;
    std::string page = encode_footer(footer);
    finish_page(page, page_seed(good.salts, good.page_count() - 1));
    world.files.damage(file->path(), [&](std::string& all) { all.replace(all.size() - page_bytes, page_bytes, page); });
    return StreamsFile::open(world.files, file->path(), world.cache, good).has_value();
  };
  EXPECT_TRUE(opens(good.addresses, good.entries, good.bloom_blocks));
  const std::uint64_t huge = std::uint64_t{1} << 58;  // times 64 it is 0
  EXPECT_FALSE(opens(good.addresses, good.entries, good.bloom_blocks + huge));
  EXPECT_FALSE(opens(good.addresses, good.entries, 0));
  EXPECT_FALSE(opens(good.addresses, UINT64_MAX - 100, good.bloom_blocks));
  EXPECT_FALSE(opens(good.addresses, good.addresses + 1, good.bloom_blocks)) << "no stream is without an event";
  EXPECT_FALSE(opens(UINT64_MAX, good.entries, good.bloom_blocks));
  EXPECT_FALSE(opens(addresses_a_page + 1, good.entries, good.bloom_blocks));
}

TEST(StreamsFile, an_entry_that_leads_astray_is_no_answer) {
  World world;
  std::vector<std::unique_ptr<StreamSource>> sources;
  sources.push_back(world.memory(example_streams()));
  const auto file = world.build(footer_of({0, 0}, {7}), std::move(sources));
  const std::string name = "config-color";
  const StreamEntry good = file->find(world.hash(name)).value().value();
  const auto is_found = [&](StreamEntry entry) {
    std::string item;
    put_entry(item, entry);
    world.files.damage(file->path(), [&](std::string& all) {
      std::string old;
      put_entry(old, good);
      std::string page = all.substr(page_bytes, page_content_bytes);
      page.replace(page.find(old.substr(0, 16)), entry_bytes, item);
      finish_page(page, page_seed(file->footer().salts, 1));
      all.replace(page_bytes, page_bytes, page);
    });
    PageCache fresh(4);
    const auto reopened = StreamsFile::open(world.files, file->path(), fresh, file->footer()).value();
    return reopened->find(world.hash(name)).has_value();
  };
  const auto changed = [&](std::uint64_t first, std::uint64_t count, std::uint64_t begin) {
    return StreamEntry{.hash = good.hash, .first = StreamVersion{first}, .count = count, .begin = begin};
  };
  EXPECT_TRUE(is_found(good));
  EXPECT_FALSE(is_found(changed(1, 0, 0)));
  EXPECT_FALSE(is_found(changed(1, 4, 0)));
  EXPECT_FALSE(is_found(changed(1, 1, 3)));
  EXPECT_FALSE(is_found(changed(1, 2, UINT64_MAX)));
  EXPECT_FALSE(is_found(changed(0, 2, 0)));
  EXPECT_FALSE(is_found(changed(UINT64_MAX, 2, 0)));
}

TEST(StreamsFile, is_named_by_its_segments_and_nothing_else_is_taken_for_one) {
  EXPECT_EQ(streams_name({0, 7}), "0000000-0000007.streams");
  EXPECT_EQ(span_of_streams_name("0000010-2000007.streams"), (SegmentSpan{10, 2'000'007}));
  for (const char* name : {"0000008-0000007.streams", "0000000-0000007.streams.new", "0000000_0000007.streams",
                           "000000a-0000007.streams", "0-7.streams"}) {
    EXPECT_FALSE(span_of_streams_name(name)) << name;
  }
}

}  // namespace
}  // namespace annals::store
