#pragma once
// What the files beside the log prove of its end, and what somebody outside expects of it. The log alone cannot know
// that its end was taken away: it would be a shorter log, and sound.
//
// Functions; no thread rule.

#include "store/embedded_store.hpp"

namespace annals::store {

/// For log::OnFound: streams files and checkpoints. Errors: corrupt ("segment_missing", "events_missing");
/// input_output.
[[nodiscard]] Result<bool> check_end(const platform::FileSystem& files, const std::string& directory,
                                     const std::vector<SeenFlushed>& seen, const log::FoundLog& found);

/// Hears of every record of a log, in order, and compares the hashes that it carries with those that are expected.
class AnchorCheck {
 public:
  explicit AnchorCheck(const std::vector<Anchor>& expected);

  void take(const log::RecordView& record);
  /// Once all records were taken: `last` is the end of the log. Errors: corrupt ("anchor_missed").
  [[nodiscard]] Result<> end(const Anchor& last) const;

 private:
  std::vector<Anchor> expected_;  // in order of positions
  std::vector<Anchor> found_;
  std::size_t next_ = 0;  // the first of expected_ whose hash has not come by yet
};

}  // namespace annals::store
