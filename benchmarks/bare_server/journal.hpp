#pragma once
// The bare server's file: preallocated, prewritten with zeros and flushed before the first request, so that a flush has
// no metadata to write. Records of one flush go out by one pwrite and one fdatasync.
//
// A record is its length (4 bytes), an XXH3 checksum (8), the key's length (2), the key and the value: the least
// from which the values could be read back. Nothing reads them back: when the file is full, writing begins at its
// start again, as if a next segment had been ready.
//
// Confined to one thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "benchmarks/common/socket.hpp"

namespace annals::benchmarks {

class Journal {
 public:
  /// Makes (or replaces) the file. Errors: input_output.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::string& path, std::uint64_t file_bytes);

  /// Puts a record into the next flush.
  void add(std::string_view key, std::string_view value);

  /// Returns once all added records would survive the loss of power. Errors: input_output; the program must then stop.
  [[nodiscard]] Result<> flush();

 private:
  Journal(Descriptor file, std::uint64_t file_bytes) : file_(std::move(file)), file_bytes_(file_bytes) {}

  Descriptor file_;
  std::uint64_t file_bytes_;
  std::uint64_t end_ = 0;  // where the next flush writes
  std::string pending_;
};

}  // namespace annals::benchmarks
