#pragma once
// The event store over one PostgreSQL database. Thread-safe.
//
// An append takes two round trips: one begins the transaction, locks `$all`, and reads what the groups are decided on;
// the other writes and commits. Calls that come meanwhile wait and go together into the next transaction.
//
// A thread of the store's own follows what others record, and finds out about appends whose outcome is unknown. A store
// that is opened while its database is away (reaching.cpp) has that thread look for it, and refuses everything but what
// cursors and positions it remembers, until it has found the database and has seen that it is the same one.
//
// What was read and recorded last is looked for in the round trip of everything else. A database that does not have it
// is another one, or an older state (displaced.cpp): nothing is read from it or recorded in it, every connection is
// made anew, and the store goes on once it finds what it knows again.
//
// Locks, in the order in which they are taken: the queue's (never held while something else is done), the writer's
// (held by the one thread that appends or finds out), those of view_ and condition_ (held for moments).

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/guarded.hpp"
#include "base/invariant.hpp"
#include "base/throttle.hpp"
#include "event/group_check.hpp"
#include "store/append_queue.hpp"
#include "store/postgres/append_plan.hpp"
#include "store/postgres/canceller.hpp"
#include "store/postgres/known_database.hpp"
#include "store/postgres/pool.hpp"
#include "store/watch_list.hpp"

namespace annals::store {

class PostgresStore final : public EventStore {
 public:
  PostgresStore(PostgresOptions options, Destination destination, Dialect dialect, platform::Platform platform);
  ~PostgresStore() override;

  /// Looks at what the database holds, accounts for what others recorded, and begins to follow. Call once; after a
  /// failure the store is good for nothing.
  [[nodiscard]] Result<> start();
  /// Instead of `start`: looks once, writes nothing, and follows nobody.
  [[nodiscard]] Result<> start_to_read();

  /// Begins with what is remembered, and to look for the database, which cannot be used because of `why`. Call instead
  /// of start. Errors: `why`, when none of the checkpoints is of the known database.
  [[nodiscard]] Result<> start_away(const KnownDatabase& known, const Error& why);

  void append(std::span<const Group> groups, AppendDone done) override;
  [[nodiscard]] Result<> restore(std::span<const EventView> events) override;
  [[nodiscard]] Result<EventPage> read_stream(std::string_view stream, StreamVersion from, Direction direction,
                                              PageLimit limit) const override;
  [[nodiscard]] Result<EventPage> read_all(Position after, Horizon horizon, PageLimit limit) const override;
  [[nodiscard]] Result<StreamVersion> stream_version(std::string_view stream) const override;
  [[nodiscard]] Result<StreamVersion> version_at(std::string_view stream, Instant time) const override;
  [[nodiscard]] Result<Position> position_at(Instant time) const override;
  [[nodiscard]] Result<> settle(Instant time) override;
  [[nodiscard]] bool shared() const override { return true; }
  [[nodiscard]] Result<Position> newest() override;
  [[nodiscard]] Result<std::unique_ptr<Hold>> hold_others_off() override;
  [[nodiscard]] Cursor cursor(Position position) const override;
  [[nodiscard]] std::size_t remote_reads_max() const override;
  void let_reads_wait(bool allowed) override { reading_.let_wait(allowed); }
  [[nodiscard]] Result<Position> resolve(const Cursor& cursor) const override;
  [[nodiscard]] bool knows(const Cursor& cursor) const override;
  [[nodiscard]] StoreStatus status() const override;
  [[nodiscard]] StoreMetrics metrics() const override;
  /// Keeps what is known of the database, as far as it has not been kept.
  [[nodiscard]] Result<> close() override;
  [[nodiscard]] Durability durability() const override { return Durability::local; }
  [[nodiscard]] std::unique_ptr<Watch> watch(std::function<void(Position flushed)> progress) override;

 private:
  // --- Appends (appending.cpp) ---

  using Calls = AppendQueue::Calls;
  /// One group on its way.
  struct Entry {
    const Group* group;
    std::size_t call;
    AppendResult* result;
    Result<> check;  ///< what check_group says
  };
  /// What is known of a call so far.
  struct Progress {
    RefusedStreams refused;
    std::optional<Position> before;  ///< the last position before it; later when others came between its transactions
    Position end;                    ///< after its last group that was recorded
  };
  /// Of each call.
  using Progresses = std::vector<Progress>;
  /// What Sql::head tells of a database that has what was seen (see Seen).
  struct Outlook {
    Position head;
    std::size_t epochs = 0;
    std::optional<Uuid> last{};  ///< the event at `head`
  };
  /// What lock_store and its neighbours gave.
  struct Before {
    Position head;
    Position accounted;  ///< up to here annals_store knows
    Instant last_time;
    Instant settled;
    std::uint32_t node_id = 0;
    std::size_t epochs = 0;
    std::optional<Uuid> last{};  ///< the event at `head`
  };

  void append_together(const Calls& calls);
  void record(std::span<const Entry> entries, Progresses& calls);
  /// One attempt at one transaction. Errors: those of a connection; nothing is recorded then, unless doubt_ says that
  /// this is unknown.
  [[nodiscard]] Result<> try_to_record(std::span<const Entry> entries, Progresses& calls);
  /// Within a transaction that holds the lock already, when `held`.
  [[nodiscard]] Result<Before> lock(Connection& connection, NamedStreams& streams, bool held = false);
  /// A connection with the lock on `$all`, and what lies under it.
  struct Locked {
    ConnectionPool::Lease lease;
    Before before;
  };
  [[nodiscard]] Result<Locked> lock_and_adopt(NamedStreams& streams);
  /// The same, whatever state the store is in.
  [[nodiscard]] Result<Locked> lock_whole(NamedStreams& streams);
  [[nodiscard]] Result<> find_lost_ends(Connection& connection, std::span<const Entry> entries, NamedStreams& streams,
                                        Position head);
  [[nodiscard]] Result<> number_and_commit(Connection& connection, const Before& before, NamedStreams& streams,
                                           const AppendPlan& plan);
  class HoldEntry;
  [[nodiscard]] Result<> restore_under_lock(std::span<const EventView> events);
  [[nodiscard]] static Before before_of(const Outlook& found, const Rows& store);
  [[nodiscard]] Result<> adopt(Connection& connection, Before& before);
  /// For one that accounts for more events than there are.
  [[nodiscard]] std::unexpected<Error> tables_of_different_moments(const Before& before) const;
  [[nodiscard]] static Result<std::vector<std::int64_t>> reserve_streams(Connection& connection, std::int64_t count);
  [[nodiscard]] Result<> number_streams(Connection& connection, NamedStreams& streams, const AppendPlan& plan);
  [[nodiscard]] Result<> commit(Connection& connection, const Before& before, const AppendPlan& plan);
  void refuse_all(std::span<const Entry> entries, const Error& error);
  [[nodiscard]] Instant stamp_after(const Before& before) const;
  [[nodiscard]] bool is_closing();
  void alarm_when_clock_is_behind(Instant now, Instant last_time);

  /// Whether the append in doubt was recorded, asked under the lock on `$all`; nothing is in doubt then. Errors: it is
  /// still unknown.
  [[nodiscard]] Result<bool> find_out();
  [[nodiscard]] Result<bool> find_out_patiently();

  // --- What is known of the whole (following.cpp) ---

  /// The last event that was read or recorded here, by which the database is known again: the same history goes on
  /// where it has this event at this position.
  struct Seen {
    Position head;      ///< the events reached so far at least
    Position position;  ///< 0: none; before `head` when the event there has been removed, or its id is not known
    Uuid event{};
  };
  struct View : Seen {
    std::vector<Epoch> epochs;  // in order of `before`
  };
  struct Condition {
    std::string doubt;                  ///< why it is unknown whether an append was recorded, or empty
    std::string away;                   ///< why the database cannot be asked, or empty
    std::string away_code{};            ///< of that error
    std::string lost;                   ///< why nothing can be written until the store is opened again, or empty
    std::string displaced;              ///< what was found in the place of what was seen here, or empty
    std::uint64_t displaced_count = 0;  ///< how often that was found
    std::optional<bool> last_flush_ok;
    bool flush_found_nobody = false;  ///< the last flush failed because the database could not be asked
    bool has_room = true;             ///< false after a flush that failed because its disk was full
    std::uint64_t refused_count = 0;  ///< how many flushes failed
    Duration last_flush_duration{0};
  };

  // That it is the same database is asked in the round trip of everything that is read or recorded: a connection may
  // lead elsewhere than the one before it, and a backup may be put back under one that is open.

  [[nodiscard]] Seen seen() const { return *view_.lock(); }
  /// The question whose answer `outlook` takes. What was seen is to be taken before the question is sent.
  [[nodiscard]] static Call ask_for(const Seen& seen);
  /// Errors: conflict ("another_database"), when what was seen is not there; the store is displaced then.
  [[nodiscard]] Result<Outlook> outlook(const Rows& rows, const Seen& seen) const;
  /// Runs one statement that reads. Errors: those of a connection and of outlook.
  [[nodiscard]] Result<Rows> ask(Connection& connection, const Statement& statement, Parameters parameters) const;
  /// Whether a new connection leads to what was seen. Errors: those of a connection and of outlook.
  [[nodiscard]] Result<> check_connection(Connection& connection) const;
  [[nodiscard]] Error displaced_if_without_tables(Error error) const;
  [[nodiscard]] std::unexpected<Error> displace(const std::string& found) const;
  [[nodiscard]] Result<> not_displaced() const;
  void recognise(std::uint64_t displaced_count);

  /// Makes what is there visible, with the epochs up to it, which are read anew when there are others than were known.
  /// Errors: as outlook.
  [[nodiscard]] Result<> note(Connection& connection, const Outlook& found) const;
  [[nodiscard]] Result<std::vector<Epoch>> read_epochs(Connection& connection) const;
  [[nodiscard]] std::uint32_t draw_epoch() const;
  void take_epochs(std::vector<Epoch> epochs) const;
  void publish(Position head, const std::optional<Uuid>& last) const;

  void follow();
  [[nodiscard]] bool answers_another();
  [[nodiscard]] Result<> look();
  [[nodiscard]] Result<Position> ask_head(Connection& connection) const;
  [[nodiscard]] Result<Position> newest_of_all() const;
  void wait_for_hint();
  void claim_node();
  void set_away(const Result<>& looked);

  // --- Appends that the database refuses although it answers (refusing.cpp) ---

  void note_refusal(const Error& error);
  void note_flush(Duration took);
  void rehearse();
  [[nodiscard]] Result<> try_rehearsal(Connection& connection) const;

  [[nodiscard]] Result<> settle_unwritten(Instant time, const std::string& why) const;

  template <class Work>
  [[nodiscard]] auto read(Work work) const -> decltype(work(std::declval<Connection&>()));

  // --- From the opening until the database is there (reaching.cpp) ---

  void begin_following();
  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> reach();
  [[nodiscard]] Result<> check_is_known(Connection& connection) const;
  [[nodiscard]] std::unexpected<Error> another_database(const std::string& found) const;
  [[nodiscard]] std::unexpected<Error> not_reached() const;
  [[nodiscard]] KnownDatabase known_now() const;
  void compare_with_known();
  [[nodiscard]] Result<> remember();
  void remember_soon();

  const PostgresOptions options_;
  const Destination destination_;
  const Dialect dialect_;
  const platform::Platform platform_;
  const std::string name_;       // of this opening, in the notifications that it sends
  mutable Canceller canceller_;  // of reads; what is written is not cancelled, but found out about
  mutable ConnectionPool reading_;
  mutable ConnectionPool appending_;
  mutable ConnectionPool following_;

  std::atomic<bool> reached_{false};
  std::vector<SeenFlushed> seen_;  // what the database must have; settled before the follower begins

  AppendQueue queue_{[this](const Calls& calls) { append_together(calls); }};

  std::mutex writer_mutex_;
  struct Doubt {
    Uuid event;
    std::string incarnation;  ///< empty, when it began no epoch
  };
  std::optional<Doubt> doubt_;                 // guarded by writer_mutex_
  std::optional<ConnectionPool::Lease> held_;  // guarded by writer_mutex_; has locked `$all`, to keep others off
  std::string epoch_incarnation_;              // guarded by writer_mutex_; that for which an epoch was begun
  std::vector<std::int64_t> stream_ids_;       // guarded by writer_mutex_; numbers that were drawn and not used
  std::string stream_ids_of_;                  // guarded by writer_mutex_; the incarnation that they were drawn in
  std::optional<Duration> alarmed_at_;         // guarded by writer_mutex_

  struct Times {
    Instant settled{INT64_MIN};        // asked for here
    Instant settled_there{INT64_MIN};  // known to the database
    Instant last{INT64_MIN};           // the latest stamp that is known
  };
  mutable Guarded<Times> times_;
  mutable Guarded<View> view_;
  mutable Guarded<Condition> condition_;
  struct Kept {
    std::optional<std::size_t> epochs;  ///< that the file of what is known has; nullopt: it is not of this database
    Duration not_before{0};             ///< monotonic; after a failure to write it
  };
  Guarded<Kept> kept_;
  Histogram flush_durations_;  // microseconds
  WatchList watches_;

  std::mutex closing_mutex_;
  std::condition_variable closing_told_;
  bool closing_ = false;                            // guarded by closing_mutex_
  int wake_ = -1;                                   // readable once the store closes
  std::optional<ConnectionPool::Lease> listening_;  // of the follower's thread
  /// Of the follower's thread, for as long as it listens: whether no other server goes by this node id.
  struct NodeClaim {
    bool is_ours = false;
    std::optional<Duration> refused_at{};  // monotonic; first
    Duration asked_at{0};
    bool told = false;  // also of an earlier connection
  };
  NodeClaim node_claim_;
  std::optional<Duration> rehearsed_at_;  // monotonic; of the follower's thread
  Throttle shortage_told_{std::chrono::seconds{10}};
  std::unique_ptr<platform::Executor> follower_;
};

template <class Work>
auto PostgresStore::read(Work work) const -> decltype(work(std::declval<Connection&>())) {
  if (!reached_.load()) return not_reached();
  TRY(not_displaced());
  auto result = reading_.read(std::move(work));
  if (result) return result;
  Error error = displaced_if_without_tables(std::move(result).error());
  if (error.code == "another_database") error.kind = ErrorKind::unavailable;
  if (error.kind == ErrorKind::usage) error.kind = ErrorKind::unavailable;  // what it let in before, it refuses now
  // A lock of somebody else's was not let go of, an operator ended the statement, or memory is short: that passes.
  const bool passes = error.code == "55P03" || error.code == "57014" || lacks_resources(error.code);
  if (error.kind == ErrorKind::internal) {
    error = {passes ? ErrorKind::unavailable : ErrorKind::input_output, error.message};
  }
  if (error.kind == ErrorKind::unavailable) error.code = "database_away";
  return std::unexpected(std::move(error));
}

}  // namespace annals::store
