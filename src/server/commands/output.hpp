#pragma once
// What commands print: whole texts to standard output, with an error when they did not get there.

#include <string_view>

#include "base/result.hpp"

namespace annals::server {

/// The code of an error of `print`, when whoever read has gone: what it did not want is no reason to complain.
inline constexpr std::string_view reader_gone = "reader_gone";

/// Writes the text to standard output, at once. Errors: input_output (code reader_gone for a closed pipe).
[[nodiscard]] Result<> print(std::string_view text);

}  // namespace annals::server
