#pragma once
// Writes the summaries of sealed segments in the background, and clears away what is left of others.
//
// A summary that cannot be written is no harm: its marks stay in memory, it is tried again with the next one, and the
// next opening looks at the segment's ends instead. One whose segment is damaged is not made, with a line in the log.
//
// Thread-safe. Work in the background ends, or does nothing, once the keeper is destroyed.

#include <cstdint>
#include <memory>
#include <string>

#include "log/segment/scan.hpp"
#include "log/segment/segment_table.hpp"
#include "platform/platform.hpp"

namespace annals::log {

class SummaryKeeper {
 public:
  /// The table outlives the keeper.
  SummaryKeeper(platform::Platform platform, platform::Executor& background, SegmentTable& table,
                const std::string& directory);
  ~SummaryKeeper();
  SummaryKeeper(const SummaryKeeper&) = delete;
  SummaryKeeper& operator=(const SummaryKeeper&) = delete;

  /// Has the summary of a sealed segment written, all of which has been published. The next segment is durable: a
  /// summary proves that there is one.
  void keep(std::uint32_t number);

  /// Looks whether the summaries that were written are still there; those that were deleted meanwhile are made anew.
  void check();

  /// After opening: has missing summaries written, and removes files of summaries that belong to no sealed segment.
  void begin(const ScannedLog& scanned);

  /// How many of those that were missing or deleted are still to be made anew.
  [[nodiscard]] std::size_t missing() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the tasks that were posted
};

/// What is wrong with the summary files of a log all of which was scanned, one sentence each. Errors: input_output.
[[nodiscard]] Result<std::vector<std::string>> check_summaries(const platform::FileSystem& files,
                                                               const std::string& directory, const ScannedLog& scanned);

}  // namespace annals::log
