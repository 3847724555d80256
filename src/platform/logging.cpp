#include "platform/logging.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include "base/invariant.hpp"

namespace annals::platform {
namespace {

constexpr Duration drop_report_interval = std::chrono::seconds(1);

/// Writes finished lines and, at most once a second, how many never came. Confined to the queue's thread, and to that
/// which destroys the logger once the queue is gone.
class LineSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  LineSink(LineOutput& output, const Clock& clock) : output_(output), clock_(clock) {}

  /// Set once, before the first line.
  void watch(spdlog::details::thread_pool& queue) { queue_ = &queue; }

  /// `dropped` lines so far, those that the output refused not counted.
  void report(std::size_t dropped) {
    dropped += refused_;
    if (dropped == reported_) return;
    std::string line;
    append_json_line(line, clock_.now(), LogLevel::warning,
                     "Lines of the log were dropped because nobody read it fast enough",
                     std::array{LogField("dropped", std::uint64_t{dropped - reported_})});
    reported_ = dropped;
    put(line);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    put(std::string_view(message.payload.data(), message.payload.size()));
    const Duration now = clock_.monotonic();
    if (now - looked_at_ < drop_report_interval) return;
    looked_at_ = now;
    report(queue_->overrun_counter());
  }
  void flush_() override {}  // every line has been written at once

 private:
  void put(std::string_view line) {
    if (!output_.write(line)) ++refused_;
  }

  LineOutput& output_;
  const Clock& clock_;
  spdlog::details::thread_pool* queue_ = nullptr;
  std::size_t refused_ = 0;
  std::size_t reported_ = 0;
  Duration looked_at_{0};
};

class JsonLogger final : public Logger {
 public:
  JsonLogger(JsonLoggerOptions options, LineOutput& output, const Clock& clock)
      : minimum_(options.minimum),
        clock_(clock),
        sink_(std::make_shared<LineSink>(output, clock)),
        queue_(std::make_shared<spdlog::details::thread_pool>(options.queued_lines_max, 1)),
        logger_(std::make_shared<spdlog::async_logger>("annals", sink_, queue_,
                                                       spdlog::async_overflow_policy::overrun_oldest)) {
    sink_->watch(*queue_);
    logger_->set_level(spdlog::level::trace);  // `enabled` has chosen already
    logger_->set_error_handler(
        [](const std::string&) {});  // by itself spdlog would put lines of another shape among ours
  }

  ~JsonLogger() override {
    const std::size_t dropped = queue_->overrun_counter();
    queue_.reset();  // writes what is queued and joins the thread
    // Only now, so that it is never the thread in spdlog's library that destroys it: the thread sanitizer does not see
    // how that library counts.
    logger_.reset();
    sink_->report(dropped);
  }

  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= minimum_; }

  void write(LogLevel level, std::string_view message, std::span<const LogField> context) override {
    if (!enabled(level)) return;
    static thread_local std::string line;
    line.clear();
    append_json_line(line, clock_.now(), level, message, context);
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const LogLevel minimum_;
  const Clock& clock_;
  // spdlog shares all three among its queued messages.
  std::shared_ptr<LineSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> queue_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

std::unique_ptr<Logger> make_json_logger(JsonLoggerOptions options, LineOutput& output, const Clock& clock) {
  try {
    return std::make_unique<JsonLogger>(options, output, clock);
  } catch (const std::exception& error) {
    // Without a thread or memory for the logs this early there is nothing to fall back on, and nobody to tell.
    invariant_failed(error.what(), "a logger can be made", __FILE__, __LINE__);
  }
}

std::unique_ptr<Logger> make_json_logger(LogLevel minimum) {
  return make_json_logger(JsonLoggerOptions{.minimum = minimum}, standard_error(), system_clock());
}

}  // namespace annals::platform
