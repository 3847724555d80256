#include "log/segment/segment_maker.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "log/segment/format.hpp"

namespace annals::log {

using platform::File;

namespace {

constexpr std::uint64_t flushed_piece_bytes = 4u << 20;

}  // namespace

struct SegmentMaker::State {
  State(platform::FileSystem& file_system, Logger& logger, std::string made_path, std::uint64_t segment_bytes)
      : files(file_system), log(logger), path(std::move(made_path)), bytes(segment_bytes) {}

  platform::FileSystem& files;
  Logger& log;
  const std::string path;
  const std::uint64_t bytes;
  std::atomic<bool> closing = false;
  std::atomic<bool> is_ready = false;  // as `ready` says
  std::mutex mutex;                    // held while a file is made
  // Guarded by mutex. Only what is wanted is made in the background: a task that comes late must not touch a file that
  // was taken and has not got its name yet.
  std::unique_ptr<File> ready;
  bool wanted = false;
  bool posted = false;  // a task is on its way
  bool failing = false;

  Result<std::unique_ptr<File>> make() {
    if (TRY(files.exists(path))) TRY(files.remove(path));
    auto file = TRY(files.create(path));
    auto filled = fill(*file);
    if (!filled) {
      file.reset();
      (void)files.remove(path);  // gives the room back; what matters is the error before
      return std::unexpected(std::move(filled).error());
    }
    return file;
  }

  /// The work of a task in the background; false when it should be done again a little later.
  bool make_if_wanted() {
    const std::lock_guard lock(mutex);
    posted = false;
    if (closing || ready || !wanted) return true;
    auto made = make();
    if (closing) return true;
    if (made) {
      ready = *std::move(made);
      is_ready = true;
      if (std::exchange(failing, false)) log.info("the next segment of the log could be made now");
      return true;
    }
    if (!std::exchange(failing, true)) {
      log.warning("the next segment of the log cannot be made; it is tried again every second",
                  {{"cause", std::string_view(made.error().message)}, {"code", std::string_view(made.error().code)}});
    }
    posted = true;
    return false;
  }

  static void run(const std::shared_ptr<State>& state, platform::Executor& background) {
    if (state->make_if_wanted()) return;
    background.post_after(retry_pause, [state, &background] { run(state, background); });
  }

  Result<> fill(File& file) const {
    // Piece by piece, so that the flush that somebody waits for never queues behind a whole segment.
    for (std::uint64_t offset = 0; offset < bytes; offset += flushed_piece_bytes) {
      if (closing) return fail(ErrorKind::unavailable, "the log is being closed");
      TRY(file.write_zeros(offset, std::min(flushed_piece_bytes, bytes - offset)));
      TRY(file.flush());
    }
    return {};
  }
};

SegmentMaker::SegmentMaker(platform::FileSystem& files, Logger& log, std::string directory, std::uint64_t segment_bytes)
    : state_(std::make_shared<State>(files, log, platform::join_path(directory, next_segment_name), segment_bytes)) {}

SegmentMaker::~SegmentMaker() {
  state_->closing = true;
  const std::lock_guard lock(state_->mutex);
  if (!state_->ready) return;
  state_->ready.reset();
  (void)state_->files.remove(state_->path);  // the next opening removes what is left
}

void SegmentMaker::make_in(platform::Executor& background) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->wanted = true;
    if (std::exchange(state_->posted, true)) return;
  }
  background.post([state = state_, &background] { State::run(state, background); });
}

bool SegmentMaker::is_ready() const {
  return state_->is_ready;
}

Result<std::unique_ptr<File>> SegmentMaker::take() {
  const std::lock_guard lock(state_->mutex);
  state_->wanted = false;
  state_->is_ready = false;
  if (state_->ready) return std::move(state_->ready);
  return state_->make();
}

const std::string& SegmentMaker::path() const {
  return state_->path;
}

Result<> begin_segment(platform::FileSystem& files, const std::string& directory, File& made,
                       const std::string& made_path, const SegmentHeader& header) {
  TRY(made.write_at(0, encode_segment_header(header)));
  TRY(made.flush());
  TRY(files.rename(made_path, platform::join_path(directory, segment_name(header.first))));
  return files.flush_directory(directory);
}

}  // namespace annals::log
