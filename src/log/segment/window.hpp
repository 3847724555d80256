#pragma once
// A window over a file that is read from front to back: bytes come from the disk in large pieces.
// Confined to one thread.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

class Window {
 public:
  /// Reads at least `piece_bytes` at once. The file must outlive the window.
  explicit Window(const platform::File& file, std::size_t piece_bytes = std::size_t{1} << 20)
      : file_(file), piece_bytes_(piece_bytes) {}

  /// The bytes from `offset` on: `size` of them, or fewer at the end of the file. Borrowed until the next call.
  /// Errors: input_output.
  [[nodiscard]] Result<std::string_view> at(std::uint64_t offset, std::size_t size) {
    if (offset < begin_ || offset + size > begin_ + filled_) TRY(load(offset, size));
    const std::size_t skipped = std::min<std::size_t>(offset - begin_, filled_);
    return std::string_view(buffer_.get() + skipped, std::min(size, filled_ - skipped));
  }

 private:
  Result<> load(std::uint64_t offset, std::size_t size) {
    const std::size_t wanted = std::max(size, piece_bytes_);
    if (capacity_ < wanted) {
      buffer_ = std::make_unique_for_overwrite<char[]>(wanted);
      capacity_ = wanted;
    }
    begin_ = offset;
    filled_ = 0;
    filled_ = TRY(file_.read_at(offset, buffer_.get(), wanted));
    return {};
  }

  const platform::File& file_;
  std::size_t piece_bytes_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
};

/// A window for reading all of a file, no larger than the file. Errors: input_output.
[[nodiscard]] inline Result<Window> window_over(const platform::File& file) {
  const std::uint64_t size = TRY(file.size());
  return Window(file, static_cast<std::size_t>(std::min<std::uint64_t>(size, 1u << 20)));
}

[[nodiscard]] inline bool all_zero(std::string_view bytes) {
  // Compared with itself one byte further on, which the library does in large words.
  return bytes.empty() || (bytes.front() == 0 && bytes.substr(1) == bytes.substr(0, bytes.size() - 1));
}

}  // namespace annals::log
