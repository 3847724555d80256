#include "projection/snapshot_file.hpp"

#include <xxhash.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "base/bytes.hpp"
#include "base/invariant.hpp"

namespace annals::projection {
namespace {

constexpr std::string_view snapshot_magic = "AnnalsSn";
constexpr std::uint32_t snapshot_format_version = 2;
constexpr std::size_t snapshot_checksum_bytes = 8;
constexpr std::size_t heading_bytes =
    snapshot_magic.size() + sizeof snapshot_format_version + sizeof(XXH128_canonical_t) + snapshot_checksum_bytes;
constexpr std::size_t entry_header_bytes = 64;
constexpr std::size_t scanned_at_once = 256u << 10;
constexpr std::size_t read_at_once = 4u << 10;  // most records are shorter
constexpr std::uint32_t absent_value_bytes = UINT32_MAX;

std::string heading_of(std::string_view form) {
  std::string heading(snapshot_magic);
  put(heading, snapshot_format_version);
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits(form.data(), form.size()));
  heading.append(reinterpret_cast<const char*>(digest.digest), sizeof digest.digest);
  put(heading, std::uint64_t{XXH3_64bits(heading.data(), heading.size())});
  return heading;
}

Result<> check_heading(const std::string& path, std::string_view found, std::string_view form) {
  const std::string expected = heading_of(form);
  if (found == expected) return {};
  if (found.size() == heading_bytes && found.starts_with(snapshot_magic)) {
    const auto version = get_at<std::uint32_t>(found.data() + snapshot_magic.size());
    if (version != snapshot_format_version) {
      return fail(ErrorKind::unsupported, "format_version",
                  path + " has format " + std::to_string(version) + "; this program knows format " +
                      std::to_string(snapshot_format_version));
    }
    const std::size_t checked = heading_bytes - snapshot_checksum_bytes;
    if (XXH3_64bits(found.data(), checked) == get_at<std::uint64_t>(found.data() + checked))
      return fail(ErrorKind::gone, path + " is of the model as it was declared before");
  }
  return fail(ErrorKind::corrupt, path + " does not begin as such a file does");
}

struct EntryHeader {
  std::uint64_t contents_checksum = 0;  // of key and value
  std::uint32_t value_bytes = 0;        // absent_value_bytes: the record does not exist
  std::uint32_t key_bytes = 0;
  StreamVersion version;
  Position position;
  Instant created_at;
  Uuid event;

  [[nodiscard]] std::uint64_t contents_bytes() const {
    return std::uint64_t{key_bytes} + (value_bytes == absent_value_bytes ? 0 : value_bytes);
  }
};

std::uint64_t checksum_of(std::string_view contents) {
  return XXH3_64bits(contents.data(), contents.size());
}

std::uint64_t seed_of(std::string_view form) {
  return XXH3_64bits(form.data(), form.size());
}

/// nullopt when it is not what was written, or not in a file of this seed.
std::optional<EntryHeader> header_of(std::string_view bytes, std::uint64_t seed) {
  if (bytes.size() < entry_header_bytes) return std::nullopt;
  bytes = bytes.substr(0, entry_header_bytes);
  const auto checksum =
      XXH3_64bits_withSeed(bytes.data() + snapshot_checksum_bytes, bytes.size() - snapshot_checksum_bytes, seed);
  if (checksum != get_at<std::uint64_t>(bytes.data())) return std::nullopt;
  ByteReader reader(bytes.substr(snapshot_checksum_bytes));
  EntryHeader header;
  header.contents_checksum = reader.integer<std::uint64_t>();
  header.value_bytes = reader.integer<std::uint32_t>();
  header.key_bytes = reader.integer<std::uint32_t>();
  header.version = StreamVersion{reader.integer<std::uint64_t>()};
  header.position = Position{reader.integer<std::uint64_t>()};
  header.created_at = Instant{reader.integer<std::int64_t>()};
  std::ranges::copy(reader.take(header.event.bytes.size()), reinterpret_cast<char*>(header.event.bytes.data()));
  return header;
}

std::unexpected<Error> damaged() {
  return fail(ErrorKind::corrupt, "a snapshot is not what was written");
}

/// Bytes that go with the process.
class MemoryFile final : public platform::File {
 public:
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t size) const override {
    const std::shared_lock lock(mutex_);
    if (offset >= bytes_.size()) return std::size_t{0};
    return bytes_.copy(into, size, static_cast<std::size_t>(offset));
  }
  [[nodiscard]] Result<> write_at(std::uint64_t offset, std::string_view bytes) override {
    const std::unique_lock lock(mutex_);
    INVARIANT(offset == bytes_.size(), "entries are written one behind the other");
    bytes_ += bytes;
    return {};
  }
  [[nodiscard]] Result<> flush() override { return {}; }
  [[nodiscard]] Result<std::uint64_t> size() const override {
    const std::shared_lock lock(mutex_);
    return bytes_.size();
  }

 private:
  mutable std::shared_mutex mutex_;
  std::string bytes_;
};

/// Calls `on_entry` for the entries of a file from `offset` on; where the first begins that is not whole.
Result<std::uint64_t> scan(const platform::File& file, std::uint64_t seed, std::uint64_t offset,
                           const std::function<void(const SnapshotFile::Place&)>& on_entry) {
  const std::uint64_t size = TRY(file.size());
  std::string window;
  std::uint64_t window_at = offset;
  // The next `count` bytes, or fewer at the end of the file.
  const auto look = [&](std::size_t count) -> Result<std::string_view> {
    if (offset + count > window_at + window.size()) {
      window.resize(std::max(count, scanned_at_once));
      window.resize(TRY(file.read_at(offset, window.data(), window.size())));
      window_at = offset;
    }
    return std::string_view(window).substr(static_cast<std::size_t>(offset - window_at)).substr(0, count);
  };
  while (offset + entry_header_bytes <= size) {
    const auto header = header_of(TRY(look(entry_header_bytes)), seed);
    if (!header || header->contents_bytes() > size - offset - entry_header_bytes) break;
    const std::string_view key = TRY(look(entry_header_bytes + header->key_bytes)).substr(entry_header_bytes);
    on_entry({SnapshotFile::hash_of(key), header->version, offset});
    offset += entry_header_bytes + header->contents_bytes();
  }
  return offset;
}

}  // namespace

Result<std::unique_ptr<SnapshotFile>> SnapshotFile::open(platform::FileSystem& files, const std::string& path,
                                                         std::string_view form,
                                                         const std::function<void(const Place&)>& on_entry) {
  std::unique_ptr<platform::File> file = TRY(files.open(path));
  std::string heading(heading_bytes, '\0');
  heading.resize(TRY(file->read_at(0, heading.data(), heading.size())));
  TRY(check_heading(path, heading, form));
  const std::uint64_t end = TRY(scan(*file, seed_of(form), heading_bytes, on_entry));
  return std::unique_ptr<SnapshotFile>(new SnapshotFile(std::move(file), seed_of(form), end));
}

Result<std::unique_ptr<SnapshotFile>> SnapshotFile::create(platform::FileSystem& files, const std::string& path,
                                                           std::string_view form) {
  if (TRY(files.exists(path))) TRY(files.remove(path));
  std::unique_ptr<platform::File> file = TRY(files.create(path));
  TRY(file->write_at(0, heading_of(form)));
  return std::unique_ptr<SnapshotFile>(new SnapshotFile(std::move(file), seed_of(form), heading_bytes));
}

std::unique_ptr<SnapshotFile> SnapshotFile::in_memory() {
  return std::unique_ptr<SnapshotFile>(new SnapshotFile(std::make_unique<MemoryFile>(), 0, 0));
}

std::uint64_t SnapshotFile::hash_of(std::string_view key) {
  return XXH3_64bits(key.data(), key.size());
}

std::uint64_t SnapshotFile::bytes_of(std::string_view key, const Snapshot& snapshot) {
  return entry_header_bytes + key.size() + (snapshot.record.exists() ? snapshot.record.value->size() : 0);
}

void SnapshotFile::append_entry(std::string& out, std::string_view key, const Snapshot& snapshot) const {
  const model::Record& record = snapshot.record;
  const std::string_view value = record.exists() ? *record.value : std::string_view{};
  INVARIANT(key.size() <= model::key_bytes_max && value.size() < absent_value_bytes, "events are smaller");
  const std::string contents = std::string(key).append(value);
  std::string header;
  put(header, checksum_of(contents));
  put(header, record.exists() ? static_cast<std::uint32_t>(value.size()) : absent_value_bytes);
  put(header, static_cast<std::uint32_t>(key.size()));
  put(header, record.version.value);
  put(header, snapshot.position.value);
  put(header, record.updated_at.microseconds);
  header.append(reinterpret_cast<const char*>(snapshot.event.bytes.data()), snapshot.event.bytes.size());
  put(out, std::uint64_t{XXH3_64bits_withSeed(header.data(), header.size(), seed_)});
  out.append(header).append(contents);
}

Result<> SnapshotFile::append(std::string_view entries) {
  TRY(file_->write_at(end_, entries));
  end_ += entries.size();
  return {};
}

Result<Snapshot> SnapshotFile::read(const Place& place, std::string_view key) const {
  std::string bytes(entry_header_bytes + key.size() + read_at_once, '\0');
  bytes.resize(TRY(file_->read_at(place.offset, bytes.data(), bytes.size())));
  const auto header = header_of(bytes, seed_);
  if (!header || header->version != place.version || header->key_bytes != key.size()) return damaged();
  const std::size_t end = entry_header_bytes + static_cast<std::size_t>(header->contents_bytes());
  const std::size_t had = bytes.size();
  bytes.resize(end, '\0');
  if (had < end && TRY(file_->read_at(place.offset + had, bytes.data() + had, end - had)) != end - had)
    return damaged();
  const std::string_view contents = std::string_view(bytes).substr(entry_header_bytes);
  if (!contents.starts_with(key) || checksum_of(contents) != header->contents_checksum) return damaged();
  Snapshot snapshot;
  snapshot.record.version = header->version;
  if (header->value_bytes != absent_value_bytes) snapshot.record.value = SharedText(contents.substr(key.size()));
  snapshot.record.updated_at = header->created_at;
  snapshot.position = header->position;
  snapshot.event = header->event;
  return snapshot;
}

}  // namespace annals::projection
