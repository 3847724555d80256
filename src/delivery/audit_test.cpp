#include "delivery/audit.hpp"

#include <gtest/gtest.h>

#include "json/reader.hpp"
#include "projection/runner.hpp"
#include "projection/test_world.hpp"

namespace annals::delivery {
namespace {

using projection::deleted_event;
using projection::record;
using projection::set_event;

/// Keeps the lines, or refuses them.
class Lines final : public platform::LineOutput {
 public:
  [[nodiscard]] Result<> write(std::string_view lines) override {
    ++writes;
    if (failing) return fail(ErrorKind::input_output, "the pipe is closed");
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      all.emplace_back(lines.substr(0, end));
      lines.remove_prefix(end + 1);
    }
    return {};
  }
  std::vector<std::string> all;
  bool failing = false;
  int writes = 0;
};

class AuditTest : public testing::Test {
 protected:
  AuditTest() { EXPECT_TRUE(world.files.create_directories("/d")); }

  /// A server's life: an engine, the audit subscriber and its runner, until it is stopped or crashes.
  struct Life {
    Life(AuditTest& test, bool values)
        : engine({model::Model::kv("config", {"/config"}), model::Model::kv("feature_flag", {"/flags"})}, *test.store,
                 test.world.platform(), test.world.executor, {}),
          audit({values, "/d/audit"}, engine, test.lines),
          runner(audit, *test.store, projection::Runner::Mode::follow, test.world.platform(), test.world.executor) {
      runner.start();
    }
    engine::Engine engine;
    Audit audit;
    projection::Runner runner;
  };
  void start(bool values = false) { life = std::make_unique<Life>(*this, values); }
  void stop() {
    life->runner.stop();
    life->audit.close();
    life.reset();
  }
  void crash() {
    life.reset();
    platform::SimulatedRandom dice(1);
    world.files.crash(platform::SimulatedFileSystem::Survival::nothing, dice);
  }
  /// Lets the subscriber gather and write.
  void run() {
    world.executor.run_ready();
    world.clock.advance(std::chrono::milliseconds(100));
    world.executor.run_ready();
  }
  [[nodiscard]] std::string message(std::size_t place) {
    json::Reader reader;
    const auto object = reader.read_object(lines.all.at(place));
    return object && object->text("message") ? std::string(*object->text("message"))
                                             : "(not a JSON line: " + lines.all.at(place) + ")";
  }

  projection::TestWorld world;
  std::unique_ptr<EventStore> store = store::make_memory_store(world.platform());
  Lines lines;
  std::unique_ptr<Life> life;
};

TEST_F(AuditTest, each_change_has_one_line_and_values_are_masked) {
  start();
  record(*store, "config-database_url", set_event("secret"));
  record(*store, "config-database_url", deleted_event());
  record(*store, "feature_flag-x", set_event("secret", "FeatureFlagValueSet"));
  run();
  ASSERT_EQ(lines.all.size(), 3u);
  EXPECT_EQ(message(0), "Config updated: database_url = ****");
  EXPECT_EQ(message(1), "Config deleted: database_url");
  EXPECT_EQ(message(2), "FeatureFlag updated: x = ****");
  for (const std::string& line : lines.all) EXPECT_EQ(line.find("secret"), std::string::npos);
}

TEST_F(AuditTest, a_line_tells_who_what_and_where) {
  start();
  NewEvent event = set_event("x");
  event.id = *Uuid::from_text("0192e4a0-7a3c-7def-8123-456789abcdef");
  event.correlation_id = *Uuid::from_text("0192e4a0-7a3c-7def-8123-00000000beef");
  record(*store, "other-y", set_event("x"));
  record(*store, "config-a", event);
  run();
  ASSERT_EQ(lines.all.size(), 1u);
  EXPECT_EQ(
      lines.all[0],
      R"({"timestamp":"2026-02-12T10:00:00.000001Z","level":"INFO","trace_id":"0192e4a07a3c7def812300000000beef",)"
      R"("span_id":"8123456789abcdef",)"
      R"("message":"Config updated: a = ****","context":{"log":"audit","model":"config","operation":"set","name":"a","version":1,)"
      R"("position":"2","user_id":"anonymous","event_id":"0192e4a0-7a3c-7def-8123-456789abcdef"}})");
}

TEST_F(AuditTest, values_are_shown_when_that_was_asked_for) {
  start(true);
  record(*store, "config-a", set_event("x = y"));
  run();
  EXPECT_EQ(message(0), "Config updated: a = x = y");
}

TEST_F(AuditTest, odd_characters_in_names_and_values_stay_inside_their_line) {
  start(true);
  NewEvent event = set_event("");
  event.data = R"({"config_name":"k","value":"line one\nline \"two\"\u0000\\ äß😀","old_value":null})";
  record(*store, "config-q\"uo\\te äß😀", event);
  run();
  ASSERT_EQ(lines.all.size(), 1u);
  EXPECT_EQ(message(0), "Config updated: q\"uo\\te äß😀 = " + std::string("line one\nline \"two\"\0\\ äß😀", 30));
}

TEST_F(AuditTest, events_of_no_model_or_of_unknown_types_have_no_line_but_are_passed) {
  start();
  record(*store, "other-a", set_event("x"));
  record(*store, "config-a", set_event("x", "ConfigValueRenamed"));
  run();
  EXPECT_TRUE(lines.all.empty());
  EXPECT_EQ(lines.writes, 0);
  EXPECT_EQ(life->runner.status().position, Position{2});
}

TEST_F(AuditTest, after_a_clean_stop_no_line_comes_twice) {
  start();
  record(*store, "config-a", set_event("1"));
  run();
  stop();
  record(*store, "config-b", set_event("1"));
  start();
  run();
  ASSERT_EQ(lines.all.size(), 2u);
  EXPECT_EQ(message(1), "Config updated: b = ****");
}

TEST_F(AuditTest, after_a_crash_no_line_is_missing_and_only_those_since_the_last_checkpoint_come_again) {
  start();
  for (int count = 0; count < 35; ++count) {
    record(*store, "config-" + std::to_string(count), set_event("1"));
    run();  // 0.1 s each: the checkpoint is written every second
  }
  ASSERT_EQ(lines.all.size(), 35u);
  crash();
  start();
  run();
  const std::size_t again = lines.all.size() - 35;
  EXPECT_GE(again, 1u);
  EXPECT_LE(again, 11u) << "what one second has";
  for (std::size_t place = 0; place < again; ++place) EXPECT_EQ(message(35 + place), message(35 - again + place));
}

TEST_F(AuditTest, an_output_that_fails_loses_no_line) {
  start();
  record(*store, "config-a", set_event("1"));
  run();
  lines.failing = true;
  record(*store, "config-b", set_event("1"));
  run();
  EXPECT_TRUE(life->runner.status().failing);
  record(*store, "config-c", set_event("1"));
  run();
  lines.failing = false;
  for (int pauses = 0; pauses < 3; ++pauses) world.executor.run_next_timer();
  EXPECT_FALSE(life->runner.status().failing);
  ASSERT_EQ(lines.all.size(), 3u);
  EXPECT_EQ(message(1), "Config updated: b = ****");
  EXPECT_EQ(message(2), "Config updated: c = ****");
}

TEST_F(AuditTest, a_damaged_checkpoint_means_from_the_beginning_with_a_warning) {
  start();
  record(*store, "config-a", set_event("1"));
  run();
  stop();
  world.files.damage("/d/audit", [](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; });
  start();
  run();
  EXPECT_EQ(lines.all.size(), 2u);
  EXPECT_EQ(world.logged("The audit log's checkpoint cannot be used"), 1u);
}

TEST_F(AuditTest, the_checkpoint_of_another_store_means_from_the_beginning) {
  start();
  for (int count = 0; count < 5; ++count) record(*store, "config-a", set_event("1"));
  run();
  stop();
  store = store::make_memory_store(world.platform());
  record(*store, "config-new", set_event("1"));
  start();
  run();
  ASSERT_EQ(lines.all.size(), 6u);
  EXPECT_EQ(message(5), "Config updated: new = ****");
}

TEST_F(AuditTest, a_checkpoint_that_cannot_be_kept_is_told_at_the_stop) {
  start();
  record(*store, "config-a", set_event("1"));
  run();
  for (std::uint64_t step = 1; step < 10; ++step) {
    world.files.fault_at(world.files.steps() + step, platform::SimulatedFileSystem::Fault::fail_cleanly);
  }
  stop();
  EXPECT_EQ(world.logged("The audit log's checkpoint could not be kept"), 1u);
}

}  // namespace
}  // namespace annals::delivery
