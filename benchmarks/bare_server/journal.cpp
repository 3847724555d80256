#include "benchmarks/bare_server/journal.hpp"

#include <fcntl.h>
#include <xxhash.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::size_t zeros_at_once = 1u << 20;

Result<> write_all(const Descriptor& file, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) return std::unexpected(system_error("write to the journal"));
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path, std::uint64_t file_bytes) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return std::unexpected(system_error("make " + path));
  if (::fallocate(file.get(), 0, 0, static_cast<off_t>(file_bytes)) != 0) {
    return std::unexpected(system_error("preallocate " + path));
  }
  const std::string zeros(zeros_at_once, '\0');
  for (std::uint64_t offset = 0; offset < file_bytes; offset += zeros.size()) {
    const std::uint64_t size = std::min<std::uint64_t>(zeros.size(), file_bytes - offset);
    TRY(write_all(file, std::string_view(zeros).substr(0, size), offset));
  }
  if (::fsync(file.get()) != 0) return std::unexpected(system_error("flush " + path));
  return std::unique_ptr<Journal>(new Journal(std::move(file), file_bytes));
}

void Journal::add(std::string_view key, std::string_view value) {
  constexpr std::size_t checked_from = sizeof(std::uint32_t) + sizeof(std::uint64_t);
  const std::size_t start = pending_.size();
  put(pending_, static_cast<std::uint32_t>(sizeof(std::uint16_t) + key.size() + value.size()));
  put(pending_, std::uint64_t{0});
  put(pending_, static_cast<std::uint16_t>(key.size()));
  pending_.append(key).append(value);
  const char* checked = pending_.data() + start + checked_from;
  const std::uint64_t checksum = XXH3_64bits(checked, pending_.size() - start - checked_from);
  put_at(pending_.data() + start + sizeof(std::uint32_t), checksum);
}

Result<> Journal::flush() {
  if (pending_.size() > file_bytes_) return fail(ErrorKind::too_large, "one flush does not fit the journal");
  if (end_ + pending_.size() > file_bytes_) end_ = 0;
  TRY(write_all(file_, pending_, end_));
  if (::fdatasync(file_.get()) != 0) return std::unexpected(system_error("flush the journal"));
  end_ += pending_.size();
  pending_.clear();
  return {};
}

}  // namespace annals::benchmarks
