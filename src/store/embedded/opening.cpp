// The doors of the embedded store: open it, open it to read, verify it.

#include "base/text_hash.hpp"
#include "store/embedded/embedded_store.hpp"
#include "store/embedded/evidence.hpp"
#include "store/embedded/index/index_group.hpp"

namespace annals::store {
namespace {

/// Keeps the index of the segment that is read last. Indexes of other segments that must be read are made when somebody
/// needs them, so that memory holds one at a time.
log::OnGroup index_last(ReadSegment& last) {
  return [&last](log::Place place, const log::GroupView& group) -> Result<> {
    if (last.number != place.segment) last = {place.segment, {}};
    return index_group(place, group, last.streams);
  };
}

/// Everything that verify knows of the events: the versions of streams, and what the indexes have to say.
struct Walked {
  std::uint64_t seed = 0;
  TextMap<std::string, StreamVersion> versions;
  std::vector<std::uint64_t> digests;  // by segment
  AnchorCheck anchors;

  explicit Walked(const std::vector<Anchor>& expected) : anchors(expected) {}

  Result<> take(log::Place place, const log::GroupView& group) {
    if (digests.size() <= place.segment) digests.resize(place.segment + 1);
    auto walk = group.walk();
    std::size_t number = 0;
    while (const auto record = walk.next()) {
      anchors.take(*record);
      const auto event = TRY(event_of(*record));
      auto found = versions.find(event.stream);
      if (found == versions.end()) found = versions.try_emplace(std::string(event.stream)).first;
      if (event.version != found->second.next()) {
        return fail(ErrorKind::corrupt, "the record at position " + to_string(record->position) + " has version " +
                                            to_string(event.version) + " of its stream where " +
                                            to_string(found->second.next()) + " should follow");
      }
      found->second = event.version;
      digests[place.segment] +=
          event_digest(hash_stream(event.stream, seed), event.version, Address(place, number++).bits());
    }
    return {};
  }
};

}  // namespace

Result<std::unique_ptr<EventStore>> open_embedded_store(EmbeddedOptions options, platform::Platform platform,
                                                        platform::Executor& background) {
  if (options.sync_interval <= Duration{0}) {
    return fail(ErrorKind::usage, "the interval between flushes must be longer than nothing");
  }
  ReadSegment last;
  const log::LogOptions log_options{.directory = options.directory,
                                    .segment_bytes = options.segment_bytes,
                                    .node_id = options.node_id,
                                    .flush_each_commit = false};
  auto log = TRY(log::open_log(log_options, platform, background, index_last(last), [&](const log::FoundLog& found) {
    return check_end(platform.files, options.directory, options.seen, found);
  }));
  return std::make_unique<EmbeddedStore>(std::move(options), platform, &background, std::move(log), std::move(last));
}

Result<std::unique_ptr<EventStore>> open_embedded_store_to_read(const std::string& directory,
                                                                platform::Platform platform) {
  ReadSegment last;
  auto log = TRY(log::open_log_to_read(directory, platform, index_last(last), [&](const log::FoundLog& found) {
    return check_end(platform.files, directory, {}, found);
  }));
  if (!log->locked()) {
    platform.log.warning(
        "the directory cannot be locked, has no file LOCK, and none can be made there; no server may begin to serve "
        "meanwhile",
        {{"directory", directory}});
  }
  return std::make_unique<EmbeddedStore>(EmbeddedOptions{.directory = directory}, platform, nullptr, std::move(log),
                                         std::move(last));
}

Result<log::VerifyReport> verify_embedded_store(const std::string& directory, platform::FileSystem& files,
                                                const VerifyOptions& options) {
  Walked walked(options.expected);
  if (const auto store = log::identity_of_log(files, directory)) walked.seed = hash_seed(*store);
  auto report = TRY(log::verify_log(
      files, directory, [&](log::Place place, const log::GroupView& group) { return walked.take(place, group); },
      options.on_progress,
      [&](const log::FoundLog& found) { return check_end(files, directory, options.seen, found); }));
  TRY(walked.anchors.end({report.last, report.last_hash}));
  walked.digests.resize(report.salts.size());
  auto faults = TRY(check_streams_files(files, directory, report.store, report.salts, walked.digests));
  report.index_faults.insert(report.index_faults.end(), faults.begin(), faults.end());
  return report;
}

}  // namespace annals::store
