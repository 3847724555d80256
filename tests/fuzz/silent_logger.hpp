#pragma once
// A log that nobody reads. Thread-safe.

#include "base/log_record.hpp"

namespace annals::fuzz {

class SilentLogger final : public Logger {
 public:
  [[nodiscard]] bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

}  // namespace annals::fuzz
