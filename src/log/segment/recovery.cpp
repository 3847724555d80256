#include "log/segment/recovery.hpp"

#include <algorithm>

#include "log/segment/segment_maker.hpp"
#include "log/segment/window.hpp"

namespace annals::log {
namespace {

using platform::File;

/// Writes again what stands in the file already. After a failed flush the operating system may hold pages for clean
/// that never reached the disk: reading them proves nothing, only writing them anew makes the next flush mean
/// something.
Result<> rewrite(File& file, std::uint64_t begin, std::uint64_t end) {
  Window window(file);
  while (begin < end) {
    const std::string_view bytes =
        TRY(window.at(begin, static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, 1u << 20))));
    if (bytes.empty()) return fail(ErrorKind::input_output, "a segment became shorter while it was repaired");
    TRY(file.write_at(begin, bytes));
    begin += bytes.size();
  }
  return {};
}

/// Gives a file its name once more. After a failed flush of the directory the system may hold a name for durable that
/// is not, and never write it again.
Result<> rename_again(platform::FileSystem& files, const std::string& path, const std::string& detour) {
  TRY(files.rename(path, detour));
  return files.rename(detour, path);
}

}  // namespace

Result<> create_log(const LogOptions& options, platform::Platform platform) {
  const std::string segments = segments_directory(options.directory);
  TRY(platform.files.create_directories(segments));
  // An opening before, which made the directory, may have failed on its name or been cut short; or a user made it.
  TRY(platform.files.flush_names_above(options.directory));
  const Uuid store = platform::make_uuid(platform.clock.now(), platform.random);
  SegmentMaker maker(platform.files, platform.log, segments, options.segment_bytes);
  const auto file = TRY(maker.take());
  const SegmentHeader header{
      .store = store, .bytes = options.segment_bytes, .first = Position{1}, .salt = platform.random.next()};
  TRY(begin_segment(platform.files, segments, *file, maker.path(), header));
  // The identity comes last: from then on a directory without segments is damage.
  return platform::replace_file(platform.files, identity_path(options.directory), encode_identity(store));
}

Result<std::unique_ptr<File>> repair(const ScannedLog& scanned, const std::string& directory,
                                     platform::Platform platform, bool last_was_durable) {
  const std::string segments = segments_directory(directory);
  const ScannedSegment& last = scanned.segments.back();
  auto file = TRY(platform.files.open(last.path));
  const std::string next = platform::join_path(segments, next_segment_name);
  if (!scanned.clean) {
    // An opening that did not get as far as its mark may have failed on the name of the identity.
    if (scanned.epochs.empty()) {
      TRY(platform::replace_file(platform.files, identity_path(directory), encode_identity(scanned.store)));
    }
    // A segment without a frame may have failed on its name. It can be lost on the way there, as nothing is in it; but
    // not the first one, which was durable before the identity was written, nor one that is missed when it is gone.
    const bool is_empty = last.end == segment_header_bytes && scanned.segments.size() > 1;
    if (is_empty && !last_was_durable) TRY(rename_again(platform.files, last.path, next));
    TRY(platform.files.flush_directory(segments));
  }
  if (scanned.flushed_to < last.end) {
    TRY(rewrite(*file, scanned.flushed_to, last.end));
    TRY(file->flush());
  }
  if (!scanned.clean && last.end < last.header.bytes) {
    // Also when zeros are what can be read there: they may be those of a flush that failed.
    TRY(file->write_zeros(last.end, last.header.bytes - last.end));
    TRY(file->flush());
  }
  if (TRY(platform.files.exists(next))) TRY(platform.files.remove(next));
  return file;
}

}  // namespace annals::log
