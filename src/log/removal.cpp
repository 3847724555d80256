#include "log/removal.hpp"

#include <algorithm>
#include <array>

#include "log/log.hpp"
#include "log/segment/directory.hpp"

namespace annals::log {
namespace {

using platform::EntryKind;
using platform::FileSystem;
using platform::join_path;

constexpr std::array<std::string_view, 3> own_files{"LOCK", "STORE", "STORE.new"};

bool belongs_to_log(std::string_view name) {
  return belongs_to_segments(std::string(name));
}

/// What there is, by what is to become of it. Paths.
struct Plan {
  std::string directory;
  std::vector<std::string> segments;  // in order; the last may be the one that is being prepared
  std::vector<std::string> others;    // in the folders
  std::vector<std::string> folders;
  std::vector<std::string> left;  // within the directory
};

/// Something has a name of ours: it must be what we make under that name. Errors: conflict.
Result<> check_kind(const FileSystem& files, const std::string& path, EntryKind expected) {
  const EntryKind found = TRY(files.kind_of(path));
  if (found == expected) return {};
  const std::string what = found == EntryKind::link ? "a symbolic link" : "something else";
  return fail(ErrorKind::conflict, "directory_foreign",
              path + " is " + what + " where a store has a " + (expected == EntryKind::file ? "file" : "directory") +
                  " of its own; nothing was removed: remove by hand what is to go");
}

/// Before the lock is taken, for which a file is written to. Errors: those of remove_log.
Result<> check_is_log(const FileSystem& files, const std::string& directory) {
  const EntryKind kind = TRY(files.kind_of(directory));
  if (kind == EntryKind::none) return fail(ErrorKind::not_found, "directory " + directory + " does not exist");
  TRY(check_kind(files, directory, EntryKind::directory));
  for (const std::string_view name : own_files) {
    const std::string path = join_path(directory, name);
    if (TRY(files.kind_of(path)) != EntryKind::none) TRY(check_kind(files, path, EntryKind::file));
  }
  if (TRY(files.kind_of(identity_path(directory))) == EntryKind::none) {
    return fail(ErrorKind::not_found, "directory " + directory +
                                          " holds no event store (it has no file STORE); nothing was removed: name the "
                                          "one that `annals serve` was given");
  }
  if (const auto identity = identity_of_log(files, directory); !identity) {
    const Error& error = identity.error();
    return fail(error.kind, error.code, error.message + "; nothing was removed: remove by hand what is to go");
  }
  return {};
}

Result<> plan_folder(const FileSystem& files, const FolderBeside& folder, Plan& plan) {
  const std::string path = join_path(plan.directory, folder.name);
  if (TRY(files.kind_of(path)) == EntryKind::none) return {};
  TRY(check_kind(files, path, EntryKind::directory));
  plan.folders.push_back(path);
  for (const std::string& name : TRY(files.list(path))) {
    if (!folder.owns(name)) {
      plan.left.push_back(join_path(folder.name, name));
      continue;
    }
    const std::string file = join_path(path, name);
    TRY(check_kind(files, file, EntryKind::file));
    (folder.owns == belongs_to_log ? plan.segments : plan.others).push_back(file);
  }
  return {};
}

Result<Plan> make_plan(const FileSystem& files, const std::string& directory, std::span<const FolderBeside> beside) {
  Plan plan;
  plan.directory = directory;
  std::vector<FolderBeside> folders{{"log", belongs_to_log}, {"index", belongs_to_indexes}};
  folders.insert(folders.end(), beside.begin(), beside.end());
  for (const FolderBeside& folder : folders) TRY(plan_folder(files, folder, plan));
  for (const std::string& name : TRY(files.list(directory))) {
    const bool ours = std::ranges::find(own_files, name) != own_files.end() ||
                      std::ranges::find(folders, name, &FolderBeside::name) != folders.end();
    if (!ours) plan.left.push_back(name);
  }
  std::ranges::sort(plan.left);
  return plan;
}

Result<> remove_if_there(FileSystem& files, const std::string& path) {
  if (TRY(files.kind_of(path)) == EntryKind::none) return {};
  return files.remove(path);
}

Result<> carry_out(FileSystem& files, const Plan& plan) {
  const std::string& directory = plan.directory;
  for (std::size_t at = 0; at < plan.segments.size(); ++at) {
    TRY(files.remove(plan.segments[at]));
    if (at == 0) TRY(files.flush_directory(segments_directory(directory)));
  }
  for (const std::string& path : plan.others) TRY(files.remove(path));
  // Before STORE goes nothing may be able to come back that would be damage without it.
  for (const std::string& folder : plan.folders) {
    TRY(files.flush_directory(folder));
    if (TRY(files.list(folder)).empty()) TRY(files.remove_directory(folder));
  }
  TRY(files.flush_directory(directory));
  TRY(remove_if_there(files, join_path(directory, "STORE.new")));
  TRY(files.remove(identity_path(directory)));
  TRY(files.flush_directory(directory));
  return remove_if_there(files, join_path(directory, "LOCK"));
}

/// A path that ends in a slash leads through a symbolic link.
std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Result<Removal> remove_log(FileSystem& files, const std::string& named, std::span<const FolderBeside> beside) {
  const std::string directory = without_slashes(named);
  TRY(check_is_log(files, directory));
  const auto lock = TRY(files.lock_directory(directory));
  const Plan plan = TRY(make_plan(files, directory, beside));
  TRY(carry_out(files, plan));
  // A directory that something is mounted on, or whose parent belongs to others, stays; the log is gone all the same.
  const bool gone = plan.left.empty() && files.remove_directory(directory);
  return Removal{.left = plan.left, .directory_left = !gone};
}

}  // namespace annals::log
