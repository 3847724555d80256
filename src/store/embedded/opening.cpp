// The doors of the embedded store: open it, open it to read, verify it.

#include "store/embedded/embedded_store.hpp"
#include "store/embedded/event_codec.hpp"

namespace annals::store {

log::OnGroup indexer(StreamIndex& index) {
  return [&index](log::Place place, const log::GroupView& group) -> Result<> {
    auto walk = group.walk();
    std::size_t number = 0;
    while (const auto record = walk.next()) {
      const auto where = [&] { return "the record at position " + to_string(record->position); };
      const auto event = decode_event(*record);
      if (!event) return fail(ErrorKind::corrupt, where() + " is not an event");
      if (event->stream.empty()) return fail(ErrorKind::corrupt, where() + " names no stream");
      auto& addresses = index.grow(event->stream);
      if (event->version.value != addresses.size() + 1) {
        return fail(ErrorKind::corrupt, where() + " has version " + to_string(event->version) +
                                            " of its stream where " + std::to_string(addresses.size() + 1) +
                                            " should follow");
      }
      addresses.emplace_back(place, number++);
    }
    return {};
  };
}

Result<std::unique_ptr<EventStore>> open_embedded_store(EmbeddedOptions options, platform::Platform platform,
                                                        platform::Executor& background) {
  if (options.sync_interval <= Duration{0}) {
    return fail(ErrorKind::usage, "the interval between flushes must be longer than nothing");
  }
  StreamIndex index;
  const log::LogOptions log_options{.directory = options.directory,
                                    .segment_bytes = options.segment_bytes,
                                    .node_id = options.node_id,
                                    .flush_each_commit = options.sync == Sync::group};
  auto log = TRY(log::open_log(log_options, platform, background, indexer(index)));
  return std::make_unique<EmbeddedStore>(std::move(options), platform, &background, std::move(log), std::move(index));
}

Result<std::unique_ptr<EventStore>> open_embedded_store_to_read(const std::string& directory,
                                                                platform::Platform platform) {
  StreamIndex index;
  auto log = TRY(log::open_log_to_read(directory, platform.files, indexer(index)));
  if (!log->locked()) {
    platform.log.warning(
        "the directory has no file LOCK and none can be made there; no server may begin to serve meanwhile",
        {{"directory", directory}});
  }
  return std::make_unique<EmbeddedStore>(EmbeddedOptions{.directory = directory}, platform, nullptr, std::move(log),
                                         std::move(index));
}

Result<log::VerifyReport> verify_embedded_store(const std::string& directory, platform::FileSystem& files,
                                                const log::OnProgress& on_progress) {
  StreamIndex index;
  return log::verify_log(files, directory, indexer(index), on_progress);
}

}  // namespace annals::store
