#include "store/postgres/known_database.hpp"

#include <xxhash.h>

#include <algorithm>
#include <charconv>

namespace annals::store {
namespace {

constexpr std::string_view heading = "annals database 1\n";
constexpr std::uint64_t bytes_max = 16u << 20;  // some 500,000 epochs: one for each start of a server

std::string to_text(const KnownDatabase& known) {
  std::string text(heading);
  text += "address " + known.address + "\n";
  text += "types " + known.data_type + " " + known.metadata_type + "\n";
  for (const Epoch& epoch : known.epochs) {
    text += "epoch " + std::to_string(epoch.number) + " " + std::to_string(epoch.before.value) + "\n";
  }
  text += "checksum " + std::to_string(XXH3_64bits(text.data(), text.size())) + "\n";
  return text;
}

/// Takes the first of some lines.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

/// What follows `word` and a space, up to the next space, which both go; the rest of the line stays.
std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

template <class Number>
Number number_in(std::string_view text) {
  Number number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// What the lines say, if they say what to_text writes; whether they do, to_text itself tells.
KnownDatabase parse(std::string_view text) {
  KnownDatabase known;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view word = take_word(line);
    if (word == "address") {
      known.address = line;
    } else if (word == "types") {
      known.data_type = take_word(line);
      known.metadata_type = line;
    } else if (word == "epoch") {
      const auto number = number_in<std::uint32_t>(take_word(line));
      known.epochs.push_back({number, Position{number_in<std::uint64_t>(line)}});
    }
  }
  return known;
}

}  // namespace

Result<KnownDatabase> read_known_database(const platform::FileSystem& files, const std::string& path) {
  const auto text = platform::read_own_file(files, path, bytes_max);
  if (!text && text.error().kind != ErrorKind::too_large) return std::unexpected(text.error());
  if (text) {
    KnownDatabase known = parse(*text);
    if (to_text(known) == *text) return known;
  }
  return fail(ErrorKind::corrupt, path + " is damaged, or not of this version; it can be deleted");
}

Result<> write_known_database(platform::FileSystem& files, const std::string& path, const KnownDatabase& known) {
  TRY(platform::make_directory_again(files, path));
  return platform::replace_file(files, path, to_text(known));
}

std::optional<Position> locate(std::span<const Epoch> epochs, const Cursor& cursor) {
  if (cursor.is_start()) return Position{};
  const auto epoch = std::ranges::find(epochs, cursor.epoch, &Epoch::number);
  if (epoch == epochs.end()) return std::nullopt;
  const auto next = epoch + 1;
  if (next != epochs.end() && cursor.position > next->before) return std::nullopt;
  return cursor.position;
}

bool continues(std::span<const Epoch> later, std::span<const Epoch> earlier) {
  return !earlier.empty() && later.size() >= earlier.size() && std::ranges::equal(later.first(earlier.size()), earlier);
}

}  // namespace annals::store
