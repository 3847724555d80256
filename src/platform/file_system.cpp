#include "platform/file_system.hpp"

#include <algorithm>

namespace annals::platform {
namespace {

/// What stands before the last slash; "." when there is none and "/" for the root.
std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// A new empty file at `path`, in place of one that an earlier attempt may have left.
Result<std::unique_ptr<File>> create_anew(FileSystem& files, const std::string& path) {
  if (TRY(files.exists(path))) TRY(files.remove(path));
  return files.create(path);
}

}  // namespace

Result<> File::write_zeros(std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t piece_bytes = 1u << 20;
  const std::string zeros(static_cast<std::size_t>(std::min(size, piece_bytes)), '\0');
  for (std::uint64_t done = 0; done < size; done += zeros.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size - done, zeros.size()));
    TRY(write_at(offset + done, std::string_view(zeros).substr(0, count)));
  }
  return {};
}

Result<bool> FileSystem::is_open_to_others(const std::string& path) const {
  if (!TRY(exists(path))) return fail(ErrorKind::not_found, path + " cannot be examined: there is no such file");
  return false;
}

Result<std::unique_ptr<DirectoryLock>> FileSystem::lock_directory_to_read(const std::string& path) {
  return lock_directory(path);
}

Result<std::string> read_whole_file(const FileSystem& files, const std::string& path, std::uint64_t size_max) {
  const std::unique_ptr<File> file = TRY(files.open_to_read(path));
  const std::uint64_t size = TRY(file->size());
  if (size > size_max) {
    return fail(ErrorKind::too_large,
                path + " has " + std::to_string(size) + " bytes; " + std::to_string(size_max) + " is the limit");
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  bytes.resize(TRY(file->read_at(0, bytes.data(), bytes.size())));
  return bytes;
}

Result<> replace_file(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string fresh_path = path + ".new";
  {
    const std::unique_ptr<File> fresh = TRY(create_anew(files, fresh_path));
    TRY(fresh->write_at(0, bytes));
    TRY(fresh->flush());
  }
  return rename_durably(files, fresh_path, path);
}

Result<> rename_durably(FileSystem& files, const std::string& from, const std::string& to) {
  TRY(files.rename(from, to));
  return files.flush_directory(directory_of(to));
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

}  // namespace annals::platform
