#include "projection/checkpoint.hpp"

namespace annals::projection {
namespace {

constexpr std::string_view heading = "annals checkpoint 1\n";
constexpr std::uint64_t bytes_max = 4096;

/// FNV-1a, 64 bits: enough against a torn or rotten file of one line.
std::uint64_t checksum(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

std::string contents(const Cursor& cursor) {
  const std::string text = cursor.to_text();
  return std::string(heading) + text + "\n" + std::to_string(checksum(text)) + "\n";
}

/// A checkpoint is of events that were flushed, so one beyond the end belongs to a longer log than this one: to go on
/// from it would pass over what is recorded up to there.
Result<Position> locate(const EventStore& store, const Cursor& cursor) {
  const Position position = TRY(store.resolve(cursor));
  const Position flushed = store.status().flushed;
  if (position <= flushed) return position;
  return fail(
      ErrorKind::gone, "cursor_gone",
      "the checkpoint is at position " + to_string(position) + " of a store that ends at " + to_string(flushed));
}

}  // namespace

Result<Position> CheckpointFile::load(const EventStore& store) const {
  if (path_.empty() || !TRY(files_.exists(path_))) return Position{};
  const auto bytes = platform::read_whole_file(files_, path_, bytes_max);
  if (!bytes && bytes.error().kind != ErrorKind::too_large) return std::unexpected(bytes.error());
  if (bytes && bytes->starts_with(heading)) {
    const std::string text = bytes->substr(heading.size(), bytes->find('\n', heading.size()) - heading.size());
    const auto cursor = Cursor::from_text(text);
    if (cursor && contents(*cursor) == *bytes) return locate(store, *cursor);
  }
  return fail(ErrorKind::corrupt, "the checkpoint " + path_ + " is damaged");
}

Result<> CheckpointFile::save(const Cursor& cursor) {
  if (path_.empty()) return {};
  TRY(platform::make_directory_again(files_, path_));
  return platform::replace_file(files_, path_, contents(cursor));
}

}  // namespace annals::projection
