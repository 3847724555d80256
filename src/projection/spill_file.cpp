#include "projection/spill_file.hpp"

#include <xxhash.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/bytes.hpp"
#include "base/invariant.hpp"

namespace annals::projection {
namespace {

constexpr std::string_view file_beginning("AnnalsSp\1\0\0\0\0\0\0\0", 16);
constexpr std::size_t entry_checksum_bytes = 8;
constexpr std::size_t head_bytes = entry_checksum_bytes + 8 + 4 + 2;

std::uint64_t bytes_of(std::size_t key_bytes, std::size_t value_bytes) {
  return head_bytes + key_bytes + value_bytes;
}

void append(std::string& out, const SpillFile::Entry& entry, std::uint64_t place) {
  const std::size_t begin = out.size();
  put(out, std::uint64_t{0});
  put(out, entry.version.value);
  put(out, static_cast<std::uint32_t>(entry.value.size()));
  put(out, static_cast<std::uint16_t>(entry.key.size()));
  out += entry.key;
  out += entry.value;
  const std::size_t checked = begin + entry_checksum_bytes;
  put_at(out.data() + begin, XXH3_64bits_withSeed(out.data() + checked, out.size() - checked, place));
}

}  // namespace

std::uint64_t SpillFile::Space::take(std::uint64_t bytes) {
  const auto fitting = free_by_bytes.lower_bound({bytes, 0});
  if (fitting == free_by_bytes.end()) {
    const std::uint64_t place = end;
    end += bytes;
    highest = std::max(highest, end);
    return place;
  }
  const auto [found_bytes, place] = *fitting;
  remove(place, found_bytes);
  if (found_bytes > bytes) add(place + bytes, found_bytes - bytes);
  return place;
}

void SpillFile::Space::give_back(std::uint64_t place, std::uint64_t bytes) {
  const auto next = free.lower_bound(place);
  if (next != free.end() && next->first == place + bytes) {
    bytes += next->second;
    remove(next->first, next->second);
  }
  const auto behind = free.lower_bound(place);
  if (behind != free.begin()) {
    const auto before = std::prev(behind);
    INVARIANT(before->first + before->second <= place, "a place is given back once");
    if (before->first + before->second == place) {
      place = before->first;
      bytes += before->second;
      remove(before->first, before->second);
    }
  }
  if (place + bytes == end) {
    end = place;
  } else {
    add(place, bytes);
  }
}

void SpillFile::Space::add(std::uint64_t place, std::uint64_t bytes) {
  free.emplace(place, bytes);
  free_by_bytes.emplace(bytes, place);
}

void SpillFile::Space::remove(std::uint64_t place, std::uint64_t bytes) {
  free_by_bytes.erase({bytes, place});
  free.erase(place);
}

SpillFile::SpillFile(std::string path, platform::FileSystem& files) : path_(std::move(path)), files_(files) {
  static_assert(file_beginning.size() == beginning_bytes);
  (void)files_.remove(path_);  // where it stays, so does the error of making it
}

SpillFile::~SpillFile() {
  if (file_) (void)files_.remove(path_);  // what is left is removed by the next start
}

Result<> SpillFile::make_file() {
  if (file_) return {};
  auto file = files_.create(path_);
  if (!file && file.error().kind == ErrorKind::conflict) {
    TRY(files_.remove(path_));
    file = files_.create(path_);
  }
  if (!file) return std::unexpected(std::move(file).error());
  TRY((*file)->write_at(0, file_beginning));
  file_ = *std::move(file);
  return {};
}

Result<std::vector<std::uint64_t>> SpillFile::write(std::span<const Entry> entries) {
  TRY(make_file());
  std::vector<std::uint64_t> places;
  places.reserve(entries.size());
  {
    const auto space = space_.lock();
    for (const Entry& entry : entries) places.push_back(space->take(bytes_of(entry.key.size(), entry.value.size())));
  }
  auto written = write_pieces(entries, places);
  if (written) return places;
  const auto space = space_.lock();
  for (std::size_t at = 0; at < entries.size(); ++at)
    space->give_back(places[at], bytes_of(entries[at].key.size(), entries[at].value.size()));
  return std::unexpected(std::move(written).error());
}

/// What lies side by side goes out together.
Result<> SpillFile::write_pieces(std::span<const Entry> entries, std::span<const std::uint64_t> places) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t at) { return places[at]; });
  std::string piece;
  std::uint64_t begin = 0;
  for (const std::size_t at : order) {
    if (!piece.empty() && begin + piece.size() != places[at]) {
      TRY(file_->write_at(begin, piece));
      piece.clear();
    }
    if (piece.empty()) begin = places[at];
    append(piece, entries[at], places[at]);
  }
  return piece.empty() ? Result<>() : file_->write_at(begin, piece);
}

Result<std::string_view> SpillFile::read(std::uint64_t place, const Entry& head, std::size_t value_bytes,
                                         std::string& buffer) const {
  buffer.resize(bytes_of(head.key.size(), value_bytes));
  const std::size_t count = TRY(file_->read_at(place, buffer.data(), buffer.size()));
  ByteReader reader(std::string_view(buffer).substr(0, count));
  const auto checksum = reader.integer<std::uint64_t>();
  const std::string_view checked = reader.rest();
  const StreamVersion version{reader.integer<std::uint64_t>()};
  const bool same_sizes =
      reader.integer<std::uint32_t>() == value_bytes && reader.integer<std::uint16_t>() == head.key.size();
  const std::string_view key = reader.take(head.key.size());
  const std::string_view value = reader.take(value_bytes);
  if (reader.ok() && same_sizes && version == head.version && key == head.key &&
      checksum == XXH3_64bits_withSeed(checked.data(), checked.size(), place)) {
    return value;
  }
  return fail(ErrorKind::corrupt, path_ + ": at " + std::to_string(place) + " is not what was written there");
}

void SpillFile::release(std::uint64_t place, std::size_t key_bytes, std::size_t value_bytes) {
  space_.lock()->give_back(place, bytes_of(key_bytes, value_bytes));
}

std::uint64_t SpillFile::bytes() const {
  return space_.lock()->highest;
}

}  // namespace annals::projection
