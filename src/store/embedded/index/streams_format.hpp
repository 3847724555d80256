#pragma once
// The bytes of a streams file, which store/embedded/FORMAT.md describes, as functions between values and bytes.
// Pure functions; no thread rule.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/number.hpp"
#include "base/uuid.hpp"

namespace annals::store {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t page_content_bytes = page_bytes - 8;  // the rest is the checksum
inline constexpr std::size_t entry_bytes = 40;
inline constexpr std::size_t entries_a_page = page_content_bytes / entry_bytes;
inline constexpr std::size_t addresses_a_page = page_content_bytes / 8;
inline constexpr std::size_t bloom_block_bytes = 64;
inline constexpr std::size_t bloom_bits_a_stream = 10;

/// Consecutive segments, both included.
struct SegmentSpan {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  [[nodiscard]] std::uint32_t count() const { return last - first + 1; }
  bool operator==(const SegmentSpan&) const = default;
};

/// `0000000-0000007.streams`
[[nodiscard]] std::string streams_name(SegmentSpan span);
[[nodiscard]] std::optional<SegmentSpan> span_of_streams_name(std::string_view name);

/// Stands for a stream's name. Seeded from the store's UUID, so that nobody outside can choose names that collide.
struct StreamHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const StreamHash&) const = default;
};
[[nodiscard]] std::uint64_t hash_seed(const Uuid& store);
[[nodiscard]] StreamHash hash_stream(std::string_view stream, std::uint64_t seed);

/// One stream in a file: `count` consecutive versions from `first` on, whose addresses stand from number `begin` on.
struct StreamEntry {
  StreamHash hash;
  StreamVersion first;
  std::uint64_t count = 0;
  std::uint64_t begin = 0;
  [[nodiscard]] StreamVersion last() const { return StreamVersion{first.value + count - 1}; }
};
void put_entry(std::string& out, const StreamEntry& entry);
[[nodiscard]] StreamEntry get_entry(const char* at);

struct StreamsFooter {
  Uuid store;
  SegmentSpan span;
  std::uint64_t salts = 0;  ///< stands for the salts of the segments: the file is for these and no others
  std::uint64_t addresses = 0;
  std::uint64_t entries = 0;
  std::uint64_t bloom_blocks = 0;
  bool operator==(const StreamsFooter&) const = default;

  // Pages, in the order of the file; the footer is the last one.
  [[nodiscard]] std::uint64_t address_pages() const { return pages(addresses, addresses_a_page); }
  [[nodiscard]] std::uint64_t entry_pages() const { return pages(entries, entries_a_page); }
  [[nodiscard]] std::uint64_t bloom_pages() const {
    return pages(bloom_blocks * bloom_block_bytes, page_content_bytes);
  }
  [[nodiscard]] std::uint64_t page_count() const { return address_pages() + entry_pages() + bloom_pages() + 1; }

 private:
  static std::uint64_t pages(std::uint64_t items, std::uint64_t a_page) { return (items + a_page - 1) / a_page; }
};
[[nodiscard]] std::string encode_footer(const StreamsFooter& footer);
/// Of the content of a page whose checksum is right; nullopt when it is no footer, or one of an unknown version.
[[nodiscard]] std::optional<StreamsFooter> decode_footer(std::string_view content);

/// Stands for the salts of consecutive segments.
[[nodiscard]] std::uint64_t digest_of_salts(const std::vector<std::uint64_t>& salts);

/// What checksums of pages are seeded with: a page is valid in its place in the file of these segments only.
[[nodiscard]] std::uint64_t page_seed(std::uint64_t salts, std::uint64_t page);
/// Fills the page up with zeros and appends its checksum.
void finish_page(std::string& content, std::uint64_t seed);
[[nodiscard]] bool page_is_intact(const char* page, std::uint64_t seed);

/// A Bloom filter whose bits for one stream lie in one block of 64 bytes (Putze, Sanders, Singler: "Cache-, Hash- and
/// Space-Efficient Bloom Filters", 2007): 7 bits of the block, chosen by the hash.
[[nodiscard]] std::uint64_t bloom_blocks_for(std::uint64_t streams);
void bloom_add(std::string& blocks, StreamHash hash);
[[nodiscard]] bool bloom_may_have(std::string_view blocks, StreamHash hash);

/// An order-free digest of what files say: the sum of this over all events.
[[nodiscard]] std::uint64_t event_digest(StreamHash hash, StreamVersion version, std::uint64_t address_bits);

}  // namespace annals::store
