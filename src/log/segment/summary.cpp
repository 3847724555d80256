#include "log/segment/summary.hpp"

#include <xxhash.h>

#include <cstring>

#include "base/bytes.hpp"
#include "log/segment/format.hpp"

namespace annals::log {
namespace {

constexpr std::string_view summary_magic = "AnnalsSm";
constexpr std::uint32_t summary_version = 1;
constexpr std::size_t fixed_bytes = 160;  // of the head, before the epochs
constexpr std::size_t epoch_bytes = 16;
constexpr std::size_t mark_bytes = 24;
constexpr std::size_t checksum_bytes = 8;
constexpr std::string_view ending = ".summary";

std::uint64_t checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

void put_mark(std::string& out, const Mark& mark) {
  put<std::uint64_t>(out, mark.position.value);
  put<std::int64_t>(out, mark.created_at.microseconds);
  put<std::uint32_t>(out, mark.offset);
  put<std::uint32_t>(out, 0);
}

Mark get_mark(const char* at) {
  return {Position{get_at<std::uint64_t>(at)}, Instant{get_at<std::int64_t>(at + 8)}, get_at<std::uint32_t>(at + 16)};
}

std::unexpected<Error> bad(const std::string& path, const std::string& found) {
  return fail(ErrorKind::corrupt, path + " is damaged: " + found);
}

std::size_t head_bytes(std::size_t epochs) {
  return fixed_bytes + epochs * epoch_bytes + checksum_bytes;
}

/// What a checksum cannot tell: that the file was made by a program that works.
bool is_within(const Mark& mark, const SegmentSummary& summary) {
  return mark.position <= summary.last && mark.created_at <= summary.last_time && mark.offset >= segment_header_bytes &&
         mark.offset % 8 == 0 && mark.offset + std::uint64_t{frame_header_bytes} <= summary.end;
}

Result<SegmentSummary> read_head(const platform::File& file, const std::string& path) {
  const std::uint64_t size = TRY(file.size());
  std::string head(4096, '\0');
  head.resize(TRY(file.read_at(0, head.data(), head.size())));
  if (head.size() < head_bytes(0) || !head.starts_with(summary_magic)) return bad(path, "it is not a summary");
  const auto epochs = get_at<std::uint32_t>(head.data() + 120);
  const auto length = get_at<std::uint32_t>(head.data() + 12);
  if (length != head_bytes(epochs) || length > size) return bad(path, "its head has an impossible length");
  if (length > head.size()) {
    const std::size_t had = head.size();
    head.resize(length);
    if (TRY(file.read_at(had, head.data() + had, length - had)) != length - had) return bad(path, "it ends early");
  }
  head.resize(length);
  const std::string_view covered = std::string_view(head).substr(0, length - checksum_bytes);
  if (checksum(covered) != get_at<std::uint64_t>(head.data() + covered.size())) {
    return bad(path, "the checksum of its head is wrong");
  }
  if (get_at<std::uint32_t>(head.data() + 8) != summary_version) return bad(path, "its version is unknown");
  SegmentSummary summary;
  std::memcpy(summary.store.bytes.data(), head.data() + 16, summary.store.bytes.size());
  summary.bytes = get_at<std::uint64_t>(head.data() + 32);
  summary.first = Position{get_at<std::uint64_t>(head.data() + 40)};
  summary.salt = get_at<std::uint64_t>(head.data() + 48);
  summary.end = get_at<std::uint64_t>(head.data() + 56);
  summary.last = Position{get_at<std::uint64_t>(head.data() + 64)};
  summary.last_time = Instant{get_at<std::int64_t>(head.data() + 72)};
  std::memcpy(summary.last_hash.data(), head.data() + 80, summary.last_hash.size());
  summary.groups = get_at<std::uint64_t>(head.data() + 112);
  summary.marks = get_at<std::uint32_t>(head.data() + 124);
  if (summary.marks > 0) summary.first_mark = get_mark(head.data() + 128);
  summary.marks_checksum = get_at<std::uint64_t>(head.data() + 152);
  for (std::size_t at = 0; at < epochs; ++at) {
    const char* epoch = head.data() + fixed_bytes + at * epoch_bytes;
    summary.epochs.push_back({get_at<std::uint32_t>(epoch), Position{get_at<std::uint64_t>(epoch + 8)}});
  }
  if (size != length + std::uint64_t{summary.marks} * mark_bytes) return bad(path, "it has the wrong size");
  if (summary.first_mark &&
      (summary.first_mark->position != summary.first || !is_within(*summary.first_mark, summary))) {
    return bad(path, "its first mark is not that of its segment");
  }
  return summary;
}

}  // namespace

std::string index_directory(const std::string& directory) {
  return platform::join_path(directory, "index");
}

std::string summary_name(Position first) {
  const std::string segment = segment_name(first);
  return segment.substr(0, segment.find('.')) + std::string(ending);
}

std::optional<Position> position_of_summary_name(std::string_view name) {
  if (!name.ends_with(ending)) return std::nullopt;
  return position_of_segment_name(std::string(name.substr(0, name.size() - ending.size())) + ".segment");
}

std::string encode_summary(SegmentSummary summary, const Marks& marks) {
  std::string tail;
  tail.reserve(marks.size() * mark_bytes);
  for (const Mark& mark : marks) put_mark(tail, mark);

  std::string bytes(summary_magic);
  put<std::uint32_t>(bytes, summary_version);
  put<std::uint32_t>(bytes, static_cast<std::uint32_t>(head_bytes(summary.epochs.size())));
  bytes.append(reinterpret_cast<const char*>(summary.store.bytes.data()), summary.store.bytes.size());
  put<std::uint64_t>(bytes, summary.bytes);
  put<std::uint64_t>(bytes, summary.first.value);
  put<std::uint64_t>(bytes, summary.salt);
  put<std::uint64_t>(bytes, summary.end);
  put<std::uint64_t>(bytes, summary.last.value);
  put<std::int64_t>(bytes, summary.last_time.microseconds);
  bytes.append(reinterpret_cast<const char*>(summary.last_hash.data()), summary.last_hash.size());
  put<std::uint64_t>(bytes, summary.groups);
  put<std::uint32_t>(bytes, static_cast<std::uint32_t>(summary.epochs.size()));
  put<std::uint32_t>(bytes, static_cast<std::uint32_t>(marks.size()));
  put_mark(bytes, marks.empty() ? Mark{} : marks.front());
  put<std::uint64_t>(bytes, checksum(tail));
  for (const Epoch& epoch : summary.epochs) {
    put<std::uint32_t>(bytes, epoch.number);
    put<std::uint32_t>(bytes, 0);
    put<std::uint64_t>(bytes, epoch.before.value);
  }
  put<std::uint64_t>(bytes, checksum(bytes));
  return bytes + tail;
}

std::uint64_t summary_bytes(std::size_t epochs, std::size_t marks) {
  return head_bytes(epochs) + marks * mark_bytes;
}

Result<SegmentSummary> read_summary(const platform::FileSystem& files, const std::string& path) {
  const auto file = TRY(files.open_to_read(path));
  return read_head(*file, path);
}

Result<Marks> read_marks(const platform::FileSystem& files, const std::string& path, std::uint64_t salt,
                         const std::optional<Mark>& first_mark) {
  const auto file = TRY(files.open_to_read(path));
  const SegmentSummary head = TRY(read_head(*file, path));
  if (head.salt != salt || head.first_mark != first_mark) return bad(path, "it is the summary of another segment");
  std::string bytes(std::size_t{head.marks} * mark_bytes, '\0');
  bytes.resize(TRY(file->read_at(head_bytes(head.epochs.size()), bytes.data(), bytes.size())));
  if (bytes.size() != std::size_t{head.marks} * mark_bytes) return bad(path, "it ends early");
  if (checksum(bytes) != head.marks_checksum) return bad(path, "the checksum of its marks is wrong");
  Marks marks;
  marks.reserve(head.marks);
  for (std::size_t at = 0; at < head.marks; ++at) {
    const Mark mark = get_mark(bytes.data() + at * mark_bytes);
    const bool follows = marks.empty()
                             ? mark == head.first_mark
                             : mark.position > marks.back().position && mark.created_at > marks.back().created_at &&
                                   mark.offset > marks.back().offset;
    if (!follows || !is_within(mark, head)) return bad(path, "its marks do not follow one another");
    marks.push_back(mark);
  }
  return marks;
}

}  // namespace annals::log
