#include "log/segment/directory.hpp"

#include <algorithm>
#include <array>

#include "log/segment/format.hpp"
#include "log/segment/summary.hpp"
#include "log/segment/window.hpp"

namespace annals::log {
namespace {

using platform::FileSystem;

bool counts(const std::string& name) {
  return !name.starts_with('.') && name != "lost+found";
}

/// What an opening that was cut short may have left.
bool belongs_to_a_beginning(const std::string& name) {
  constexpr std::array<std::string_view, 5> ours{"LOCK", "STORE", "STORE.new", "log", "index"};
  return std::ranges::find(ours, name) != ours.end();
}

/// What list says of something else than a directory that has the folder's name, if it is so.
Result<std::optional<std::string>> is_no_folder(const FileSystem& files, const std::string& folder) {
  if (!TRY(files.exists(folder))) return std::nullopt;
  const auto names = files.list(folder);
  if (!names && names.error().code == "not_a_directory") return names.error().message;
  TRY(names);
  return std::nullopt;
}

/// Of a store. Errors: corrupt, when no directory has the name of the segments'; conflict ("directory_foreign"), of the
/// indexes'; input_output.
Result<> check_folders(const FileSystem& files, const std::string& directory) {
  if (const auto segments = TRY(is_no_folder(files, segments_directory(directory)))) {
    return fail(ErrorKind::corrupt,
                *segments + ", with the segments of the log; move it away and put the directory back from a backup");
  }
  if (const auto indexes = TRY(is_no_folder(files, index_directory(directory)))) {
    return fail(ErrorKind::conflict, "directory_foreign",
                *indexes + ", with indexes; move it away: they are made anew from the log");
  }
  return {};
}

}  // namespace

std::string identity_path(const std::string& directory) {
  return platform::join_path(directory, "STORE");
}
std::string segments_directory(const std::string& directory) {
  return platform::join_path(directory, "log");
}

bool belongs_to_segments(const std::string& name) {
  return name == next_segment_name || position_of_segment_name(name).has_value();
}

bool belongs_to_indexes(std::string_view name) {
  if (name.ends_with(".new")) name.remove_suffix(4);
  return name.ends_with(".summary") || name.ends_with(".streams");
}

Result<std::vector<NamedSegment>> find_segments(const FileSystem& files, const std::string& directory) {
  std::vector<NamedSegment> found;
  const std::string folder = segments_directory(directory);
  if (!TRY(files.exists(folder)) || TRY(is_no_folder(files, folder))) return found;
  for (const std::string& name : TRY(files.list(folder))) {
    if (const auto first = position_of_segment_name(name)) found.push_back({platform::join_path(folder, name), *first});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return found;
}

Result<bool> is_unborn(const FileSystem& files, const std::string& directory) {
  if (TRY(files.exists(identity_path(directory)))) return false;
  const auto names = TRY(find_segments(files, directory));
  if (names.empty()) return true;
  // The identity is written right after the first segment and before its first frame.
  const auto no_identity =
      damage(identity_path(directory), 0, "the file is missing, although segments of a log are there");
  if (names.size() > 1 || names.front().first != Position{1}) return std::unexpected(no_identity);
  const auto file = TRY(files.open_to_read(names.front().path));
  Window window = TRY(window_over(*file));
  const std::uint64_t size = TRY(file->size());
  for (std::uint64_t offset = segment_header_bytes; offset < size;) {
    const std::string_view bytes = TRY(window.at(offset, std::min<std::uint64_t>(size - offset, 1u << 20)));
    if (!all_zero(bytes)) return std::unexpected(no_identity);
    if (bytes.empty()) break;
    offset += bytes.size();
  }
  return true;
}

Result<> check_nothing_foreign(const FileSystem& files, const std::string& directory) {
  if (TRY(files.exists(identity_path(directory)))) return check_folders(files, directory);
  std::vector<std::string> foreign;
  for (const std::string& name : TRY(files.list(directory))) {
    if (counts(name) && !belongs_to_a_beginning(name)) foreign.push_back(name);
  }
  if (TRY(is_no_folder(files, segments_directory(directory)))) {
    foreign.emplace_back("log");
  } else if (TRY(files.exists(segments_directory(directory)))) {
    if (!TRY(find_segments(files, directory)).empty()) return {};  // is_unborn judges those
    for (const std::string& name : TRY(files.list(segments_directory(directory)))) {
      if (counts(name) && !belongs_to_segments(name)) foreign.push_back("log/" + name);
    }
  }
  if (TRY(is_no_folder(files, index_directory(directory)))) {
    foreign.emplace_back("index");
  } else if (TRY(files.exists(index_directory(directory)))) {
    for (const std::string& name : TRY(files.list(index_directory(directory)))) {
      // Indexes are of segments, which are not there: this was a store.
      if (counts(name)) foreign.push_back("index/" + name);
    }
  }
  if (foreign.empty()) return {};
  constexpr std::size_t named_max = 3;
  std::string names;
  for (std::size_t at = 0; at < std::min(foreign.size(), named_max); ++at) {
    names.append(at == 0 ? "" : ", ").append(foreign[at]);
  }
  if (foreign.size() > named_max) names += ", ...";
  return fail(ErrorKind::conflict, "directory_foreign",
              "directory " + directory + " holds no event store but other things (" + names +
                  "); choose a directory that is empty or does not exist yet");
}

Result<> check_holds_store(const FileSystem& files, const std::string& directory) {
  if (TRY(files.exists(identity_path(directory)))) return check_folders(files, directory);
  if (!TRY(files.exists(directory))) {
    return fail(ErrorKind::not_found,
                "directory " + directory + " does not exist; name the one that `annals serve` was given");
  }
  if (TRY(files.kind_of(directory)) == platform::EntryKind::file) {
    return fail(ErrorKind::usage, directory + " is a file; name the directory that `annals serve` was given");
  }
  if (!TRY(is_unborn(files, directory))) return {};  // its identity was made just now
  return fail(ErrorKind::not_found,
              "directory " + directory + " holds no event store; name the one that `annals serve` was given");
}

}  // namespace annals::log
