#pragma once
// OrderText: the bytes of a value's order (model/value_order.hpp) in an entry of an index, in 16 bytes where they are
// 15 or fewer, as those of numbers, times and short texts are. Two such are compared by two words each, without a loop
// and without a call; a std::string takes twice the memory, of which a tree's search waits for each line.
//
// WordsOf is the beginning of a text as such words; it makes them once for a search.
//
// Immutable values.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace annals::projection {

static_assert(std::endian::native == std::endian::little);

/// Up to eight bytes of a text from `at` on, the first one the greatest, and zeros behind its end. Where the words of
/// two texts differ, the texts are in the order of the words.
[[nodiscard]] inline std::uint64_t order_word(std::string_view text, std::size_t at = 0) {
  std::uint64_t word = 0;
  if (text.size() > at) std::memcpy(&word, text.data() + at, std::min<std::size_t>(text.size() - at, sizeof word));
  return __builtin_bswap64(word);
}

/// The first 15 bytes.
struct WordsOf {
  std::uint64_t first;
  std::uint64_t second;

  explicit WordsOf(std::string_view text)
      : first(order_word(text)), second(order_word(text.substr(0, bytes_max), sizeof first)) {}
  WordsOf(std::uint64_t the_first, std::uint64_t the_second) : first(the_first), second(the_second) {}

  static constexpr std::size_t bytes_max = 15;
};

class OrderText {
 public:
  explicit OrderText(std::string_view text) {
    if (text.size() <= WordsOf::bytes_max) {
      if (!text.empty()) std::memcpy(bytes_.data(), text.data(), text.size());
      bytes_.back() = static_cast<char>(text.size());
      return;
    }
    auto* apart = static_cast<char*>(::operator new(text.size()));
    std::memcpy(apart, text.data(), text.size());
    const Apart there{apart, static_cast<std::uint32_t>(text.size())};
    std::memcpy(bytes_.data(), &there.text, sizeof there.text);
    std::memcpy(bytes_.data() + sizeof there.text, &there.size, sizeof there.size);
    bytes_.back() = apart_mark;
  }
  OrderText(OrderText&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  OrderText& operator=(OrderText&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~OrderText() {
    if (is_apart()) ::operator delete(apart().text);
  }

  [[nodiscard]] std::string_view view() const {
    if (!is_apart()) return {bytes_.data(), static_cast<std::size_t>(bytes_.back())};
    const Apart there = apart();
    return {there.text, there.size};
  }
  [[nodiscard]] bool is_apart() const { return bytes_.back() == apart_mark; }
  /// What a text takes of memory beside this.
  [[nodiscard]] static std::size_t bytes_apart(std::string_view text) {
    return text.size() > WordsOf::bytes_max ? text.size() : 0;
  }
  /// Below 0, 0, above 0, as it comes before `text`, is equal or comes after; `words` are those of `text`.
  [[nodiscard]] int compare(std::string_view text, const WordsOf& words) const {
    if (is_apart()) return view().compare(text);
    const WordsOf own = own_words();
    if (own.first != words.first) return own.first < words.first ? -1 : 1;
    if (own.second != words.second) return own.second < words.second ? -1 : 1;
    const auto size = static_cast<std::size_t>(bytes_.back());
    return size < text.size() ? -1 : size > text.size() ? 1 : 0;
  }
  [[nodiscard]] int compare(const OrderText& other) const {
    if (other.is_apart()) return view().compare(other.view());
    return compare(other.view(), other.own_words());
  }

 private:
  struct Apart {
    char* text;
    std::uint32_t size;
  };
  static constexpr char apart_mark = 127;

  [[nodiscard]] Apart apart() const {
    Apart there{};
    std::memcpy(&there.text, bytes_.data(), sizeof there.text);
    std::memcpy(&there.size, bytes_.data() + sizeof there.text, sizeof there.size);
    return there;
  }
  /// INVARIANT: it does not lie apart.
  [[nodiscard]] WordsOf own_words() const {
    const auto whole = std::bit_cast<std::array<std::uint64_t, 2>>(bytes_);
    return {__builtin_bswap64(whole[0]), __builtin_bswap64(whole[1]) & ~std::uint64_t{0xff}};
  }

  // The text and zeros, and in the last byte its size; or where it is, its size, and in the last byte the mark.
  alignas(8) std::array<char, 16> bytes_{};
};
static_assert(sizeof(OrderText) == 16);

}  // namespace annals::projection
