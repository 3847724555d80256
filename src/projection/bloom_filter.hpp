#pragma once
// BloomFilter: whether a set may have a value, told from some 16 bits for each; never "no" for one that was added.
//
// Blocked: a value sets eight bits of one line of memory, so that a look costs one (Putze, Sanders, Singler: Cache-,
// Hash- and Space-Efficient Bloom Filters, 2007). With as many values as it was made for, it says "perhaps" of some 1
// in 1,000 that it does not have. Confined to one thread at a time; it may be asked from several.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace annals::projection {

class BloomFilter {
 public:
  static constexpr std::size_t bits_each = 16;

  /// For so many values.
  explicit BloomFilter(std::size_t capacity)
      : capacity_(capacity), lines_(capacity * bits_each / (8 * sizeof(Line)) + 1) {}

  /// A value by its hash, of which all 64 bits count.
  void add(std::uint64_t hash) {
    Line& line = lines_[line_of(hash)];
    bool is_new = false;
    for (std::size_t word = 0; word < line.size(); ++word) {
      const std::uint64_t bit = bit_of(hash, word);
      is_new = is_new || (line[word] & bit) == 0;
      line[word] |= bit;
    }
    count_ += is_new ? 1 : 0;
  }

  [[nodiscard]] bool may_have(std::uint64_t hash) const {
    const Line& line = lines_[line_of(hash)];
    for (std::size_t word = 0; word < line.size(); ++word) {
      if ((line[word] & bit_of(hash, word)) == 0) return false;
    }
    return true;
  }

  /// How many values it has, more or less: those of which it did not say "perhaps" when they were added.
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint64_t bytes() const { return lines_.size() * sizeof(Line); }

 private:
  using Line = std::array<std::uint64_t, 8>;

  [[nodiscard]] std::size_t line_of(std::uint64_t hash) const {
    return static_cast<std::size_t>((hash >> 32) * lines_.size() >> 32);
  }
  /// Bits of their own from the same hash: multiplied, its upper bits depend on all of it.
  static std::uint64_t bit_of(std::uint64_t hash, std::size_t word) {
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
    const std::uint64_t mixed = (hash ^ (hash >> 29)) * odd;
    return std::uint64_t{1} << ((mixed >> (58 - 6 * word)) & 63);
  }

  std::size_t capacity_;
  std::size_t count_ = 0;
  std::vector<Line> lines_;
};

}  // namespace annals::projection
