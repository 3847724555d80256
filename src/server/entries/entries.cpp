#include "server/entries/entries.hpp"

#include "base/utf8.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

constexpr std::size_t line_bytes_max = 16u << 20;

class JsonLinesReader final : public EntryReader {
 public:
  explicit JsonLinesReader(TextSource source) : lines_(std::move(source), false) {}

  [[nodiscard]] Result<std::optional<Entry>> next() override {
    while (auto line = TRY(lines_.next())) {
      if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
      return TRY(entry_of(*line));
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t line() const override { return lines_.number(); }

 private:
  [[nodiscard]] Result<Entry> entry_of(const std::string& line) {
    const auto object = TRY(json::thread_reader().read_object(line));
    const std::string_view* name = object.text("name");
    const std::string_view* value = object.text("value");
    if (name == nullptr || value == nullptr || object.members.size() != 2) {
      return fail(ErrorKind::invalid, "an object of the form {\"name\":\"...\",\"value\":\"...\"} is expected");
    }
    return Entry{std::string(*name), std::string(*value), lines_.number()};
  }

  LineReader lines_;
};

}  // namespace

Result<EntryFormat> entry_format(std::string_view text) {
  if (text == "jsonl") return EntryFormat::jsonl;
  if (text == "env") return EntryFormat::env;
  if (text == "properties") return EntryFormat::properties;
  return fail(ErrorKind::usage, "--format is " + in_quotes(text) + "; expected jsonl, env or properties");
}

EntryFormat entry_format_of_file(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".env") || name.starts_with(".env")) return EntryFormat::env;
  return name.ends_with(".properties") ? EntryFormat::properties : EntryFormat::jsonl;
}

Result<std::optional<std::string>> LineReader::next() {
  std::size_t end = place_;
  while (true) {
    end = buffer_.find_first_of(lone_return_ends_ ? "\r\n" : "\n", end);
    // Whether a line feed follows a carriage return is not known before the next piece is there.
    const bool known = end != std::string::npos && (buffer_[end] == '\n' || end + 1 < buffer_.size() || ended_);
    if (known) break;
    if (ended_) {
      if (place_ == buffer_.size()) return std::nullopt;
      end = buffer_.size();
      break;
    }
    end = (end == std::string::npos ? buffer_.size() : end) - place_;
    buffer_.erase(0, place_);
    place_ = 0;
    if (buffer_.size() > line_bytes_max) {
      ++number_;
      return fail(ErrorKind::invalid, "the line is longer than " + std::to_string(line_bytes_max >> 20) + " MiB");
    }
    const std::string piece = TRY(source_());
    ended_ = piece.empty();
    buffer_ += piece;
  }
  std::string line = buffer_.substr(place_, end - place_);
  const bool two = end + 1 < buffer_.size() && buffer_[end] == '\r' && buffer_[end + 1] == '\n';
  place_ = std::min(end + (two ? 2 : 1), buffer_.size());
  ++number_;
  if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // a byte order mark
  if (!is_utf8(line)) return fail(ErrorKind::invalid, "the line is not UTF-8");
  return line;
}

std::unique_ptr<EntryReader> make_entry_reader(EntryFormat format, TextSource source) {
  switch (format) {
    case EntryFormat::jsonl: break;
    case EntryFormat::env: return make_env_reader(std::move(source));
    case EntryFormat::properties: return make_properties_reader(std::move(source));
  }
  return std::make_unique<JsonLinesReader>(std::move(source));
}

Result<> append_entry(EntryFormat format, std::string& out, std::string_view name, std::string_view value) {
  switch (format) {
    case EntryFormat::jsonl: break;
    case EntryFormat::env: return append_env_entry(out, name, value);
    case EntryFormat::properties: append_properties_entry(out, name, value); return {};
  }
  out += "{\"name\":";
  json::append_string(out, name);
  out += ",\"value\":";
  json::append_string(out, value);
  out += "}\n";
  return {};
}

}  // namespace annals::server
