#pragma once
// Makes the file that will be the next segment ahead of its time: full of zeros that were really written and flushed,
// since overwriting those flushes twice as fast as growing a file.
//
// Thread-safe. Work in the background ends, or does nothing, once the maker is destroyed.

#include <memory>

#include "base/instant.hpp"
#include "base/log_record.hpp"
#include "base/result.hpp"
#include "platform/executor.hpp"
#include "platform/file_system.hpp"

namespace annals::log {

class SegmentMaker {
 public:
  static constexpr Duration retry_pause = std::chrono::seconds(1);

  SegmentMaker(platform::FileSystem& files, Logger& log, std::string directory, std::uint64_t segment_bytes);
  /// Removes what was made and not taken.
  ~SegmentMaker();
  SegmentMaker(const SegmentMaker&) = delete;
  SegmentMaker& operator=(const SegmentMaker&) = delete;

  /// Makes a file on the executor, unless one is ready. A failure there is logged, and it is tried again every
  /// `retry_pause` until a file is made or taken. `background` outlives the maker.
  void make_in(platform::Executor& background);

  /// True when `take` finds a file that was made.
  [[nodiscard]] bool is_ready() const;

  /// The file that was made, or that is made now, `next.segment` in the directory. Waits for work in the background.
  /// Errors: input_output (code "disk_full" when there is no room).
  [[nodiscard]] Result<std::unique_ptr<platform::File>> take();

  [[nodiscard]] const std::string& path() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the tasks that were posted
};

struct SegmentHeader;
/// Gives a made file its header and its name, so that a crash finds either nothing of it or a whole empty segment.
/// Errors: input_output.
[[nodiscard]] Result<> begin_segment(platform::FileSystem& files, const std::string& directory, platform::File& made,
                                     const std::string& made_path, const SegmentHeader& header);

}  // namespace annals::log
