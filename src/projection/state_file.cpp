#include "projection/state_file.hpp"

#include <xxhash.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "projection/checkpoint.hpp"

namespace annals::projection {
namespace {

constexpr std::string_view state_magic = "AnnalsCp";
constexpr std::uint32_t state_format_version = 1;
constexpr std::size_t prelude_bytes = state_magic.size() + sizeof state_format_version;
constexpr std::size_t block_header_bytes = 8;
constexpr std::size_t block_checksum_bytes = 8;
constexpr std::uint32_t contents_bytes_max = 64u << 20;  // a row of some 32 MiB, and what came before it in its block
constexpr std::uint64_t flush_bytes = 8u << 20;

const Instant first_time = Instant::from_text("0000-01-01T00:00:00Z").value();
const Instant last_time = Instant::from_text("9999-12-31T23:59:59.999999Z").value();

enum Kind : std::uint32_t { beginning = 1, of_records = 2, ending = 3 };

std::unexpected<Error> damaged(const std::string& path, std::uint64_t offset, std::string_view found) {
  return fail(ErrorKind::corrupt, path + " is damaged at byte " + std::to_string(offset) + ": " + std::string(found));
}

struct Block {
  std::uint32_t kind = 0;
  std::string_view contents;  ///< until the next one is read
};

/// Reads blocks from front to back.
class BlockReader {
 public:
  BlockReader(const platform::File& file, const std::string& path, std::uint64_t size)
      : file_(file), path_(path), size_(size) {}

  [[nodiscard]] Result<Block> next() {
    const std::size_t before = offset_ == 0 ? prelude_bytes : 0;
    const std::size_t head_bytes = before + block_header_bytes;
    TRY(read(0, head_bytes));
    if (before > 0) {
      if (!bytes_.starts_with(state_magic)) return damaged(path_, 0, "it does not begin as such a file does");
      const auto version = get_at<std::uint32_t>(bytes_.data() + state_magic.size());
      if (version != state_format_version) {
        return fail(ErrorKind::unsupported, "format_version",
                    path_ + " has format " + std::to_string(version) + "; this program knows format " +
                        std::to_string(state_format_version));
      }
    }
    Block block;
    block.kind = get_at<std::uint32_t>(bytes_.data() + before);
    const auto length = get_at<std::uint32_t>(bytes_.data() + before + 4);
    if (length > contents_bytes_max) return damaged(path_, offset_ + before + 4, "a block of impossible length");
    TRY(read(head_bytes, length + block_checksum_bytes));
    const std::size_t end = head_bytes + length;
    const std::uint64_t checksum = XXH3_64bits_withSeed(bytes_.data(), end, checksum_);
    if (checksum != get_at<std::uint64_t>(bytes_.data() + end)) {
      return damaged(path_, offset_, "the checksum of the block that begins here is wrong");
    }
    checksum_ = checksum;
    offset_ += end + block_checksum_bytes;
    block.contents = std::string_view(bytes_).substr(head_bytes, length);
    return block;
  }

  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  /// Reads `count` bytes of the block to `at` in `bytes_`.
  [[nodiscard]] Result<> read(std::size_t at, std::size_t count) {
    if (size_ - offset_ < at + count) return damaged(path_, size_, "it ends too early");
    bytes_.resize(at + count);
    if (TRY(file_.read_at(offset_ + at, bytes_.data() + at, count)) != count) {
      return damaged(path_, size_, "it ends too early");
    }
    return {};
  }

  const platform::File& file_;
  const std::string& path_;
  const std::uint64_t size_;
  std::string bytes_;
  std::uint64_t offset_ = 0;
  std::uint64_t checksum_ = 0;
};

/// Calls `on_block` for the beginning, each block of records and the ending, which is the last thing in the file.
Result<> walk(const platform::FileSystem& files, const std::string& path,
              const std::function<Result<>(const Block&)>& on_block) {
  const std::unique_ptr<platform::File> file = TRY(files.open_to_read(path));
  const std::uint64_t size = TRY(file->size());
  BlockReader blocks(*file, path, size);
  for (std::uint32_t expected = beginning;; expected = of_records) {
    const Block block = TRY(blocks.next());
    const bool ends = expected == of_records && block.kind == ending;
    if (block.kind != expected && !ends) {
      return damaged(path, blocks.offset(), "the block that ends here is of no kind that stands there");
    }
    TRY(on_block(block));
    if (ends) break;
  }
  if (blocks.offset() != size) return damaged(path, blocks.offset(), "something follows its ending");
  return {};
}

/// How an ending begins.
StateFileEnd take_end(ByteReader& reader) {
  StateFileEnd end;
  end.cursor.epoch = reader.integer<std::uint32_t>();
  end.cursor.position = Position{reader.integer<std::uint64_t>()};
  const std::string_view id = reader.take(end.event.bytes.size());
  std::ranges::copy(id, reinterpret_cast<char*>(end.event.bytes.data()));  // nothing when it is not there
  return end;
}

/// The ending must fit what was read before it, and the store must have what it speaks of.
Result<> take_ending(std::string_view contents, const std::string& path, std::uint64_t records, const EventStore& store,
                     Backing backing, StateFileSummary& summary) {
  ByteReader reader(contents);
  const StateFileEnd end = take_end(reader);
  const Instant created_at{reader.integer<std::int64_t>()};
  summary.records = reader.integer<std::uint64_t>();
  if (!reader.ok() || summary.records != records || end.cursor.position < summary.begin) {
    return fail(ErrorKind::corrupt, path + " is damaged: its ending does not fit the rest");
  }
  summary.end = {TRY(locate_checkpoint(store, end.cursor, path)), end.event, created_at};
  summary.note = std::string(reader.rest());
  if (backing == Backing::remembered) return {};
  if (summary.end != TRY(witness_at(store, summary.end.position))) {
    return fail(ErrorKind::gone, path + " tells of another event at position " + to_string(summary.end.position) +
                                     " than the store has");
  }
  return {};
}

}  // namespace

Result<Witness> witness_at(const EventStore& store, Position position) {
  if (position.value == 0) return Witness{};
  const EventPage page =
      TRY(store.read_all(Position{position.value - 1}, Horizon::visible, PageLimit{.events_max = 1, .bytes_max = 1}));
  if (page.events().empty() || page.events().front().position != position) {
    return fail(ErrorKind::gone, "the store has no event at position " + to_string(position));
  }
  return witness_of(page.events().front());
}

bool is_time(Instant time) {
  return first_time <= time && time <= last_time;
}

Result<std::unique_ptr<StateFileWriter>> StateFileWriter::create(platform::FileSystem& files, std::string path,
                                                                 std::string_view name, Position begin) {
  std::unique_ptr<StateFileWriter> writer(new StateFileWriter(files, std::move(path)));
  const std::string fresh = writer->path_ + ".new";
  if (TRY(files.exists(fresh))) TRY(files.remove(fresh));
  writer->file_ = TRY(files.create(fresh));
  std::string prelude(state_magic);
  put(prelude, state_format_version);
  std::string contents;
  put(contents, begin.value);
  contents += name;
  TRY(writer->write_block(std::move(prelude), beginning, contents));
  return writer;
}

Result<> StateFileWriter::write_block(std::string bytes_before, std::uint32_t kind, std::string_view contents) {
  // No record that was written is so large; one that another declaration makes so may be.
  if (contents.size() > contents_bytes_max) {
    return fail(ErrorKind::too_large, path_ + " has no room for a record of " + std::to_string(contents.size()) +
                                          " bytes; the most is " + std::to_string(contents_bytes_max));
  }
  std::string block = std::move(bytes_before);
  block.reserve(block.size() + block_header_bytes + contents.size() + block_checksum_bytes);
  put(block, kind);
  put(block, static_cast<std::uint32_t>(contents.size()));
  block += contents;
  checksum_ = XXH3_64bits_withSeed(block.data(), block.size(), checksum_);
  put(block, checksum_);
  TRY(file_->write_at(offset_, block));
  offset_ += block.size();
  if (offset_ - flushed_to_ < flush_bytes) return {};
  flushed_to_ = offset_;
  return file_->flush();
}

Result<> StateFileWriter::add(std::string_view contents, std::uint64_t records) {
  records_ += records;
  return write_block({}, of_records, contents);
}

Result<> StateFileWriter::finish(const EventStore& store, const Witness& end, std::string_view note) {
  const Cursor cursor = store.cursor(end.position);
  std::string contents;
  put(contents, cursor.epoch);
  put(contents, cursor.position.value);
  contents.append(reinterpret_cast<const char*>(end.id.bytes.data()), end.id.bytes.size());
  put(contents, end.created_at.microseconds);
  put(contents, records_);
  contents += note;
  TRY(write_block({}, ending, contents));
  return file_->flush();
}

Result<> StateFileWriter::publish() {
  file_.reset();
  return platform::rename_durably(files_, path_ + ".new", path_);
}

Result<StateFileEnd> read_state_file_end(const platform::FileSystem& files, const std::string& path) {
  const std::unique_ptr<platform::File> file = TRY(files.open_to_read(path));
  const std::uint64_t size = TRY(file->size());
  std::string bytes(prelude_bytes, '\0');
  const auto read = [&](std::uint64_t offset, std::uint64_t count) -> Result<> {
    if (count > size || offset > size - count) return damaged(path, size, "it ends too early");
    bytes.resize(static_cast<std::size_t>(count));
    if (TRY(file->read_at(offset, bytes.data(), bytes.size())) != count)
      return damaged(path, size, "it ends too early");
    return {};
  };
  TRY(read(0, prelude_bytes));
  if (!bytes.starts_with(state_magic) ||
      get_at<std::uint32_t>(bytes.data() + state_magic.size()) != state_format_version) {
    return fail(ErrorKind::unsupported, "format_version", path + " is no checkpoint that this program knows");
  }
  for (std::uint64_t offset = prelude_bytes;;) {
    TRY(read(offset, block_header_bytes));
    const auto kind = get_at<std::uint32_t>(bytes.data());
    const auto length = get_at<std::uint32_t>(bytes.data() + 4);
    if (length > contents_bytes_max) return damaged(path, offset + 4, "a block of impossible length");
    const std::uint64_t end = offset + block_header_bytes + length + block_checksum_bytes;
    if (kind != ending) {
      offset = end;
      continue;
    }
    // With the checksum of the block before, which seeds the ending's.
    TRY(read(offset - block_checksum_bytes, end - (offset - block_checksum_bytes)));
    const char* block = bytes.data() + block_checksum_bytes;
    const std::uint64_t checksum =
        XXH3_64bits_withSeed(block, block_header_bytes + length, get_at<std::uint64_t>(bytes.data()));
    if (end != size || checksum != get_at<std::uint64_t>(block + block_header_bytes + length)) {
      return damaged(path, offset, "its ending is not what was written");
    }
    ByteReader reader(std::string_view(block + block_header_bytes, length));
    const StateFileEnd found = take_end(reader);
    if (!reader.ok()) return damaged(path, offset, "its ending is too short");
    return found;
  }
}

Result<> check_state_file(const platform::FileSystem& files, const std::string& path) {
  return walk(files, path, [](const Block&) -> Result<> { return {}; });
}

Result<StateFileSummary> read_state_file(
    const platform::FileSystem& files, const std::string& path, std::string_view name, const EventStore& store,
    Backing backing, const std::function<Result<std::uint64_t>(std::string_view contents)>& on_records) {
  StateFileSummary summary;
  std::uint64_t records = 0;
  const auto take = [&](const Block& block) -> Result<> {
    if (block.kind == ending) return take_ending(block.contents, path, records, store, backing, summary);
    if (block.kind == of_records) {
      records += TRY(on_records(block.contents));
      return {};
    }
    ByteReader reader(block.contents);
    summary.begin = Position{reader.integer<std::uint64_t>()};
    if (!reader.ok()) return damaged(path, 0, "it does not begin as such a file does");
    if (reader.rest() == name) return {};
    return fail(ErrorKind::gone, path + " holds \"" + std::string(reader.rest().substr(0, 100)) + "\", not \"" +
                                     std::string(name) + "\"");
  };
  TRY(walk(files, path, take));
  return summary;
}

}  // namespace annals::projection
