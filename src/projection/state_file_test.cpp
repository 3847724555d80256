#include "projection/state_file.hpp"

#include <gtest/gtest.h>

#include "projection/checkpoint.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

class StateFileTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.files.create_directories("data"));
    for (int count = 0; count < 5; ++count) put_event(store);
  }
  void put_event(EventStore& into) {
    NewEvent event = set_event("x");
    event.id = platform::make_uuid(world.clock.now(), world.random);
    record(into, "config-a", event);
  }
  [[nodiscard]] Result<> write(Position begin, Position end, const std::vector<std::string>& blocks = {"one", "two"}) {
    auto writer = TRY(StateFileWriter::create(world.files, path, "table config", begin));
    for (const std::string& block : blocks) TRY(writer->add(block, 3));
    const Witness last = TRY(witness_at(store, end));
    TRY(writer->finish(store, last, "note"));
    return writer->publish();
  }
  [[nodiscard]] Result<StateFileSummary> read(const EventStore& from, std::string_view name = "table config",
                                              Backing backing = Backing::event) {
    seen.clear();
    return read_state_file(world.files, path, name, from, backing,
                           [this](std::string_view contents) -> Result<std::uint64_t> {
                             seen += std::string(contents) + ";";
                             return 3;
                           });
  }
  [[nodiscard]] ErrorKind refusal(const EventStore& from, std::string_view name = "table config") {
    const auto summary = read(from, name);
    EXPECT_FALSE(summary.has_value());
    return summary ? ErrorKind::internal : summary.error().kind;
  }

  const std::string path = "data/config.table";
  TestWorld world;
  ControlledStore store{world.platform()};
  std::string seen;
};

TEST_F(StateFileTest, what_was_written_is_read_back) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  const auto summary = read(store);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(seen, "one;two;");
  EXPECT_EQ(summary->begin, Position{3});
  EXPECT_EQ(summary->end, witness_at(store, Position{5}).value());
  EXPECT_EQ(summary->records, 6u);
  EXPECT_EQ(summary->note, "note");
}

TEST_F(StateFileTest, there_may_be_no_records_and_no_events) {
  ASSERT_TRUE(write(Position{}, Position{}, {}));
  const auto summary = read(store);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->records, 0u);
}

TEST_F(StateFileTest, no_file_is_told_from_a_bad_one) {
  EXPECT_EQ(refusal(store), ErrorKind::not_found);
}

TEST_F(StateFileTest, every_flipped_bit_and_every_cut_is_noticed) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  const std::string whole = *platform::read_whole_file(world.files, path, 1 << 20);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    world.files.damage(path, [&](std::string& bytes) { bytes[bit / 8] ^= static_cast<char>(1 << bit % 8); });
    EXPECT_FALSE(read(store).has_value()) << "bit " << bit;
    EXPECT_FALSE(check_checkpoint(world.files, path)) << "bit " << bit;
    world.files.damage(path, [&](std::string& bytes) { bytes = whole; });
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    world.files.damage(path, [&](std::string& bytes) { bytes = whole.substr(0, size); });
    EXPECT_FALSE(read(store).has_value()) << size << " bytes left";
    EXPECT_FALSE(check_checkpoint(world.files, path)) << size << " bytes left";
  }
  world.files.damage(path, [&](std::string& bytes) { bytes = whole + '\0'; });
  EXPECT_EQ(refusal(store), ErrorKind::corrupt);
  EXPECT_EQ(check_checkpoint(world.files, path).error().kind, ErrorKind::corrupt);
  world.files.damage(path, [&](std::string& bytes) { bytes = whole; });
  EXPECT_TRUE(read(store).has_value());
  EXPECT_TRUE(check_checkpoint(world.files, path));
}

TEST_F(StateFileTest, a_later_format_is_not_guessed_at) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  world.files.damage(path, [](std::string& bytes) { bytes[8] = 2; });
  EXPECT_EQ(refusal(store), ErrorKind::unsupported);
}

TEST_F(StateFileTest, the_state_of_something_else_is_not_taken) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  EXPECT_EQ(refusal(store, "table flags"), ErrorKind::gone);
}

TEST_F(StateFileTest, another_store_does_not_back_it) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  ControlledStore other(world.platform());
  for (int count = 0; count < 9; ++count) put_event(other);
  EXPECT_EQ(refusal(other), ErrorKind::gone);
}

TEST_F(StateFileTest, a_store_that_ends_before_it_does_not_back_it) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  store.set_flushed(Position{4});
  EXPECT_EQ(refusal(store), ErrorKind::gone);
  store.set_flushed(Position{5});
  EXPECT_TRUE(read(store).has_value());
}

TEST_F(StateFileTest, its_end_can_be_read_alone_and_is_not_believed_when_it_is_not_what_was_written) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  const Uuid event = store.read_all(Position{4}, Horizon::visible, {}).value().events().front().id;
  EXPECT_EQ(read_state_file_end(world.files, path), Result<StateFileEnd>({store.cursor(Position{5}), event}));
  const auto bytes = platform::read_whole_file(world.files, path, 1u << 20);
  ASSERT_TRUE(bytes);
  const std::size_t ending = 8 + 44 + 4 + 8;  // with its note and its checksum
  for (std::size_t bit = (bytes->size() - ending) * 8; bit < bytes->size() * 8; ++bit) {
    const auto flip = [&](std::string& all) { all[bit / 8] = static_cast<char>(all[bit / 8] ^ (1 << (bit % 8))); };
    world.files.damage(path, flip);
    EXPECT_FALSE(read_state_file_end(world.files, path)) << "bit " << bit;
    world.files.damage(path, flip);
  }
  for (std::size_t cut = 0; cut < bytes->size(); ++cut) {
    world.files.damage(path, [&](std::string& all) { all = bytes->substr(0, cut); });
    EXPECT_FALSE(read_state_file_end(world.files, path)) << cut;
  }
  EXPECT_EQ(read_state_file_end(world.files, "data/none").error().kind, ErrorKind::not_found);
}

TEST_F(StateFileTest, while_its_store_is_away_the_epochs_and_the_end_that_are_remembered_stand_for_the_event) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  store.set_away("the database does not answer");
  EXPECT_EQ(refusal(store), ErrorKind::unavailable);
  const auto summary = read(store, "table config", Backing::remembered);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->end.position, Position{5});
  EXPECT_EQ(seen, "one;two;");
  store.set_flushed(Position{4});
  EXPECT_EQ(read(store, "table config", Backing::remembered).error().kind, ErrorKind::gone) << "of a longer one";
  TestWorld elsewhere(7);
  ControlledStore other(elsewhere.platform());
  other.set_away("the database does not answer");
  EXPECT_EQ(read(other, "table config", Backing::remembered).error().kind, ErrorKind::gone) << "of another one";
}

// As after a part of the directory was put back from a copy: same store, same epoch, another tail.
TEST_F(StateFileTest, another_event_at_its_end_means_another_history) {
  ASSERT_TRUE(write(Position{3}, Position{5}));
  TestWorld twin;  // the same dice give its store the same epoch
  ControlledStore other(twin.platform());
  ASSERT_EQ(other.cursor(Position{5}), store.cursor(Position{5}));
  for (int count = 0; count < 5; ++count) put_event(other);  // with dice that have been thrown on
  EXPECT_EQ(refusal(other), ErrorKind::gone);
}

TEST_F(StateFileTest, until_it_is_published_the_one_before_stands) {
  ASSERT_TRUE(write(Position{3}, Position{4}));
  auto writer = StateFileWriter::create(world.files, path, "table config", Position{4});
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->add("three", 3));
  ASSERT_TRUE((*writer)->finish(store, witness_at(store, Position{5}).value(), ""));
  ASSERT_TRUE(read(store));
  EXPECT_EQ(seen, "one;two;");
  ASSERT_TRUE((*writer)->publish());
  ASSERT_TRUE(read(store));
  EXPECT_EQ(seen, "three;");
}

TEST_F(StateFileTest, what_is_too_large_for_its_reader_is_not_written) {
  ASSERT_TRUE(write(Position{3}, Position{4}));
  auto writer = StateFileWriter::create(world.files, path, "table config", Position{4});
  ASSERT_TRUE(writer);
  const auto refused = (*writer)->add(std::string((64u << 20) + 1, 'x'), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
  ASSERT_TRUE(read(store));
  EXPECT_EQ(seen, "one;two;");
}

// Power goes at every step of the writing: what is there afterwards is the old file or the new one.
TEST_F(StateFileTest, a_loss_of_power_leaves_the_old_file_or_the_new_one) {
  ASSERT_TRUE(write(Position{3}, Position{4}));
  const std::uint64_t before = world.files.steps();
  ASSERT_TRUE(write(Position{4}, Position{5}, {"three"}));
  const std::uint64_t steps = world.files.steps() - before;
  ASSERT_GT(steps, 4u);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    platform::SimulatedRandom dice(step);
    TestWorld other;
    ASSERT_TRUE(other.files.create_directories("data"));
    const auto rewrite = [&](Position begin, Position end, std::string_view block) -> Result<> {
      auto writer = TRY(StateFileWriter::create(other.files, path, "table config", begin));
      TRY(writer->add(block, 3));
      const Witness last = TRY(witness_at(store, end));
      TRY(writer->finish(store, last, ""));
      return writer->publish();
    };
    ASSERT_TRUE(rewrite(Position{3}, Position{4}, "old"));
    other.files.fault_at(other.files.steps() + step, platform::SimulatedFileSystem::Fault::power_loss);
    EXPECT_FALSE(rewrite(Position{4}, Position{5}, "new").has_value());
    other.files.crash(platform::SimulatedFileSystem::Survival::some_sectors, dice);
    std::string found;
    const auto summary = read_state_file(other.files, path, "table config", store, Backing::event,
                                         [&](std::string_view contents) -> Result<std::uint64_t> {
                                           found = contents;
                                           return 3;
                                         });
    ASSERT_TRUE(summary) << "step " << step << ": " << summary.error().message;
    EXPECT_TRUE(found == "old" || found == "new") << found;
    EXPECT_EQ(summary->end.position, found == "old" ? Position{4} : Position{5});
  }
}

}  // namespace
}  // namespace annals::projection
