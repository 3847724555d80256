#include "model/shown_line.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/utf8.hpp"
#include "model/attribute.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::string_view mask = "****";
constexpr std::string_view blanks = " \t\r";
constexpr std::size_t depth_max = 300;  // more than the reader of TOML takes
constexpr std::size_t parts_max = 8;    // of a key that are looked at: more than what is known has
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

using KeyPath = std::vector<std::string_view>;

/// Bytes of the file, from `begin` up to `end`.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

bool is_of_bare_key(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '-' || character == '_';
}

/// Whether it is a number, a time or a word: without quotes and signs, behind which what belongs to another key may
/// stand.
bool is_bare_value(std::string_view text) {
  const auto belongs = [](char character) {
    return is_of_bare_key(character) || std::string_view("+.: ").contains(character);
  };
  return !text.empty() && std::ranges::all_of(text, belongs);
}

bool contains_in_small_letters(std::string_view text, std::string_view word) {
  const auto same = [](char left, char right) {
    return (left >= 'A' && left <= 'Z' ? static_cast<char>(left - 'A' + 'a') : left) == right;
  };
  return !std::ranges::search(text, word, same).empty();
}

/// Whether it has an address or a password in it, wherever it stands.
bool may_hold_password(std::string_view text) {
  // `user:password@host`, whatever stands before it; or an address whose options have it, `scheme:/` or `scheme//`.
  const std::size_t at = text.rfind('@');
  const bool has_shape = at != std::string_view::npos && text.substr(0, at).contains(':');
  const bool has_options = text.contains('?') && (text.contains(":/") || text.contains("//"));
  return has_shape || has_options || text.contains("://") || contains_in_small_letters(text, "passw");
}

const ModelAttribute* model_attribute_named(std::string_view name) {
  const auto found = std::ranges::find(model_attributes(), name, &ModelAttribute::name);
  return found == model_attributes().end() ? nullptr : *found;
}

/// But for `secret`, behind which stands `true` or what does not belong there.
bool is_of_field(std::string_view name) {
  if (name == "secret") return false;
  constexpr std::array of_type{std::string_view("type"), std::string_view("of"), std::string_view("values")};
  return std::ranges::find(of_type, name) != of_type.end() ||
         std::ranges::find(attributes(), name, &Attribute::name) != attributes().end();
}

/// Whether it is where something is said of a model or one of its fields by its known name.
bool is_of_declaration(std::span<const std::string_view> path) {
  if (path.size() < 3 || path[0] != "model") return false;
  if (path.size() == 3) return model_attribute_named(path[2]) != nullptr;
  if (path[2] == "performance") return path.size() == 4 && is_of_performance(path[3]);
  if (path[2] == "operations" && path.size() == 5) {
    const ModelAttribute* attribute = model_attribute_named(path[4]);
    return attribute != nullptr && attribute->declare_for != nullptr;
  }
  if (path[2] != "fields" || path.size() < 5) return false;
  // The expressions of an upcast may stand in a table, by the type that a value was of; a default may be JSON.
  const bool is_within = path[4] == "default" || (path[4] == "upcast" && path.size() == 6 && field_type_of(path[5]));
  return path.size() == 5 ? is_of_field(path[4]) : is_within;
}

/// Values that a field has, which nobody is to know of one that is secret.
bool is_of_values(std::span<const std::string_view> path) {
  return path.size() >= 5 && path[2] == "fields" &&
         (path[4] == "default" || path[4] == "one_of" || path[4] == "values");
}

/// Goes through a file as TOML is read, and notes what of it is not to be shown. It takes more than TOML: what is wrong
/// within a string, or said twice, changes nothing about where the string ends.
class Walk {
 public:
  /// Up to `end`, the end of a line. `shown`: where a value begins that may be shown.
  Walk(std::string_view text, std::size_t end, std::size_t shown) : text_(text), end_(end), shown_(shown) {}

  void go() {
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
    while (!failed_ && skip_to_next()) {
      if (text_[at_] == '[') {
        read_header();
      } else {
        read_pair(table_, 0);
      }
      skip(blanks);
      if (!failed_ && at_ < end_ && text_[at_] != '\n' && text_[at_] != '#') fail_at(at_);
    }
  }

  /// In order; they may touch each other.
  [[nodiscard]] const std::vector<Range>& hidden() const { return hidden_; }
  /// What is shown, but not where its field is secret, nor where the file is broken further on: then a quote may have
  /// been forgotten, and what stands within two may be the values of other keys.
  struct Doubtful {
    KeyPath field;  ///< whose value it is, with what leads to it; empty of other values
    Range range;
  };
  [[nodiscard]] const std::vector<Doubtful>& doubtful() const { return doubtful_; }
  /// Those that are to be secret, or of which something is said that nobody knows: it may be that, misspelt.
  [[nodiscard]] const std::vector<KeyPath>& secret_fields() const { return secret_fields_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void hide(std::size_t begin, std::size_t end) {
    if (begin < end) hidden_.push_back({begin, end});
  }

  void fail_at(std::size_t begin) {
    failed_ = true;
    hide(begin, end_);
    at_ = end_;
  }

  void skip(std::string_view characters) {
    while (at_ < end_ && characters.contains(text_[at_])) ++at_;
  }

  [[nodiscard]] std::size_t end_of_line(std::size_t from) const {
    return std::min({text_.find('\n', from), end_, text_.size()});
  }

  /// Over blanks, ends of lines and comments, which are hidden; false at the end.
  bool skip_to_next() {
    while (true) {
      skip(" \t\r\n");
      if (at_ >= end_) return false;
      if (text_[at_] != '#') return true;
      hide(at_ + 1, end_of_line(at_));
      at_ = end_of_line(at_);
    }
  }

  static void add_part(KeyPath& path, std::string_view part) {
    if (path.size() < parts_max) path.push_back(part);
  }

  /// The parts of a key, behind those of `path`; a quoted one without its quotes. False when there is none.
  bool read_key(KeyPath& path) {
    while (true) {
      skip(blanks);
      if (at_ >= end_) return false;
      const std::size_t begin = at_;
      if (text_[at_] == '"' || text_[at_] == '\'') {
        if (!read_string() || text_[begin] == text_[begin + 1]) return false;
        const std::string_view part = text_.substr(begin + 1, at_ - begin - 2);
        if (part.contains("://")) hide(begin, at_);
        add_part(path, part);
      } else {
        while (at_ < end_ && is_of_bare_key(text_[at_])) ++at_;
        if (at_ == begin) return false;
        add_part(path, text_.substr(begin, at_ - begin));
      }
      skip(blanks);
      if (at_ >= end_ || text_[at_] != '.') return true;
      ++at_;
    }
  }

  void read_header() {
    const std::size_t begin = at_;
    const std::size_t brackets = text_.substr(at_, 2) == "[[" ? 2 : 1;
    at_ += brackets;
    table_.clear();
    if (!read_key(table_)) return fail_at(begin);
    if (text_.substr(at_, brackets) != std::string_view("]]").substr(0, brackets)) return fail_at(at_);
    at_ += brackets;
  }

  void read_pair(const KeyPath& table, std::size_t depth) {
    const std::size_t begin = at_;
    KeyPath path = table;
    if (!read_key(path) || at_ >= end_ || text_[at_] != '=') return fail_at(begin);
    ++at_;
    skip(blanks);
    note_secret(path);
    read_value(path, depth);
  }

  void note_secret(const KeyPath& path) {
    if (path.size() >= 5 && path[2] == "fields" && !is_of_field(path[4]))
      secret_fields_.emplace_back(path.begin(), path.begin() + 4);
  }

  void read_value(const KeyPath& path, std::size_t depth) {
    if (at_ >= end_ || depth > depth_max) return fail_at(at_);
    switch (text_[at_]) {
      case '"':
      case '\'': {
        const std::size_t begin = at_;
        if (!read_string()) return fail_at(begin);
        decide(path, begin);
        return;
      }
      case '[': return read_list(path, depth);
      case '{': return read_table(path, depth);
      default: read_bare(path, depth);
    }
  }

  void read_list(const KeyPath& path, std::size_t depth) {
    ++at_;
    while (!failed_ && skip_to_next()) {
      if (text_[at_] == ']') {
        ++at_;
        return;
      }
      read_value(path, depth + 1);
      if (failed_ || !skip_to_next()) break;
      if (text_[at_] == ',') {
        ++at_;
      } else if (text_[at_] != ']') {
        break;
      }
    }
    fail_at(at_);  // nothing has closed it
  }

  void read_table(const KeyPath& path, std::size_t depth) {
    ++at_;
    skip(blanks);
    while (!failed_ && at_ < end_) {
      if (text_[at_] == '}') {
        ++at_;
        return;
      }
      read_pair(path, depth + 1);
      skip(blanks);
      if (failed_ || at_ >= end_) break;
      if (text_[at_] == ',') {
        ++at_;
        skip(blanks);
      } else if (text_[at_] != '}') {
        break;
      }
    }
    fail_at(at_);  // nothing has closed it
  }

  /// What stands there without quotes: a number, a time, or something that is no value at all.
  void read_bare(const KeyPath& path, std::size_t depth) {
    const std::size_t begin = at_;
    const std::size_t line = end_of_line(at_);
    at_ = std::min(text_.find_first_of(depth == 0 ? "#\n" : "#\n,]}", at_), line);
    while (at_ > begin && blanks.contains(text_[at_ - 1])) --at_;
    const std::string_view value = text_.substr(begin, at_ - begin);
    if (!is_bare_value(value)) return fail_at(begin);
    if (value == "true" || value == "false") return;
    const bool is_hidden = decide(path, begin);
    // It may go on behind a #.
    if (is_hidden && depth == 0) {
      hide(at_, line);
      at_ = line;
    }
  }

  /// Over a string, whose end may be missing: false then.
  bool read_string() {
    const char quote = text_[at_];
    const std::string_view rest = text_.substr(at_, end_ - at_);
    const bool several_lines = rest.size() >= 3 && rest[1] == quote && rest[2] == quote;
    at_ += several_lines ? 3 : 1;
    while (at_ < end_) {
      const char character = text_[at_];
      if (character == '\n' && !several_lines) return false;
      if (character == '\\' && quote == '"') {
        at_ = std::min(at_ + 2, end_);
        continue;
      }
      ++at_;
      if (character != quote) continue;
      if (!several_lines) return true;
      if (text_.substr(at_, std::min<std::size_t>(2, end_ - at_)) != std::string(2, quote)) continue;
      at_ += 2;
      // Up to two quotes may stand before the three.
      for (int more = 0; more < 2 && at_ < end_ && text_[at_] == quote; ++more) ++at_;
      return true;
    }
    return false;
  }

  /// Hides the value from `begin` up to here, if it is to be hidden; whether it is.
  bool decide(const KeyPath& path, std::size_t begin) {
    const bool harmless = begin == shown_ || is_of_declaration(path);
    const std::string_view value = text_.substr(begin, at_ - begin);
    if (!harmless || may_hold_password(value)) {
      hide(begin, at_);
      return true;
    }
    if (is_of_values(path)) {
      doubtful_.push_back({{path.begin(), path.begin() + 4}, {begin, at_}});
    } else if (value.contains('=') && value.substr(1, value.size() - 2).find_first_of("\"'") != value.npos) {
      doubtful_.push_back({{}, {begin, at_}});
    }
    return false;
  }

  const std::string_view text_;
  const std::size_t end_;
  const std::size_t shown_;
  std::size_t at_ = 0;
  bool failed_ = false;
  KeyPath table_;
  std::vector<Range> hidden_;
  std::vector<Doubtful> doubtful_;
  std::vector<KeyPath> secret_fields_;
};

/// The bytes of a line, without what ends it; nothing when there are fewer lines.
Range line_numbered(std::string_view text, std::size_t number) {
  std::size_t begin = number == 1 && text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  for (std::size_t line = 1; line < number; ++line) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return {};
    begin = end + 1;
  }
  return {begin, std::min(text.find('\n', begin), text.size())};
}

/// Where the character of this number, from 1, begins in the line; at its end when it has fewer.
std::size_t byte_of(std::string_view line, std::size_t column) {
  std::size_t at = 0;
  for (std::size_t character = 1; character < column && at < line.size(); ++character)
    at += std::max<std::size_t>(utf8_character_bytes(line.substr(at)), 1);
  return at;
}

std::size_t characters_in(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::max<std::size_t>(utf8_character_bytes(text), 1));
  return count;
}

/// What of the file up to the end of the line is not to be shown, in order.
std::vector<Range> hidden_ranges(std::string_view file, Range line, std::size_t shown) {
  Walk walk(file, line.end, shown);
  walk.go();
  std::vector<Range> hidden = walk.hidden();
  // That a field is secret may stand behind its values and on other lines, and where the file is broken, unread.
  Walk whole(file, file.size(), shown);
  whole.go();
  for (const Walk::Doubtful& value : walk.doubtful()) {
    if (whole.failed() || std::ranges::find(whole.secret_fields(), value.field) != whole.secret_fields().end())
      hidden.push_back(value.range);
  }
  std::ranges::sort(hidden, {}, &Range::begin);
  return hidden;
}

}  // namespace

ShownLine shown_line(std::string_view file, std::size_t line, std::size_t column, ValueAtPlace value) {
  ShownLine shown;
  if (line == 0) return shown;
  const Range range = line_numbered(file, line);
  const std::string_view text = file.substr(range.begin, range.end - range.begin);
  const std::size_t place = range.begin + byte_of(text, column);
  constexpr std::size_t none = std::string_view::npos;
  std::size_t caret = none;  // in bytes of what is shown
  std::size_t at = range.begin;
  for (const Range& hidden : hidden_ranges(file, range, value == ValueAtPlace::shown ? place : none)) {
    const std::size_t begin = std::max(hidden.begin, at);
    const std::size_t end = std::min(hidden.end, range.end);
    if (begin >= end) continue;
    if (place < begin && caret == none) caret = shown.text.size() + (place - at);
    shown.text += file.substr(at, begin - at);
    if (place >= begin && place <= end) {
      shown.is_hidden = true;
      if (caret == none) caret = shown.text.size();
    }
    if (!shown.text.ends_with(mask)) shown.text += mask;
    at = end;
  }
  if (caret == none) caret = shown.text.size() + (place - at);
  shown.text += file.substr(at, range.end - at);
  if (shown.text.ends_with('\r')) shown.text.pop_back();
  // Who looks for the end of the line finds it behind the last character.
  const std::size_t beyond = shown.is_hidden ? 0 : column - std::min(column, characters_in(text) + 1);
  shown.column = characters_in(std::string_view(shown.text).substr(0, caret)) + 1 + beyond;
  return shown;
}

}  // namespace annals::model
