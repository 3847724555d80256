#pragma once
// For tests of pages that show bytes: the bytes as the pages show them. Pure function.

#include <cstdint>
#include <string>
#include <string_view>

namespace annals {

enum class HexText : std::uint8_t { beside, none };

/// Lines of sixteen bytes in hex, each behind its offset, counted from `begin`; `beside`: and what of them is text.
[[nodiscard]] inline std::string hex_lines(std::string_view bytes, std::size_t begin, HexText shown) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::size_t line_bytes = 16;
  std::string out;
  for (std::size_t line = 0; line < bytes.size(); line += line_bytes) {
    out += "    ";
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[(begin + line) >> shift & 15];
    out += ' ';
    std::string text;
    for (std::size_t at = line; at < line + line_bytes; ++at) {
      if (at >= bytes.size() && shown == HexText::none) break;
      if (at % 8 == 0) out += ' ';
      if (at >= bytes.size()) {
        out += "   ";
        continue;
      }
      const auto byte = static_cast<unsigned char>(bytes[at]);
      out += {digits[byte >> 4], digits[byte & 15], ' '};
      text += byte > 32 && byte < 127 ? static_cast<char>(byte) : '.';
    }
    if (shown == HexText::beside) {
      out += ' ' + text + '\n';
    } else {
      out.back() = '\n';
    }
  }
  return out;
}

}  // namespace annals
