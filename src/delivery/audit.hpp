#pragma once
// Audit: a subscriber that writes one log line for each change: `Config updated: database_url = ****`, with actor and
// position. It drops nothing and never delays a reply: it pulls from the store and writes its own batches.
//
// At least once: the checkpoint is made durable every second and at a clean stop, so that after a crash the lines of
// the last second may be written again (their `position` tells). Values are masked unless told otherwise. Confined to
// its runner's executor.

#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "platform/line_output.hpp"
#include "projection/checkpoint.hpp"
#include "projection/subscriber.hpp"

namespace annals::delivery {

class Audit final : public projection::Subscriber {
 public:
  struct Options {
    bool values = false;          ///< show values instead of `****`
    std::string checkpoint_path;  ///< empty: none is kept
  };

  Audit(Options options, engine::Engine& engine, platform::LineOutput& output);

  /// Makes the checkpoint durable; once the runner has been stopped.
  void close();

  [[nodiscard]] std::string_view name() const override { return "audit"; }
  [[nodiscard]] Duration gathering_time() const override { return std::chrono::milliseconds(20); }
  [[nodiscard]] Result<Position> resume() override;
  [[nodiscard]] Result<> handle(const EventPage& page) override;

 private:
  void append_line(std::string& lines, const EventView& event, const model::Model& model) const;
  void append_value(std::string& lines, const EventView& event) const;
  [[nodiscard]] Result<> save_checkpoint();

  const Options options_;
  engine::Engine& engine_;
  platform::LineOutput& output_;
  projection::CheckpointFile checkpoint_;
  Position written_;
  Position saved_;
  Duration saved_at_{0};
};

}  // namespace annals::delivery
