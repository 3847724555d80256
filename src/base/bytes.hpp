#pragma once
// Little-endian integers in and out of byte strings. Bytes are held in std::string and seen through std::string_view.
// Pure functions; no thread rule.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace annals {

static_assert(std::endian::native == std::endian::little, "stored integers are little-endian and copied as they are");

/// Appends `number` to `out`, least significant byte first.
template <std::integral T>
void put(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Writes `number` at `at`, which has room for it.
template <std::integral T>
void put_at(char* at, T number) {
  std::memcpy(at, &number, sizeof number);
}

/// Reads the integer at `at`, which has at least sizeof(T) bytes.
template <std::integral T>
[[nodiscard]] T get_at(const char* at) {
  T number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

/// Reads bytes from front to back. A read past the end fails once and for all: check `ok()` after the last one.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <std::integral T>
  T integer() {
    if (rest_.size() < sizeof(T)) {
      failed_ = true;
      rest_ = {};
      return T{};
    }
    T number = get_at<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return number;
  }

  /// The next `count` bytes, borrowed from what the reader was given; empty when there are fewer.
  std::string_view take(std::size_t count) {
    if (rest_.size() < count) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace annals
