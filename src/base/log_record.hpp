#pragma once
// Log records: what the program says about itself, as a message with named fields. Where they go is the platform's
// business (JSON lines on standard error); tests collect them.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <variant>

namespace annals {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Upper-case, as written in the logs: "INFO".
[[nodiscard]] std::string_view to_string(LogLevel level);

/// A named value in a record's `context`. Borrowed until `write` returns.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(std::string_view(text)) {}
  LogField(std::string_view field_name, std::int64_t number) : name(field_name), value(number) {}
  LogField(std::string_view field_name, std::uint64_t number)
      : name(field_name), value(static_cast<std::int64_t>(number)) {}
  LogField(std::string_view field_name, int number) : name(field_name), value(std::int64_t{number}) {}
  LogField(std::string_view field_name, double number) : name(field_name), value(number) {}
  LogField(std::string_view field_name, bool flag) : name(field_name), value(flag) {}
};

/// Where records go. Thread-safe. Never put a secret or a stored value into a record.
class Logger {
 public:
  virtual ~Logger() = default;

  /// True when records of this level are kept; ask before building a costly one.
  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;

  /// Never blocks on the reader of the logs: what cannot be queued is dropped and counted.
  virtual void write(LogLevel level, std::string_view message, std::span<const LogField> context) = 0;

  void debug(std::string_view message, std::initializer_list<LogField> context = {}) {
    log(LogLevel::debug, message, context);
  }
  void info(std::string_view message, std::initializer_list<LogField> context = {}) {
    log(LogLevel::info, message, context);
  }
  void warning(std::string_view message, std::initializer_list<LogField> context = {}) {
    log(LogLevel::warning, message, context);
  }
  void error(std::string_view message, std::initializer_list<LogField> context = {}) {
    log(LogLevel::error, message, context);
  }

 private:
  void log(LogLevel level, std::string_view message, std::initializer_list<LogField> context) {
    if (enabled(level)) write(level, message, std::span(context.begin(), context.size()));
  }
};

}  // namespace annals
