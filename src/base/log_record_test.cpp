#include "base/log_record.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace annals {
namespace {

/// Keeps warnings and errors.
class Keeper final : public Logger {
 public:
  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= LogLevel::warning; }
  void write(LogLevel level, std::string_view message, std::span<const LogField> context) override {
    records.push_back(std::string(to_string(level)) + " " + std::string(message) + " " +
                      std::to_string(context.size()));
  }
  std::vector<std::string> records;
};

TEST(logger, only_records_of_enabled_levels_are_written) {
  Keeper log;
  log.debug("a");
  log.info("b", {{"n", 1}});
  log.warning("c", {{"n", 1}, {"text", "x"}});
  log.error("d");
  EXPECT_EQ(log.records, (std::vector<std::string>{"WARNING c 2", "ERROR d 0"}));
}

TEST(log_field, every_kind_of_value_keeps_its_type) {
  EXPECT_EQ(std::get<std::string_view>(LogField("a", "text").value), "text") << "a literal is text, not a bool";
  EXPECT_EQ(std::get<std::int64_t>(LogField("a", 3).value), 3);
  EXPECT_EQ(std::get<std::int64_t>(LogField("a", std::uint64_t{3}).value), 3);
  EXPECT_EQ(std::get<double>(LogField("a", 0.5).value), 0.5);
  EXPECT_EQ(std::get<bool>(LogField("a", true).value), true);
}

}  // namespace
}  // namespace annals
