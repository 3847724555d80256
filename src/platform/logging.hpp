#pragma once
// Logging: records as JSON lines, one a record, written by a thread of the logger's own:
//
//     {"timestamp":"2026-02-12T10:00:00.123456Z","level":"INFO","message":"...","context":{"model":"product"}}
//
// Fields of the context named trace_id and span_id stand before the message at the top level instead (the shape that
// log collectors join with traces by). What is not UTF-8 becomes U+FFFD.
//
// Writing a record never waits for the reader of standard error: when the queue is full its oldest lines give way, and
// a line with level WARNING and the context field `dropped` says from time to time how many did.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/log_record.hpp"
#include "platform/clock.hpp"
#include "platform/line_output.hpp"

namespace annals::platform {

struct JsonLoggerOptions {
  LogLevel minimum = LogLevel::info;  ///< records below are not kept
  std::size_t queued_lines_max = 8192;
};

/// A thread-safe logger to `output`, stamping with `clock`; both outlive it. Destroying it writes what is queued;
/// nobody may be writing records then.
[[nodiscard]] std::unique_ptr<Logger> make_json_logger(JsonLoggerOptions options, LineOutput& output,
                                                       const Clock& clock);

/// The same to standard error, by the clock of the machine.
[[nodiscard]] std::unique_ptr<Logger> make_json_logger(LogLevel minimum);

/// Appends one record as a line, with its newline.
void append_json_line(std::string& out, Instant now, LogLevel level, std::string_view message,
                      std::span<const LogField> context);

}  // namespace annals::platform
