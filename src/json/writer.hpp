#pragma once
// Writing JSON (RFC 8259) into a string. Text goes out as UTF-8, escaped only where it must be.
// Pure functions; no thread rule.

#include <cstdint>
#include <string>
#include <string_view>

namespace annals::json {

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that the result always
/// is.
void append_string(std::string& out, std::string_view text);

/// Appends a finite number by the fewest digits that read back as the same.
void append_number(std::string& out, double number);

/// Appends `"name":` for a name that needs no escapes, after a comma when one is due: unless `out` ends with `{`.
void append_member(std::string& out, std::string_view name);

/// `{"name":"text"` and the like, one member after another.
void append_member(std::string& out, std::string_view name, std::string_view text);
void append_member(std::string& out, std::string_view name, std::uint64_t number);
void append_null_member(std::string& out, std::string_view name);

}  // namespace annals::json
