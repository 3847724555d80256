#pragma once
// Bytes as text of letters, digits, `-` and `_`, without padding; each text has one meaning and one spelling. Pure
// functions; no thread rule. Source: RFC 4648 section 5.

#include <optional>
#include <string>
#include <string_view>

namespace annals {

[[nodiscard]] std::string to_base64url(std::string_view bytes);

/// nullopt for what to_base64url does not make. The bytes are written to one place in memory only.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

}  // namespace annals
