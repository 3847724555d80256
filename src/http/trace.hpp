#pragma once
// Trace: where a request stands in what caused it, by W3C Trace Context: the trace that the caller's `traceparent`
// names, or a new one, and a new span for what this server does for it. Records of the log that speak of a request
// carry both, so that they can be found from the caller's side. Immutable values; pure functions.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/log_record.hpp"
#include "base/uuid.hpp"

namespace annals::http {

struct Trace {
  Uuid id;                 ///< its 16 bytes, whether they are a UUID or not
  std::uint64_t span = 0;  ///< not 0 once identified

  [[nodiscard]] std::string id_text() const;    ///< 32 lower-case hex digits
  [[nodiscard]] std::string span_text() const;  ///< 16
};

/// Writes a record with trace_id, span_id, request_id and the fields of `more`.
void write_log(Logger& log, LogLevel level, std::string_view message, const Trace& trace, std::string_view request_id,
               std::initializer_list<LogField> more = {});

}  // namespace annals::http
