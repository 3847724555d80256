#include "store/embedded/index/streams_format.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.hpp"
#include "base/invariant.hpp"

namespace annals::store {
namespace {

constexpr std::string_view footer_magic = "AnnalsIx";
constexpr std::uint32_t streams_version = 1;
constexpr std::string_view ending = ".streams";
constexpr std::size_t digits = 7;  // the segments of a log have numbers of 21 bits
constexpr int bloom_bits = 7;

__extension__ using wide = unsigned __int128;

std::string number(std::uint32_t value) {
  const std::string text = std::to_string(value);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

template <class Visit>
void for_each_bit(StreamHash hash, std::size_t blocks_bytes, Visit visit) {
  const std::uint64_t blocks = blocks_bytes / bloom_block_bytes;
  const auto block = static_cast<std::uint64_t>((static_cast<wide>(hash.high) * blocks) >> 64);
  for (int turn = 0; turn < bloom_bits; ++turn) {
    const std::uint64_t bit = (hash.low >> (9 * turn)) & 511;
    visit(static_cast<std::size_t>(block * bloom_block_bytes + bit / 8), 1 << (bit % 8));
  }
}

}  // namespace

std::string streams_name(SegmentSpan span) {
  return number(span.first) + "-" + number(span.last) + std::string(ending);
}

std::optional<SegmentSpan> span_of_streams_name(std::string_view name) {
  if (name.size() != 2 * digits + 1 + ending.size() || !name.ends_with(ending)) return std::nullopt;
  const auto read = [&](std::size_t begin) {
    std::uint32_t value = 0;
    for (const char digit : name.substr(begin, digits)) {
      if (digit < '0' || digit > '9') return UINT32_MAX;
      value = value * 10 + static_cast<std::uint32_t>(digit - '0');
    }
    return value;
  };
  const SegmentSpan span{read(0), read(digits + 1)};
  if (span.last < span.first || streams_name(span) != name) return std::nullopt;
  return span;
}

std::uint64_t hash_seed(const Uuid& store) {
  return XXH3_64bits(store.bytes.data(), store.bytes.size());
}

StreamHash hash_stream(std::string_view stream, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(stream.data(), stream.size(), seed);
  return {hash.high64, hash.low64};
}

void put_entry(std::string& out, const StreamEntry& entry) {
  put<std::uint64_t>(out, entry.hash.high);
  put<std::uint64_t>(out, entry.hash.low);
  put<std::uint64_t>(out, entry.first.value);
  put<std::uint64_t>(out, entry.count);
  put<std::uint64_t>(out, entry.begin);
}

StreamEntry get_entry(const char* at) {
  return {.hash = {get_at<std::uint64_t>(at), get_at<std::uint64_t>(at + 8)},
          .first = StreamVersion{get_at<std::uint64_t>(at + 16)},
          .count = get_at<std::uint64_t>(at + 24),
          .begin = get_at<std::uint64_t>(at + 32)};
}

std::string encode_footer(const StreamsFooter& footer) {
  std::string bytes(footer_magic);
  put<std::uint32_t>(bytes, streams_version);
  put<std::uint32_t>(bytes, 0);
  bytes.append(reinterpret_cast<const char*>(footer.store.bytes.data()), footer.store.bytes.size());
  put<std::uint32_t>(bytes, footer.span.first);
  put<std::uint32_t>(bytes, footer.span.last);
  put<std::uint64_t>(bytes, footer.salts);
  put<std::uint64_t>(bytes, footer.addresses);
  put<std::uint64_t>(bytes, footer.entries);
  put<std::uint64_t>(bytes, footer.bloom_blocks);
  return bytes;
}

std::optional<StreamsFooter> decode_footer(std::string_view content) {
  if (!content.starts_with(footer_magic) || get_at<std::uint32_t>(content.data() + 8) != streams_version) {
    return std::nullopt;
  }
  StreamsFooter footer;
  std::memcpy(footer.store.bytes.data(), content.data() + 16, footer.store.bytes.size());
  footer.span = {get_at<std::uint32_t>(content.data() + 32), get_at<std::uint32_t>(content.data() + 36)};
  footer.salts = get_at<std::uint64_t>(content.data() + 40);
  footer.addresses = get_at<std::uint64_t>(content.data() + 48);
  footer.entries = get_at<std::uint64_t>(content.data() + 56);
  footer.bloom_blocks = get_at<std::uint64_t>(content.data() + 64);
  return footer;
}

std::uint64_t digest_of_salts(const std::vector<std::uint64_t>& salts) {
  return XXH3_64bits(salts.data(), salts.size() * sizeof(std::uint64_t));
}

std::uint64_t page_seed(std::uint64_t salts, std::uint64_t page) {
  return salts + page;
}

void finish_page(std::string& content, std::uint64_t seed) {
  INVARIANT(content.size() <= page_content_bytes, "what is put into a page fits it");
  content.resize(page_content_bytes);
  put<std::uint64_t>(content, XXH3_64bits_withSeed(content.data(), page_content_bytes, seed));
}

bool page_is_intact(const char* page, std::uint64_t seed) {
  return get_at<std::uint64_t>(page + page_content_bytes) == XXH3_64bits_withSeed(page, page_content_bytes, seed);
}

std::uint64_t bloom_blocks_for(std::uint64_t streams) {
  return (streams * bloom_bits_a_stream + bloom_block_bytes * 8 - 1) / (bloom_block_bytes * 8);
}

void bloom_add(std::string& blocks, StreamHash hash) {
  for_each_bit(hash, blocks.size(),
               [&](std::size_t byte, int bit) { blocks[byte] = static_cast<char>(blocks[byte] | bit); });
}

bool bloom_may_have(std::string_view blocks, StreamHash hash) {
  if (blocks.empty()) return false;
  bool all = true;
  for_each_bit(hash, blocks.size(), [&](std::size_t byte, int bit) { all = all && (blocks[byte] & bit) != 0; });
  return all;
}

std::uint64_t event_digest(StreamHash hash, StreamVersion version, std::uint64_t address_bits) {
  const std::array<std::uint64_t, 4> words{hash.high, hash.low, version.value, address_bits};
  return XXH3_64bits(words.data(), sizeof words);
}

}  // namespace annals::store
