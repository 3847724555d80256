#include "projection/text_memory.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "model/model_file.hpp"
#include "model/value_order.hpp"
#include "projection/table_state.hpp"
#include "projection/test_world.hpp"

namespace annals::projection {
namespace {

constexpr const char* rows_path = "data/product.rows";

class TextMemoryTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world.files.create_directories("data")); }

  static std::string text_of(int number) { return std::to_string(number) + std::string(100, 'x'); }
  RowHolder make(TextMemory& memory, int number) {
    RowHolder row = memory.make({"k" + std::to_string(number), StreamVersion{1}, true, Instant{}}, text_of(number));
    memory.make_room();
    return row;
  }
  std::vector<RowHolder> make_many(TextMemory& memory, int count) {
    std::vector<RowHolder> rows;
    for (int number = 0; number < count; ++number) rows.push_back(make(memory, number));
    return rows;
  }
  static std::string read(TextMemory& memory, const RowHolder& row, Use use = Use::keeps) {
    const auto text = memory.text(*row, use);
    return text ? std::string(**text) : std::string(to_string(text.error().kind));
  }
  void damage_all() {
    world.files.damage(rows_path, [](std::string& bytes) { std::fill(bytes.begin() + 16, bytes.end(), '?'); });
  }

  TestWorld world;
};

TEST_F(TextMemoryTest, values_beyond_the_bound_leave_the_memory_and_come_back_when_they_are_asked_for) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  const auto rows = make_many(memory, 100);
  EXPECT_LE(memory.status().bytes, 2'000u);
  EXPECT_GE(memory.status().cold, 80u);
  for (int number = 0; number < 100; ++number) {
    EXPECT_EQ(read(memory, rows[static_cast<std::size_t>(number)]), text_of(number));
    EXPECT_LE(memory.status().bytes, 2'000u);
  }
  EXPECT_GE(memory.status().loads, 80u);
  EXPECT_EQ(memory.status().recalls, 0u);
}

TEST_F(TextMemoryTest, all_that_fits_stays_and_no_file_is_made) {
  TextMemory memory("product", 20'000, rows_path, world.platform());
  const auto rows = make_many(memory, 100);
  EXPECT_EQ(memory.status().cold, 0u);
  EXPECT_FALSE(*world.files.exists(rows_path));
  EXPECT_EQ(read(memory, rows[7]), text_of(7));
  EXPECT_EQ(memory.status().loads, 0u);
}

TEST_F(TextMemoryTest, what_is_used_stays_and_what_is_passed_by_does_not_come_in) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  const auto rows = make_many(memory, 100);
  (void)read(memory, rows[0]);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t number = 1; number < rows.size(); ++number) {
      (void)read(memory, rows[number]);
      (void)read(memory, rows[0]);
    }
  }
  const std::uint64_t loads = memory.status().loads;
  (void)read(memory, rows[0]);
  EXPECT_EQ(memory.status().loads, loads) << "it was used all the time";

  const TextMemoryStatus before = memory.status();
  for (const RowHolder& row : rows) (void)read(memory, row, Use::passes);
  EXPECT_EQ(memory.status().cold, before.cold);
  EXPECT_EQ(memory.status().evictions, before.evictions);
}

TEST_F(TextMemoryTest, a_value_that_is_in_the_file_already_is_not_written_again) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  const auto rows = make_many(memory, 100);
  for (const RowHolder& row : rows) (void)read(memory, row);  // all have been out by now
  const std::uint64_t steps = world.files.steps();
  for (const RowHolder& row : rows) (void)read(memory, row);
  EXPECT_EQ(world.files.steps(), steps) << "not a write";
}

TEST_F(TextMemoryTest, rows_that_are_let_go_give_back_what_they_took) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  for (int round = 0; round < 20; ++round) {
    auto rows = make_many(memory, 100);
    for (std::size_t number = 0; number < rows.size(); number += 3) (void)read(memory, rows[number]);
  }
  EXPECT_EQ(memory.status().bytes, 0u);
  EXPECT_EQ(memory.status().cold, 0u);
  EXPECT_LT(memory.status().file_bytes, 20'000u) << "the space of each round is used by the next";
}

TEST_F(TextMemoryTest, several_are_read_at_once_in_whatever_order_they_lie) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  const auto rows = make_many(memory, 100);
  std::vector<const StoredRow*> wanted;
  for (const int number : {99, 3, 50, 0, 98}) wanted.push_back(&*rows[static_cast<std::size_t>(number)]);
  for (const Use use : {Use::passes, Use::keeps}) {
    const auto texts = memory.texts(wanted, use);
    ASSERT_TRUE(texts);
    EXPECT_EQ(*(*texts)[0], text_of(99));
    EXPECT_EQ(*(*texts)[1], text_of(3));
    EXPECT_EQ(*(*texts)[3], text_of(0));
  }
}

TEST_F(TextMemoryTest, what_cannot_be_read_back_is_folded_from_the_log_and_written_anew) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  const auto rows = make_many(memory, 100);
  EXPECT_EQ(read(memory, rows[0], Use::passes), text_of(0));
  damage_all();
  EXPECT_EQ(read(memory, rows[0]), "corrupt") << "without a log to fold from it is an error";
  memory.set_recall([](std::string_view key, StreamVersion version) -> Result<SharedText> {
    EXPECT_EQ(version, StreamVersion{1});
    return SharedText(text_of(std::stoi(std::string(key.substr(1)))));
  });
  for (int number = 0; number < 100; ++number)
    EXPECT_EQ(read(memory, rows[static_cast<std::size_t>(number)]), text_of(number));
  const std::uint64_t recalls = memory.status().recalls;
  EXPECT_GE(recalls, 80u);
  EXPECT_EQ(world.logged("could not be read back, and is folded from the log"), 1u) << "and not once for each";
  for (int round = 0; round < 2; ++round) {
    for (int number = 0; number < 100; ++number)
      EXPECT_EQ(read(memory, rows[static_cast<std::size_t>(number)]), text_of(number));
  }
  EXPECT_LE(memory.status().recalls, recalls + 20) << "only those that were hot then had their damage still to come";
}

TEST_F(TextMemoryTest, a_log_that_leads_to_another_record_is_not_believed) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  const auto rows = make_many(memory, 100);
  damage_all();
  memory.set_recall([](std::string_view, StreamVersion) -> Result<SharedText> { return SharedText("short"); });
  EXPECT_EQ(read(memory, rows[0]), "corrupt");
  memory.set_recall([](std::string_view, StreamVersion) -> Result<SharedText> { return SharedText(); });
  EXPECT_EQ(read(memory, rows[0]), "corrupt");
  memory.set_recall([](std::string_view, StreamVersion) -> Result<SharedText> {
    return fail(ErrorKind::unavailable, "the store is away");
  });
  EXPECT_EQ(read(memory, rows[0]), "unavailable");
}

TEST_F(TextMemoryTest, when_nothing_can_be_written_all_stays_in_memory_until_it_can) {
  TextMemory memory("product", 2'000, rows_path, world.platform());
  world.files.set_capacity(100);
  auto rows = make_many(memory, 100);
  EXPECT_TRUE(memory.status().stuck);
  EXPECT_EQ(memory.status().cold, 0u);
  EXPECT_GT(memory.status().bytes, 10'000u);
  EXPECT_EQ(world.logged("cannot be written; they stay"), 1u);
  for (int number = 0; number < 100; ++number)
    EXPECT_EQ(read(memory, rows[static_cast<std::size_t>(number)]), text_of(number));

  world.files.set_capacity(std::nullopt);
  rows.push_back(make(memory, 100));
  EXPECT_TRUE(memory.status().stuck) << "it is not tried at every turn";
  world.clock.advance(std::chrono::seconds(2));
  rows.push_back(make(memory, 101));
  EXPECT_FALSE(memory.status().stuck);
  EXPECT_LE(memory.status().bytes, 2'000u);
  EXPECT_EQ(world.logged("Records leave the memory again"), 1u);
  for (int number = 0; number < 102; ++number)
    EXPECT_EQ(read(memory, rows[static_cast<std::size_t>(number)]), text_of(number));
}

TEST_F(TextMemoryTest, readers_and_those_who_make_and_let_go_of_rows_never_see_another_text) {
  TextMemory memory("product", 3'000, rows_path, world.platform());
  const auto shared = make_many(memory, 60);
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      platform::SimulatedRandom dice(static_cast<std::uint64_t>(thread) + 1);
      for (int step = 0; step < 3'000; ++step) {
        const int number = static_cast<int>(dice.below(60));
        const Use use = dice.below(3) == 0 ? Use::passes : Use::keeps;
        if (read(memory, shared[static_cast<std::size_t>(number)], use) != text_of(number)) ++wrong;
        if (dice.below(4) != 0) continue;
        const RowHolder own = make(memory, number + 1'000);
        if (read(memory, own) != text_of(number + 1'000)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_EQ(memory.status().recalls, 0u);
  EXPECT_LE(memory.status().bytes, 3'000u);
}

// --- Under a table ---

const model::Model& remembered_thing() {
  static const model::Model made = [] {
    const auto root = model::read_declarations(R"(
[model.thing]
path = "/things"
[model.thing.fields]
id   = { type = "string", primary_key = true }
step = { type = "integer", indexed = true }
note = { type = "text" }
)",
                                               "annals.toml");
    auto models = model::read_models(*root.value().find("model"));
    return std::move(models.value().front().model);
  }();
  return made;
}

// The step of a record is its version, and its note is as long as that says.
std::string note_of_step(std::uint64_t step) {
  return std::string(50 + step % 100, static_cast<char>('a' + step % 26));
}

bool is_of_its_version(std::string_view key, const model::Record& record) {
  const std::uint64_t step = record.version.value;
  return record.value && *record.value == R"({"id":")" + std::string(key) + R"(","step":)" + std::to_string(step) +
                                              R"(,"note":")" + note_of_step(step) + "\"}";
}

TEST_F(TextMemoryTest, whoever_reads_a_table_while_it_changes_finds_of_each_row_the_text_of_its_version) {
  constexpr std::uint64_t keys = 40;
  constexpr std::uint64_t changes = 2'000;
  TextMemory memory("thing", 2'000, rows_path, world.platform());
  ReadTable table(remembered_thing(), &memory);
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> wrong{0};
  const auto apply = [&](std::uint64_t position, const std::string& key, std::uint64_t version) {
    const std::string stream = remembered_thing().stream(key);
    const std::string step = std::to_string(version);
    const std::string note = "\"" + note_of_step(version) + "\"";
    const std::string data =
        version == 1 ? R"({"thing_id":")" + key + R"(","values":{"id":")" + key + R"(","step":1,"note":)" + note + "}}"
                     : R"({"thing_id":")" + key + R"(","changes":{"step":{"old":null,"new":)" + step +
                           R"(},"note":{"old":null,"new":)" + note + "}}}";
    EventView event;
    event.position = Position{position};
    event.stream = stream;
    event.version = StreamVersion{version};
    event.type = version == 1 ? remembered_thing().created_type : remembered_thing().updated_type;
    event.data = data;
    event.created_at = Instant{static_cast<std::int64_t>(position)};
    if (!table.apply(std::span(&event, 1))) ++wrong;
  };
  for (std::uint64_t key = 0; key < keys; ++key) apply(key + 1, "k" + std::to_string(key), 1);

  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    std::vector<std::uint64_t> seen(keys);
    platform::SimulatedRandom dice(5);
    while (!done) {
      const std::uint64_t number = dice.below(keys);
      const std::string key = "k" + std::to_string(number);
      const auto record = table.get(key);
      if (!record || !is_of_its_version(key, *record) || record->version.value < seen[number]) {
        ++wrong;
      } else {
        seen[number] = record->version.value;
      }
    }
  });
  threads.emplace_back([&] {
    const TableWalk by_step{1, true, {{}}};
    while (!done) {
      const WalkedRows walked = table.walk_on(by_step, std::nullopt, 10);
      const auto records = table.records(walked.rows, 1u << 20, Use::passes);
      if (!records) ++wrong;
      for (std::size_t at = 0; records && at < records->size(); ++at)
        wrong += is_of_its_version(walked.rows[at]->key(), (*records)[at]) ? 0 : 1;
    }
  });
  threads.emplace_back([&] {
    TableState state(table, remembered_thing());
    while (!done) {
      state.begin_writing();
      std::string contents;
      if (state.write(contents).value_or(0) != keys) ++wrong;
    }
  });
  platform::SimulatedRandom dice(9);
  std::vector<std::uint64_t> versions(keys, 1);
  for (std::uint64_t change = 0; change < changes; ++change) {
    const std::uint64_t number = dice.below(keys);
    apply(keys + 1 + change, "k" + std::to_string(number), ++versions[number]);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_EQ(memory.status().recalls, 0u);
  EXPECT_LE(memory.status().bytes, 2'000u);
}

}  // namespace
}  // namespace annals::projection
