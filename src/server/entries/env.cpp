// The format env.

#include <algorithm>

#include "server/entries/entries.hpp"

namespace annals::server {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::size_t value_bytes_max = 16u << 20;

bool begins_name(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character == '_';
}

bool continues_name(char character) {
  return begins_name(character) || (character >= '0' && character <= '9') || character == '.' || character == '-';
}

/// What a shell takes as it is without quotes, wherever it stands in a value.
bool is_plain(char character) {
  return continues_name(character) || std::string_view("/:@%+,=").find(character) != std::string_view::npos;
}

class EnvReader final : public LinesEntryReader {
 public:
  explicit EnvReader(TextSource source) : LinesEntryReader(std::move(source), false) {}

  [[nodiscard]] Result<std::optional<Entry>> next() override {
    while (auto line = TRY(next_line())) {
      text_ = *std::move(line);
      place_ = 0;
      skip_blanks();
      if (at_end() || text_[place_] == '#') continue;
      return TRY(entry());
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool at_end() const { return place_ == text_.size(); }
  void skip_blanks() { place_ = std::min(text_.find_first_not_of(blanks, place_), text_.size()); }

  [[nodiscard]] Result<Entry> entry() {
    constexpr std::string_view word = "export";
    if (text_.compare(place_, word.size(), word) == 0 && place_ + word.size() < text_.size() &&
        (text_[place_ + word.size()] == ' ' || text_[place_ + word.size()] == '\t')) {
      place_ += word.size();
      skip_blanks();
    }
    Entry entry;
    entry.line = line();
    if (!at_end() && begins_name(text_[place_])) {
      while (!at_end() && continues_name(text_[place_])) entry.name += text_[place_++];
    }
    skip_blanks();
    if (entry.name.empty() || at_end() || text_[place_] != '=') {
      return fail(ErrorKind::invalid,
                  "NAME=value is expected; a name is of letters, digits, _ . and -, and begins with a letter or _");
    }
    ++place_;
    const std::size_t begin = place_;
    skip_blanks();
    if (!at_end() && (text_[place_] == '\'' || text_[place_] == '"')) {
      entry.value = TRY(quoted(text_[place_++], entry.line));
      skip_blanks();
      if (!at_end() && text_[place_] != '#') {
        return fail(ErrorKind::invalid,
                    "after the quote that ends the value there is more; write it inside the quotes");
      }
    } else {
      entry.value = bare(begin);
    }
    return entry;
  }

  /// Up to the end of the line, or a blank and a #.
  [[nodiscard]] std::string bare(std::size_t begin) const {
    std::size_t end = text_.size();
    for (std::size_t at = text_.find('#', begin); at != std::string::npos; at = text_.find('#', at + 1)) {
      if (at == begin || blanks.find(text_[at - 1]) == std::string_view::npos) continue;
      end = at;
      break;
    }
    const std::string_view value = std::string_view(text_).substr(begin, end - begin);
    const std::size_t first = value.find_first_not_of(blanks);
    if (first == std::string_view::npos) return "";
    return std::string(value.substr(first, value.find_last_not_of(blanks) - first + 1));
  }

  /// Up to the quote that ends it, on this line or a later one.
  [[nodiscard]] Result<std::string> quoted(char quote, std::uint64_t begun) {
    std::string value;
    while (true) {
      for (; !at_end(); ++place_) {
        const char character = text_[place_];
        if (character == quote) {
          ++place_;
          return value;
        }
        if (quote == '\'' || character != '\\') {
          value += character;
        } else if (place_ + 1 < text_.size()) {
          value += TRY(unescaped(text_[++place_]));
        } else {
          ++place_;
          break;  // a backslash at the end of a line joins it to the next
        }
      }
      const bool joined = quote == '"' && !text_.empty() && text_.back() == '\\' && ends_with_odd_backslashes();
      if (!joined) value += '\n';
      if (value.size() > value_bytes_max) return fail(ErrorKind::invalid, unfinished(begun));
      auto line = TRY(next_line());
      if (!line) {
        go_back_to(begun);
        return fail(ErrorKind::invalid, unfinished(begun));
      }
      text_ = *std::move(line);
      place_ = 0;
    }
  }

  [[nodiscard]] bool ends_with_odd_backslashes() const {
    const std::size_t last = text_.find_last_not_of('\\');
    return (text_.size() - (last == std::string::npos ? 0 : last + 1)) % 2 == 1;
  }

  static std::string unfinished(std::uint64_t begun) {
    return "the quoted value that begins in line " + std::to_string(begun) + " does not end";
  }

  static Result<char> unescaped(char character) {
    switch (character) {
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case '\\':
      case '"':
      case '\'':
      case '$':
      case '`': return character;
      default:
        return fail(ErrorKind::invalid, std::string("\\") + character +
                                            " means nothing between double quotes; write \\\\ for a backslash, or take "
                                            "single quotes, in which all stands for itself");
    }
  }

  std::string text_;  // the line in hand
  std::size_t place_ = 0;
};

}  // namespace

std::unique_ptr<EntryReader> make_env_reader(TextSource source) {
  return std::make_unique<EnvReader>(std::move(source));
}

Result<> append_env_entry(std::string& out, std::string_view name, std::string_view value) {
  if (name.empty() || !begins_name(name.front()) || !std::ranges::all_of(name, continues_name)) {
    return fail(ErrorKind::invalid,
                "the format env cannot hold the name \"" + std::string(name) +
                    "\": names there are of letters, digits, _ . and -, and begin with a letter or _; take the format "
                    "jsonl or properties");
  }
  if (value.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::invalid, "the format env cannot hold the value of \"" + std::string(name) +
                                        "\", which has a NUL in it; take the format jsonl or properties");
  }
  out.append(name).append("=");
  if (std::ranges::all_of(value, is_plain)) {
    out += value;
  } else if (value.find('\'') == std::string_view::npos) {
    out.append("'").append(value).append("'");
  } else {
    out += '"';
    for (char character : value) {
      if (std::string_view("\\\"$`").find(character) != std::string_view::npos) out += '\\';
      out += character;
    }
    out += '"';
  }
  out += '\n';
  return {};
}

}  // namespace annals::server
