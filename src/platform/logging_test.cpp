#include "platform/logging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/simulated.hpp"

namespace annals::platform {
namespace {

using testing::HasSubstr;

std::string line_of(LogLevel level, std::string_view message, std::initializer_list<LogField> context) {
  std::string line;
  append_json_line(line, Instant{1'770'890'400'123'456}, level, message, std::span(context.begin(), context.size()));
  return line;
}

/// Keeps lines, and can be shut as a pipe that nobody reads from.
class Pipe final : public LineOutput {
 public:
  [[nodiscard]] Result<> write(std::string_view lines) override {
    std::unique_lock lock(mutex_);
    waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    if (refusing_ > 0) {
      --refusing_;
      return fail(ErrorKind::input_output, "broken pipe");
    }
    lines_.emplace_back(lines);
    return {};
  }
  void set_open(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  void wait_for_writer() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_; });
  }
  void refuse(int lines) {
    const std::lock_guard lock(mutex_);
    refusing_ = lines;
  }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  bool waiting_ = false;
  int refusing_ = 0;
  std::vector<std::string> lines_;
};

TEST(json_line, has_the_documented_shape) {
  EXPECT_EQ(
      line_of(LogLevel::info, "Listening", {{"port", 4000}, {"insecure", false}, {"load", 0.5}, {"host", "here"}}),
      R"({"timestamp":"2026-02-12T10:00:00.123456Z","level":"INFO","message":"Listening",)"
      R"("context":{"port":4000,"insecure":false,"load":0.5,"host":"here"}})"
      "\n");
  EXPECT_EQ(line_of(LogLevel::error, "", {}),
            R"({"timestamp":"2026-02-12T10:00:00.123456Z","level":"ERROR","message":"","context":{}})"
            "\n");
}

TEST(json_line, lifts_the_identifiers_of_a_trace_to_the_top) {
  EXPECT_EQ(line_of(LogLevel::info, "m",
                    {{"model", "product"}, {"trace_id", "abc123"}, {"size", 1024}, {"span_id", "def456"}}),
            R"({"timestamp":"2026-02-12T10:00:00.123456Z","level":"INFO","trace_id":"abc123","span_id":"def456",)"
            R"("message":"m","context":{"model":"product","size":1024}})"
            "\n");
}

TEST(json_line, escapes_what_must_be_and_is_one_line_whatever_comes) {
  const std::string line = line_of(LogLevel::info, "a\"b\\c\nd\re\tf\x01g\x7f", {{"na\"me", "v\n"}});
  EXPECT_THAT(line, HasSubstr(R"("message":"a\"b\\c\nd\re\tf\u0001g)"
                              "\x7f\""));
  EXPECT_THAT(line, HasSubstr(R"("na\"me":"v\n")"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line_of(LogLevel::info, std::string_view("\0", 1), {}), HasSubstr("\\u0000"));
}

TEST(json_line, what_is_not_utf8_becomes_the_replacement_character) {
  EXPECT_THAT(line_of(LogLevel::info, "caf\xc3\xa9 \xff \xf0\x9f\x98\x80 \xe2\x82", {}),
              HasSubstr("\"caf\xc3\xa9 \xef\xbf\xbd \xf0\x9f\x98\x80 \xef\xbf\xbd\xef\xbf\xbd\""));
}

TEST(json_line, numbers_that_json_has_no_word_for_are_null) {
  EXPECT_THAT(line_of(LogLevel::info, "m", {{"a", std::nan("")}, {"b", INFINITY}, {"c", 1e300}, {"d", INT64_MIN}}),
              HasSubstr(R"({"a":null,"b":null,"c":1e+300,"d":-9223372036854775808})"));
}

TEST(json_logger, writes_records_in_order_and_all_of_them_before_it_is_gone) {
  Pipe pipe;
  SimulatedClock clock;
  {
    const auto log = make_json_logger({.minimum = LogLevel::info}, pipe, clock);
    for (int number = 0; number < 1'000; ++number) log->info("m", {{"number", number}});
  }
  const auto lines = pipe.lines();
  ASSERT_EQ(lines.size(), 1'000u);
  for (std::size_t number = 0; number < lines.size(); ++number) {
    ASSERT_THAT(lines[number], HasSubstr("\"number\":" + std::to_string(number) + "}"));
    ASSERT_THAT(lines[number], testing::StartsWith("{\"timestamp\":\"2026-02-12T10:00:00.000000Z\""));
    ASSERT_THAT(lines[number], testing::EndsWith("}\n"));
  }
}

TEST(json_logger, keeps_no_record_below_its_level) {
  Pipe pipe;
  SimulatedClock clock;
  {
    const auto log = make_json_logger({.minimum = LogLevel::warning}, pipe, clock);
    EXPECT_FALSE(log->enabled(LogLevel::info));
    EXPECT_TRUE(log->enabled(LogLevel::warning));
    log->info("quiet");
    log->write(LogLevel::debug, "quiet too", {});
    log->warning("loud");
  }
  EXPECT_THAT(pipe.lines(), testing::ElementsAre(HasSubstr("loud")));
}

TEST(json_logger, never_waits_for_the_reader_and_says_how_many_lines_were_dropped) {
  Pipe pipe;
  SimulatedClock clock;
  {
    const auto log = make_json_logger({.minimum = LogLevel::info, .queued_lines_max = 16}, pipe, clock);
    pipe.set_open(false);
    log->info("stuck");
    pipe.wait_for_writer();
    for (int number = 0; number < 100; ++number) log->info("m", {{"number", number}});  // would hang if it waited
    clock.advance(std::chrono::minutes(1));
    pipe.set_open(true);
  }
  const auto lines = pipe.lines();
  std::size_t told = 0;
  std::size_t kept = 0;
  for (const std::string& line : lines) {
    const std::size_t at = line.find("\"dropped\":");
    if (at == std::string::npos) {
      ++kept;
      continue;
    }
    EXPECT_THAT(line, HasSubstr("\"level\":\"WARNING\""));
    told += std::stoul(line.substr(at + 10));
  }
  EXPECT_EQ(told, 84u);
  EXPECT_EQ(kept + told, 101u) << "every line is there or counted";
  EXPECT_THAT(lines, testing::Contains(HasSubstr("\"number\":99}"))) << "the oldest give way";
}

TEST(json_logger, lines_that_the_output_refuses_are_counted_too) {
  Pipe pipe;
  SimulatedClock clock;
  {
    const auto log = make_json_logger({.minimum = LogLevel::info}, pipe, clock);
    pipe.refuse(5);
    for (int number = 0; number < 5; ++number) log->info("lost");
    log->info("kept");
  }
  EXPECT_THAT(pipe.lines(), testing::ElementsAre(HasSubstr("kept"), HasSubstr("\"dropped\":5")));
}

TEST(json_logger, many_threads_may_write) {
  Pipe pipe;
  SimulatedClock clock;
  {
    const auto log = make_json_logger({.minimum = LogLevel::info}, pipe, clock);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int number = 0; number < 500; ++number) log->info("m", {{"text", std::string(50, 'x')}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(pipe.lines().size(), 2'000u);
}

}  // namespace
}  // namespace annals::platform
