#pragma once
// StateKeeper: writes what somebody keeps in memory into a state file, a piece at a time and while it changes, and
// reads it back at a start. Confined to one thread at a time; only `is_behind` and `saved` may be asked from any.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "event/event_store.hpp"
#include "platform/platform.hpp"
#include "projection/state_file.hpp"

namespace annals::projection {

/// State made from events in order, that can be written down while it changes. What begins with `begin` is called by
/// one thread, the other functions as their keeper is; the state takes care that they may run beside its changing.
class KeptState {
 public:
  virtual ~KeptState() = default;

  /// For the file and the logs: "table config".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// The last position up to which the state reflects every event; it may hold none any more. Any thread.
  [[nodiscard]] virtual Position position() const = 0;

  /// How many records there are, more or less. Any thread.
  [[nodiscard]] virtual std::uint64_t records() const = 0;

  /// Begins again with the first record.
  virtual void begin_writing() = 0;
  /// Appends the next records, some 100 KiB of them (or one that is longer), and gives their number; 0 after the last.
  /// Errors: input_output, corrupt, when some of them are not in memory and cannot be read.
  [[nodiscard]] virtual Result<std::uint64_t> write(std::string& contents) = 0;
  /// An event that the state has taken in, at or after the `position` of when the writing began, or the last one before
  /// that where what lies between holds no event. No event after it is reflected in what was written so far.
  [[nodiscard]] virtual Witness newest() const = 0;
  /// What else a reader must know; asked after the last record.
  [[nodiscard]] virtual std::string note() const { return {}; }

  /// Takes in a block of records, aside from what is in use; their number. Errors: corrupt.
  [[nodiscard]] virtual Result<std::uint64_t> read(std::string_view contents) = 0;
  /// All records have been read: they are the state from now on. Errors: gone, when the note says that they will not
  /// do.
  [[nodiscard]] virtual Result<> take_over(const StateFileSummary& summary) = 0;
  /// What was read is of no use.
  virtual void forget() = 0;
};

class StateKeeper {
 public:
  /// Everything outlives the keeper.
  StateKeeper(KeptState& state, std::string path, EventStore& store, platform::Platform platform);

  /// Reads the file back, if it is there and good; what is wrong with it is logged, and then the state is left as it
  /// was. True when the file was taken in. Not to be called after that, nor after anything else has changed the state.
  bool load(Backing backing = Backing::event);

  enum class Step : std::uint8_t {
    more,     ///< go on soon
    waiting,  ///< for the store to flush what was written down; go on after a moment
    done,
  };
  /// Does a piece of the work of writing the file, some MiB of it. Errors: input_output, and others of the store; what
  /// was begun is then given up.
  [[nodiscard]] Result<Step> step();

  /// Writes the whole file now, and has the store flush what is in it, for a stop. Nothing is read from the store,
  /// which may be away. Errors: as step; unavailable, when the store cannot flush.
  [[nodiscard]] Result<> write_all();

  /// Gives up what `step` has begun.
  void give_up();

  /// The position from which a start would go on, but for those before it that hold no event. Any thread.
  [[nodiscard]] Position saved() const { return Position{saved_.load()}; }
  /// How many events a start would have to read that the state already reflects. Any thread.
  [[nodiscard]] std::uint64_t behind() const;
  [[nodiscard]] const KeptState& state() const { return state_; }

 private:
  [[nodiscard]] Result<Step> write_some();
  [[nodiscard]] Result<> write_to_the_end();
  [[nodiscard]] Result<> publish();

  KeptState& state_;
  const std::string path_;
  EventStore& store_;
  const platform::Platform platform_;
  std::atomic<std::uint64_t> saved_{0};

  std::unique_ptr<StateFileWriter> writer_;
  Position reflected_;  // as the writing began
  Position begin_;
  Witness end_;
  bool finished_ = false;
  std::string contents_;
};

}  // namespace annals::projection
