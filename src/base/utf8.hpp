#pragma once
// UTF-8 (RFC 3629): telling what is from what is not. Pure functions; no thread rule.

#include <cstddef>
#include <string_view>

namespace annals {

/// The length (1 to 4 bytes) of the character that `text` begins with; 0 when it begins with none: empty, cut short, an
/// overlong form, a surrogate, or beyond U+10FFFF.
[[nodiscard]] std::size_t utf8_character_bytes(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

/// UTF-8 in which no character is a control character (U+0000 to U+001F, U+007F to U+009F).
[[nodiscard]] bool is_utf8_without_controls(std::string_view text);

}  // namespace annals
