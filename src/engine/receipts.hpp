#pragma once
// Receipts: what was answered to requests that carried an idempotency key. They are read back at the start: from their
// checkpoint, and what came after it from the log (the key travels in the metadata of the command's first event). So
// they survive a restart and cost no write of their own; a command that changes nothing has no event to carry its key,
// and records one that says no more than that.
//
// Bounded in age and in number; at the bound in number the oldest go first, and that is logged, because a client that
// tries one of those again would be answered anew.
//
// Threads: `insert` and `advance` are the writer's (the holder of its token); `answer` may be called from any thread,
// and the rest of KeptState may run beside them; `load` comes before all.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/guarded.hpp"
#include "engine/command.hpp"
#include "engine/event_metadata.hpp"
#include "event/event_store.hpp"
#include "platform/platform.hpp"
#include "projection/state_keeper.hpp"

namespace annals::engine {

struct ReceiptLimits {
  Duration retention = std::chrono::hours(24);
  std::size_t keys_max = 1'000'000;
};

/// Where the keys of commands that changed nothing are recorded. It belongs to no model: their names begin with a
/// letter.
inline constexpr std::string_view receipts_stream = "$annals-receipts";
inline constexpr std::string_view nothing_changed_type = "NothingChanged";

/// The event that carries the key of a request that changed nothing.
[[nodiscard]] StreamAppend marker_of(const WriteRequest& request, std::string data, Uuid id);

/// What a request is told whose key came with another one before.
[[nodiscard]] std::unexpected<Error> key_reused();

class Receipts final : public projection::KeptState {
 public:
  Receipts(ReceiptLimits limits, platform::Platform platform) : limits_(limits), platform_(platform) {}

  struct Entry {
    /// What is kept of a Receipt.
    struct Kept {
      StreamVersion version;
      Position position;
      Tally tally;
    };
    Digest key;
    Digest request;
    Kept receipt;
    Instant created_at;
  };

  /// Reads the receipts of the retention time: from `keeper`'s file and what came after it, or without one (null) all
  /// of them from the store.
  [[nodiscard]] Result<> load(const EventStore& store, projection::StateKeeper* keeper);

  /// The answer to a request that was answered before, marked as replayed; nullopt when its key is not known, or no
  /// longer. Errors: unprocessable ("idempotency_key_reused").
  [[nodiscard]] Result<std::optional<Receipt>> answer(const Idempotency& idempotency);

  /// Entries come in the order of their positions.
  void insert(const Idempotency& idempotency, const Receipt& receipt, Instant created_at);
  /// The entry of a command by its first event.
  void insert(const Remembered& remembered, const EventView& first);

  /// The entries of these events, and of nothing else up to the last of them, have been inserted. When others recorded
  /// something in between, what is written down stays at what is known.
  void advance(Position first, const projection::Witness& last);
  /// The same, where no position from `first` to `last` holds an event any more.
  void pass_over(Position first, Position last);

  [[nodiscard]] std::size_t size() const { return state_.lock()->places.size(); }

  // As something that is kept (docs/formats/state_file.md).
  [[nodiscard]] std::string_view name() const override { return "receipts"; }
  [[nodiscard]] Position position() const override { return state_.lock()->reached; }
  [[nodiscard]] std::uint64_t records() const override { return state_.lock()->entries.size(); }
  void begin_writing() override;
  [[nodiscard]] Result<std::uint64_t> write(std::string& contents) override;
  [[nodiscard]] projection::Witness newest() const override { return written_newest_; }
  [[nodiscard]] std::string note() const override;
  [[nodiscard]] Result<std::uint64_t> read(std::string_view contents) override;
  [[nodiscard]] Result<> take_over(const projection::StateFileSummary& summary) override;
  void forget() override { read_.clear(); }

 private:
  /// Entries in the order of their positions, and where to find those of keys. A place is counted from the first entry
  /// that ever was, so that it holds while old ones go.
  struct State {
    std::deque<Entry> entries;
    std::uint64_t first_place = 0;
    std::unordered_map<Digest, std::uint64_t, DigestHash> places;
    Position reached;
    /// At `reached`; after it where a checkpoint was read and what follows was not yet; before it where what lies
    /// between holds no event any more.
    projection::Witness last;
    Instant complete_since{INT64_MIN};  ///< no receipt of this time or later has been forgotten
  };

  void expire(State& state, Instant now) const;
  static void forget_oldest(State& state);
  [[nodiscard]] std::uint64_t add(State& state, const Entry& entry) const;
  void warn_of_forgetting(std::uint64_t count);

  const ReceiptLimits limits_;
  platform::Platform platform_;
  Guarded<State> state_;
  bool begun_ = false;                    // the writer's: load knows from where to read
  std::optional<Duration> last_warning_;  // the writer's
  std::uint64_t dropped_ = 0;             // the writer's

  std::uint64_t written_place_ = 0;  // the keeper's, as all below: of the next entry to write
  projection::Witness written_newest_;
  Position write_up_to_;
  std::deque<Entry> read_;
};

}  // namespace annals::engine
