#pragma once
// The directory of a log: the names in it, and whether it holds a store, none, or something else altogether.
// Functions over a file system; no thread rule. Source: log/FORMAT.md.

#include <string>
#include <vector>

#include "base/result.hpp"
#include "log/record.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

[[nodiscard]] std::string identity_path(const std::string& directory);
[[nodiscard]] std::string segments_directory(const std::string& directory);

/// Whether a file of this name in the folder of the segments is one that a log makes; being made, too.
[[nodiscard]] bool belongs_to_segments(const std::string& name);
/// Likewise in the folder of the indexes, a log's or those of who keeps others beside them.
[[nodiscard]] bool belongs_to_indexes(std::string_view name);

struct NamedSegment {
  std::string path;
  Position first;
};

/// What has a segment's name, in order; nothing when the directory of the segments is missing, or is none. Errors:
/// input_output.
[[nodiscard]] Result<std::vector<NamedSegment>> find_segments(const platform::FileSystem& files,
                                                              const std::string& directory);

/// True when there is no identity and nothing was ever recorded: the directory is empty, or a first opening was cut
/// short. Errors: corrupt, when records are there but no identity; input_output.
[[nodiscard]] Result<bool> is_unborn(const platform::FileSystem& files, const std::string& directory);

/// Makes sure that what holds no store holds nothing else either, so that a log never begins among somebody's files.
/// lost+found and hidden files do not count. Errors: conflict ("directory_foreign"); those of check_holds_store about
/// the folders of a store.
[[nodiscard]] Result<> check_nothing_foreign(const platform::FileSystem& files, const std::string& directory);

/// Errors: not_found, when the directory does not exist or holds no store; corrupt, as is_unborn, and when something
/// else is in the place of the folder of the segments; conflict ("directory_foreign"), of that of the indexes;
/// input_output.
[[nodiscard]] Result<> check_holds_store(const platform::FileSystem& files, const std::string& directory);

}  // namespace annals::log
