#pragma once
// Entries: names with values as text, in the formats that `annals import` reads and `annals export` writes:
//
//   jsonl       a JSON object a line, {"name":"...","value":"..."}; holds everything
//   env         NAME=value as a shell and the dotenv tools read it; names are letters, digits and _ . - and begin with
//               no digit, . or -, values hold no NUL. Unquoted, 'as it is', or "with \\ \" \$ \` \n \r \t"; quoted
//               values may have several lines. Nothing is expanded. `export ` before the name; comments
//   properties  as java.util.Properties reads and writes it, in UTF-8; holds everything
//
// What the writers write, the readers read back to the byte. Confined to one thread at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace annals::server {

struct Entry {
  std::string name;
  std::string value;
  std::uint64_t line = 0;  ///< where it begins, from 1
};

enum class EntryFormat : std::uint8_t { jsonl, env, properties };

/// "jsonl", "env", "properties". Errors: usage.
[[nodiscard]] Result<EntryFormat> entry_format(std::string_view text);
/// What the end of a file's name says, jsonl when it says nothing.
[[nodiscard]] EntryFormat entry_format_of_file(std::string_view path);

/// The next piece of a text; empty at its end.
using TextSource = std::move_only_function<Result<std::string>()>;

/// The lines of a text, of which no more than a line and a piece are held at a time.
class LineReader {
 public:
  /// `lone_return_ends`: a carriage return without a line feed ends a line too.
  LineReader(TextSource source, bool lone_return_ends)
      : source_(std::move(source)), lone_return_ends_(lone_return_ends) {}

  /// The next line without its line feed (a carriage return before it is left, unless lone ones end lines), or nullopt
  /// at the end. Errors: those of the source; invalid: longer than a line may be, or not UTF-8.
  [[nodiscard]] Result<std::optional<std::string>> next();

  /// The number of the line that `next` gave last, from 1.
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  TextSource source_;
  const bool lone_return_ends_;
  std::string buffer_;
  std::size_t place_ = 0;
  bool ended_ = false;
  std::uint64_t number_ = 0;
};

class EntryReader {
 public:
  virtual ~EntryReader() = default;

  /// The next entry, or nullopt at the end. Errors: those of the source; invalid. The message names no file and no
  /// line: see `line`.
  [[nodiscard]] virtual Result<std::optional<Entry>> next() = 0;

  /// The line that was read last, or, after an error, the one that it is about.
  [[nodiscard]] virtual std::uint64_t line() const = 0;
};

/// A reader of entries that may have several lines each.
class LinesEntryReader : public EntryReader {
 public:
  [[nodiscard]] std::uint64_t line() const override { return line_; }

 protected:
  /// As LineReader.
  LinesEntryReader(TextSource source, bool lone_return_ends) : lines_(std::move(source), lone_return_ends) {}

  [[nodiscard]] Result<std::optional<std::string>> next_line() {
    auto line = lines_.next();
    line_ = lines_.number();
    return line;
  }
  /// `line` is this one, until the next is read.
  void go_back_to(std::uint64_t line) { line_ = line; }

 private:
  LineReader lines_;
  std::uint64_t line_ = 0;
};

[[nodiscard]] std::unique_ptr<EntryReader> make_entry_reader(EntryFormat format, TextSource source);

/// Appends an entry, with the end of its line. Errors: invalid, when the format cannot hold it.
[[nodiscard]] Result<> append_entry(EntryFormat format, std::string& out, std::string_view name,
                                    std::string_view value);

// Of each format; for `make_entry_reader` and `append_entry`.
[[nodiscard]] std::unique_ptr<EntryReader> make_env_reader(TextSource source);
[[nodiscard]] std::unique_ptr<EntryReader> make_properties_reader(TextSource source);
[[nodiscard]] Result<> append_env_entry(std::string& out, std::string_view name, std::string_view value);
void append_properties_entry(std::string& out, std::string_view name, std::string_view value);

}  // namespace annals::server
