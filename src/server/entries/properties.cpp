// The format properties. Source: the documentation of java.util.Properties (load and store).

#include <algorithm>

#include "base/utf8.hpp"
#include "server/entries/entries.hpp"

namespace annals::server {
namespace {

constexpr std::string_view white_space = " \t\f";
constexpr std::size_t entry_bytes_max = 16u << 20;

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// The code point that good UTF-8 begins with, and how many bytes it takes.
std::pair<std::uint32_t, std::size_t> point_of(std::string_view text) {
  const std::size_t bytes = utf8_character_bytes(text);
  const auto first = static_cast<unsigned char>(text.front());
  if (bytes <= 1) return {first, 1};
  std::uint32_t point = first & (0x7Fu >> bytes);
  for (std::size_t place = 1; place < bytes; ++place) {
    point = point << 6 | (static_cast<unsigned char>(text[place]) & 0x3Fu);
  }
  return {point, bytes};
}

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  out += "\\u";
  for (unsigned shift = 16; shift > 0; shift -= 4) out += digits[unit >> (shift - 4) & 15];
}

void append_escaped(std::string& out, std::string_view text, bool is_name) {
  bool first = true;
  while (!text.empty()) {
    const auto [point, bytes] = point_of(text);
    text.remove_prefix(bytes);
    switch (point) {
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\f': out += "\\f"; break;
      case ' ': out += first || is_name ? "\\ " : " "; break;
      case '\\':
      case '=':
      case ':':
      case '#':
      case '!':
        out += '\\';
        out += static_cast<char>(point);
        break;
      default:
        if (point >= 0x20 && point < 0x7F) {
          out += static_cast<char>(point);
        } else if (point < 0x10000) {
          append_unit(out, point);
        } else {
          append_unit(out, 0xD800 + ((point - 0x10000) >> 10));
          append_unit(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
        }
    }
    first = false;
  }
}

/// The four digits after `\u`. Errors: invalid.
Result<std::uint32_t> unit_of(std::string_view text) {
  std::uint32_t unit = 0;
  for (std::size_t place = 0; place < 4; ++place) {
    const char digit = place < text.size() ? text[place] : '\0';
    const std::uint32_t value = digit >= '0' && digit <= '9'   ? static_cast<std::uint32_t>(digit - '0')
                                : digit >= 'a' && digit <= 'f' ? static_cast<std::uint32_t>(digit - 'a' + 10)
                                : digit >= 'A' && digit <= 'F' ? static_cast<std::uint32_t>(digit - 'A' + 10)
                                                               : 16;
    if (value == 16) return fail(ErrorKind::invalid, "\\u is to be followed by four hexadecimal digits");
    unit = unit * 16 + value;
  }
  return unit;
}

/// Takes the escape after a backslash. Errors: invalid.
Result<> take_escape(std::string& out, std::string_view& text) {
  const char character = text.front();
  text.remove_prefix(1);
  switch (character) {
    case 't': out += '\t'; return {};
    case 'n': out += '\n'; return {};
    case 'r': out += '\r'; return {};
    case 'f': out += '\f'; return {};
    case 'u': break;
    default: out += character; return {};
  }
  std::uint32_t point = TRY(unit_of(text));
  text.remove_prefix(4);
  if (point >= 0xD800 && point < 0xE000) {
    const bool pair = point < 0xDC00 && text.starts_with("\\u");
    const std::uint32_t low = pair ? TRY(unit_of(text.substr(2))) : 0;
    if (low < 0xDC00 || low > 0xDFFF) {
      return fail(ErrorKind::invalid, "half a surrogate pair is no character; \\uD83D\\uDE00 is a whole one");
    }
    text.remove_prefix(6);
    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(out, point);
  return {};
}

class PropertiesReader final : public LinesEntryReader {
 public:
  explicit PropertiesReader(TextSource source) : LinesEntryReader(std::move(source), true) {}

  [[nodiscard]] Result<std::optional<Entry>> next() override {
    while (const auto first = TRY(next_line())) {
      std::string text = trimmed(*first);
      if (text.empty() || text.front() == '#' || text.front() == '!') continue;
      const std::uint64_t begun = line();
      while (goes_on(text)) {
        text.pop_back();
        const auto more = TRY(next_line());
        if (!more) break;
        text += trimmed(*more);
        if (text.size() > entry_bytes_max) return fail(ErrorKind::invalid, "the line is continued too often");
      }
      go_back_to(begun);
      return TRY(entry_of(text));
    }
    return std::nullopt;
  }

 private:
  static std::string trimmed(const std::string& line) {
    return line.substr(std::min(line.find_first_not_of(white_space), line.size()));
  }

  static bool goes_on(const std::string& text) {
    const std::size_t last = text.find_last_not_of('\\');
    return (text.size() - (last == std::string::npos ? 0 : last + 1)) % 2 == 1;
  }

  [[nodiscard]] Result<Entry> entry_of(std::string_view text) const {
    Entry entry;
    entry.line = line();
    while (!text.empty() && text.front() != '=' && text.front() != ':' &&
           white_space.find(text.front()) == std::string_view::npos) {
      TRY(take(entry.name, text));
    }
    skip_white_space(text);
    if (!text.empty() && (text.front() == '=' || text.front() == ':')) {
      text.remove_prefix(1);
      skip_white_space(text);
    }
    while (!text.empty()) TRY(take(entry.value, text));
    return entry;
  }

  static void skip_white_space(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
  }

  /// One character, escaped or not.
  [[nodiscard]] static Result<> take(std::string& out, std::string_view& text) {
    const char character = text.front();
    text.remove_prefix(1);
    if (character == '\\' && !text.empty()) return take_escape(out, text);
    if (character != '\\') out += character;
    return {};
  }
};

}  // namespace

std::unique_ptr<EntryReader> make_properties_reader(TextSource source) {
  return std::make_unique<PropertiesReader>(std::move(source));
}

void append_properties_entry(std::string& out, std::string_view name, std::string_view value) {
  append_escaped(out, name, true);
  out += '=';
  append_escaped(out, value, false);
  out += '\n';
}

}  // namespace annals::server
