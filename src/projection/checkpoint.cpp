#include "projection/checkpoint.hpp"

#include "projection/state_file.hpp"

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

Result<Cursor> read_checkpoint(const platform::FileSystem& files, const std::string& path) {
  const auto bytes = platform::read_own_file(files, path, bytes_max);
  if (!bytes && bytes.error().kind != ErrorKind::too_large) return std::unexpected(bytes.error());
  if (bytes && bytes->starts_with(heading)) {
    const std::string text = bytes->substr(heading.size(), bytes->find('\n', heading.size()) - heading.size());
    const auto cursor = Cursor::from_text(text);
    if (cursor && contents(*cursor) == *bytes) return *cursor;
  }
  return fail(ErrorKind::corrupt, "the checkpoint " + path + " is damaged");
}

}  // namespace

Result<Position> CheckpointFile::load(const EventStore& store) const {
  if (path_.empty() || !TRY(files_.exists(path_))) return Position{};
  return locate_checkpoint(store, TRY(read_checkpoint(files_, path_)), path_);
}

Result<> CheckpointFile::save(const Cursor& cursor) {
  if (path_.empty()) return {};
  TRY(platform::make_directory_again(files_, path_));
  return platform::replace_file(files_, path_, contents(cursor));
}

std::vector<FoundCheckpoint> find_checkpoints(const platform::FileSystem& files, const std::string& directory) {
  std::vector<FoundCheckpoint> found;
  for (const std::string& name : files.list(directory).value_or(std::vector<std::string>{})) {
    if (name.ends_with(".new")) continue;
    const std::string path = platform::join_path(directory, name);
    if (const auto cursor = read_checkpoint(files, path)) {
      found.push_back({path, *cursor});
    } else if (const auto end = read_state_file_end(files, path)) {
      found.push_back({path, end->cursor, end->event});
    }
  }
  return found;
}

Result<> check_checkpoint(const platform::FileSystem& files, const std::string& path) {
  const auto bytes = platform::read_own_file(files, path, bytes_max);
  if (!bytes || !bytes->starts_with(heading)) return check_state_file(files, path);
  TRY(read_checkpoint(files, path));
  return {};
}

/// One beyond the end belongs to a longer log than this one: to go on from it would pass over what is recorded up to
/// there.
Result<Position> locate_checkpoint(const EventStore& store, const Cursor& cursor, const std::string& path) {
  const auto resolved = store.resolve(cursor);
  if (!resolved && resolved.error().kind != ErrorKind::gone) return resolved;
  const Position flushed = store.status().flushed;
  if (resolved && *resolved <= flushed) return resolved;
  return fail(ErrorKind::gone, "cursor_gone",
              path + " tells of position " + to_string(cursor.position) +
                  ", which had been flushed and is not in the store, which ends at " + to_string(flushed) +
                  ": an older copy of the log was put back, what the disk had confirmed was lost, or the file is of "
                  "another store");
}

}  // namespace annals::projection
