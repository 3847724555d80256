#pragma once
// Removing a log from its directory: what it made there, and nothing else. What anybody else put beside it stays, and
// then the directory does too. Symbolic links are not followed: where one has the name of something that a log makes,
// nothing at all is removed.
//
// A removal that was cut short leaves no log that could be taken for a whole one: the segment with the first records
// goes first, durably, and every opening finds from then on that it is missing. STORE goes last, so that what is left
// is known for a log's until then, and a second removal ends what the first began.
//
// Functions over a file system; one thread at a time.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

/// A folder in the directory of a log where somebody keeps files that are worth nothing without it.
struct FolderBeside {
  std::string_view name;
  bool (*owns)(std::string_view file_name);
};

struct Removal {
  std::vector<std::string> left{};  ///< what no log made, by paths within the directory, in order
  bool directory_left = false;      ///< because of those, or because it may not be removed itself
};

/// Removes the log of a directory under its lock, sound or not, and the files `beside` it. Errors: not_found, when
/// there is no such directory, or no log in it; corrupt or unsupported, when STORE is none of ours; conflict, when
/// another process has it open ("directory_locked") or something of another kind has the name of what a log makes
/// ("directory_foreign"); nothing is removed then. input_output: it may be half gone, and be removed again.
[[nodiscard]] Result<Removal> remove_log(platform::FileSystem& files, const std::string& directory,
                                         std::span<const FolderBeside> beside);

}  // namespace annals::log
