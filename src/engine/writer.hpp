#pragma once
// The Writer: the one that decides. Commands wait in a bounded queue; whoever finds the writer idle sets it to work on
// its own executor; a step takes all that waits, decides one after another on the state so far, has the store record
// all groups with one flush, lets the live read tables apply them, and only then releases the replies, refusals
// included.
//
// Leader and follower: the I/O thread that brings a command to an idle writer becomes its thread for as long as
// commands keep coming, so that a lone client pays for no change of threads. Where there are others, the steps move to
// an executor apart (see WriterOptions), and all I/O threads go on reading and replying while it decides and flushes.
//
// Why that is safe: a token (`busy` in the queue, under its mutex) says whether a step is scheduled or running. Only
// the submit that turns it on schedules a step, only the end of a step that finds the queue empty turns it off, both
// under the mutex; a step that moves to another executor posts its successor as the last thing it does. So steps never
// overlap, and each sees what the one before it wrote. What is "confined to the writer" below is touched by the holder
// of the token only.
//
// A request for several keys is one group. One that is planned from the state (WriteRequest::plan) is decided first in
// its step, while no group is under way, and its group is recorded only if nothing at all was since what it reflects.
//
// Where other servers append to the same store (EventStore::shared), what they recorded is taken in before a decision
// and when the store tells of it (engine/others.hpp). A group whose streams they changed conflicts, and its command is
// decided again; one that carries an idempotency key conflicts when they recorded anything, because it may have been
// that key. A refusal is final only on a state that is known to be no older than the request: when the batch recorded
// something and nothing of theirs lay before it, or once the store has been asked. Whom they came before twice keeps
// them off for a moment and decides in peace, so nobody starves.
//
// A request promises what its model declares (Model::durability_of), of several the most that one of them does. What is
// decided on state that is not flushed yet is written behind it, so one flush covers both; and what is told without
// being recorded (a refusal, an old receipt, a success that changes nothing) is told after a flush of all that is
// visible, where its request promises so much (writer_promises.cpp).
//
// Threads: submit, recorded_before, barrier and the queries may be called from any thread.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "base/histogram.hpp"
#include "base/text_hash.hpp"
#include "base/throttle.hpp"
#include "engine/command.hpp"
#include "engine/others.hpp"
#include "engine/receipts.hpp"
#include "engine/references.hpp"
#include "engine/state_cache.hpp"
#include "engine/unique_claims.hpp"
#include "event/event_store.hpp"
#include "platform/platform.hpp"
#include "projection/table_feed.hpp"

namespace annals::engine {

struct WriterOptions {
  std::size_t batch_size = 1024;            ///< commands decided for one flush, at most
  std::size_t queue_max = 10'000;           ///< commands that wait, at most; one more is refused at once
  std::size_t queue_bytes_max = 64u << 20;  ///< what their keys and values may take together
  ReceiptLimits receipts;
  std::string receipts_path{};  ///< of the state file of the receipts; empty: they have none
  /// Where steps run that would keep an I/O thread from others (see WriteRequest::alone), or for longer than
  /// `append_at_home_max`; null: nowhere but on the I/O threads. For a store that makes its caller wait for a flush:
  /// other clients are read from and replied to meanwhile, and a lone one is spared the change of threads as long as
  /// the disk is fast. It outlives the last step.
  platform::Executor* apart = nullptr;
  Duration append_at_home_max = std::chrono::milliseconds(1);
  /// Where what other servers recorded is taken in when no command is the occasion; null for a store that nobody
  /// shares. It outlives the last step.
  platform::Executor* follow = nullptr;
};

struct WriterStatus {
  std::size_t queued = 0;
  std::uint64_t commands = 0;    ///< decided so far
  std::uint64_t batches = 0;     ///< appends so far
  std::uint64_t overloaded = 0;  ///< refused because the queue was full
};

class Writer {
 public:
  /// `feeds` are the tables of the models, in the order that WriteRequest::model counts. Everything outlives the
  /// writer.
  Writer(EventStore& store, std::vector<projection::TableFeed*> feeds, platform::Platform platform,
         WriterOptions options);
  ~Writer();

  /// Reads what must be known before the first decision. Call before the first submit or barrier; after a failure it
  /// may be called again, and goes on where it was. Errors: those of the store.
  [[nodiscard]] Result<> load();

  /// Decides and records. `done` is called on `home`, once the reply may be seen.
  ///
  /// Errors: those of model::decide, and of the request's plan; unprocessable ("idempotency_key_reused"); overloaded
  /// ("queue_full", at once: nothing was done); unavailable ("table_failing", where the request is about records of a
  /// model whose table fails, or rests on some: nothing was recorded); unavailable (the store cannot take writes, or it
  /// is unknown whether it took this one: then no refusal by the state is final either); too_large.
  void submit(WriteRequest request, platform::Executor& home, WriteDone done);

  /// The answer to a request that was recorded before, for whoever would look at the state first, which may have
  /// changed since. Not the last word: a simultaneous twin is known to `submit` only. Errors: as Receipts::answer.
  [[nodiscard]] Result<std::optional<Receipt>> recorded_before(const Idempotency& idempotency) {
    return receipts_.answer(idempotency);
  }

  /// Calls `done` on `home` once everything that was stamped before this call, by whichever server, is visible (or
  /// failed). Waits its turn however full the queue is: a barrier that gave way would let an answer about the past
  /// change.
  /// With a time, it settles that first (EventStore::settle), where waiting for other servers holds nobody up.
  /// Errors given to `done`, in a shared store alone: those of EventStore::settle; unavailable, when what other servers
  /// recorded cannot be told ("database_away"), or kept changing ("write_contention").
  void barrier(platform::Executor& home, std::move_only_function<void(Result<>)> done,
               std::optional<Instant> settles = {});

  /// True when an event stamped at or before `time` may still become visible, although store.settle(time) was called
  /// before.
  [[nodiscard]] bool may_hide(Instant time) const;

  /// Takes in no more of what other servers record. The writer is idle when it returns, if no command is on its way.
  /// Not from an executor that its steps run on.
  void stop_following();

  /// False while what other servers recorded, as far as the store has told of it, cannot be read. It is tried again
  /// many times a second.
  [[nodiscard]] bool sees_others() const { return sees_others_.load(); }

  [[nodiscard]] WriterStatus status() const;
  /// How many groups each append recorded together.
  [[nodiscard]] HistogramSnapshot batch_groups() const { return batch_groups_.snapshot(); }

  /// What writes the receipts down; null when they have no checkpoint. Not to be stepped before `load`.
  [[nodiscard]] projection::StateKeeper* receipts_keeper() { return receipts_keeper_.get(); }

 private:
  static constexpr std::string_view group_too_large = "group_too_large";

  /// What a refusal says that holds only until what is under way has been recorded; nobody is told.
  [[nodiscard]] static std::unexpected<Error> wait_for_what_is_under_way();

  /// A command, or a barrier (no request), on its way.
  struct Pending {
    std::optional<WriteRequest> request;
    platform::Executor* home = nullptr;
    WriteDone done;
    std::optional<Instant> settles;
    std::size_t bytes = 0;
    int attempts = 0;
    AskedDurability asks = AskedDurability::store;  ///< what its success promises

    // What was decided.
    std::optional<Result<Receipt>> answer;  ///< a refusal or an old receipt
    std::optional<std::size_t> group;       ///< its own group, or that of its simultaneous twin
    bool twin = false;
    bool waits = false;                        ///< for what is under way to be recorded first
    SharedText value{};                        ///< what a success tells of one key
    std::shared_ptr<const Told> told{};        ///< and of several, or of a dry run
    std::optional<StreamVersion> unchanged{};  ///< the version that nothing was added to
    bool by_state = false;                     ///< the answer is a refusal that the state of the streams gave
    bool sure = false;                         ///< that state is known to be no older than the request
    std::vector<std::size_t> rests_on;         ///< the groups of this batch without which the answer does not hold
  };
  /// The state of a stream as the batch leaves it, if its last group on the stream is recorded.
  struct PendingState {
    model::Record record;
    std::size_t model = 0;
    std::size_t group = 0;
    std::uint64_t event = 0;  ///< the place of its last event in the group
    bool moved = false;       ///< the batch created or deleted the record, whatever became of it since
  };
  /// What is decided of one request so far: for each append of its group, the state that it leaves.
  struct Draft {
    Group group;
    std::vector<PendingState> states;
    TextMap<std::string, std::size_t> places;  ///< of streams in both, when there are several
    std::vector<std::size_t> rests_on;         ///< the groups of this batch whose states it began from
    Tally tally;
    std::size_t bytes = 0;
    UniqueClaims::Draft unique;
    References::Draft references;
    bool many = false;   ///< the request may be about several keys
    bool spans = false;  ///< it rests on streams that its group does not name
    AskedDurability asks = AskedDurability::store;
    KeyReceipt left{};                         ///< what the last command left of its key
    std::vector<KeyReceipt> each{};            ///< what each did, when that is to be told
    std::optional<StreamVersion> unchanged{};  ///< of the last key that the request leaves as it is
  };
  struct FoundState {
    model::Record record;
    std::optional<std::size_t> drafted;  ///< its place in the draft
    std::optional<std::size_t> group{};  ///< of what is under way, that leaves it so
    bool moved = false;                  ///< as PendingState
  };
  struct DeletedKey {
    std::size_t model;
    std::string key;
  };
  struct PendingReceipt {
    Digest request;
    std::size_t group = 0;
  };
  struct Queue {
    std::vector<Pending> waiting;
    std::size_t bytes = 0;
    bool busy = false;
    bool look = false;  ///< others recorded something
    std::uint64_t overloaded = 0;
  };
  /// Shared with the task that waits to look again, which may outlive the writer.
  struct LookAgain {
    Writer* writer = nullptr;  ///< null when it follows no longer
    bool scheduled = false;
  };

  void enqueue(Pending pending);
  // Neither `step` nor `recorded` lets an exception out: it would leave the token with nobody, and stopping beats
  // standing still.
  void step(platform::Executor& here) noexcept;
  [[nodiscard]] bool goes_apart(const Queue& queue) const;
  [[nodiscard]] bool take_batch(platform::Executor& here);
  void decide_batch(Instant now);
  void append_batch(platform::Executor& here);
  void others_went_on(Position visible);
  void set_to_look();
  [[nodiscard]] Result<> look_at_others();
  void note_look(const Result<>& looked);
  void saw(std::span<const EventView> events);
  void prepare_for_others();
  void make_sure(Instant now);
  void decide(Pending& pending, Instant now);
  void put_back_from(std::size_t place);
  [[nodiscard]] bool answer_from_receipts(Pending& pending);
  [[nodiscard]] Result<> draft_several(Pending& pending, Draft& draft, Instant now);
  [[nodiscard]] Result<> make_plan(Pending& pending, Draft& draft, Instant now);
  [[nodiscard]] Result<> check_table(std::size_t model) const;
  [[nodiscard]] Result<FoundState> find_state(const Pending& pending, const Draft& draft, std::size_t model,
                                              const std::string& key, const std::string& stream);
  [[nodiscard]] Result<> draft_one(const Pending& pending, Draft& draft, std::size_t model,
                                   const model::Command& command, Instant now);
  [[nodiscard]] Result<model::Record> evolve_decided(const model::Model& model, const model::Record& state,
                                                     const model::Decision& decision, Instant now);
  [[nodiscard]] Result<> draft_command(const Pending& pending, Draft& draft, std::size_t model,
                                       const model::Command& command, Instant now);
  [[nodiscard]] Result<> check_references(const Pending& pending, Draft& draft, const UniqueClaims::Change& change);
  [[nodiscard]] Result<> follow_deletion(const Pending& pending, Draft& draft, std::size_t model,
                                         const std::string& key, Instant now);
  [[nodiscard]] Result<> delete_with(const Pending& pending, Draft& draft, std::vector<DeletedKey>& deleted,
                                     Instant now);
  [[nodiscard]] Result<> check_nothing_refers(const Pending& pending, Draft& draft,
                                              const std::vector<DeletedKey>& deleted);
  [[nodiscard]] Result<std::vector<std::string>> referrers_to(const Pending& pending, Draft& draft,
                                                              const Reference& reference, const std::string& target,
                                                              std::size_t wanted);
  void only_tell(Pending& pending, Draft draft);
  void nothing_changed(Pending& pending, Draft draft, Instant now);
  void join_flush(Pending& pending, Draft draft);
  [[nodiscard]] Result<model::Record> load_state(std::size_t model, const std::string& key, const std::string& stream,
                                                 bool fresh);
  void doubt_refusals();
  [[nodiscard]] AskedDurability asked_by(const WriteRequest& request) const;
  void keep_promises();
  [[nodiscard]] bool take_within_limits(std::vector<Pending>& waiting);
  void recorded(std::vector<AppendResult>& results, platform::Executor& here) noexcept;
  [[nodiscard]] bool conclude(Pending& pending, const std::vector<AppendResult>& results, const Error* unknown,
                              bool fresh) const;
  [[nodiscard]] std::vector<EventView> recorded_events(const std::vector<AppendResult>& results) const;
  [[nodiscard]] std::vector<model::Record> left_by(std::span<const EventView> events) const;
  [[nodiscard]] bool apply(const std::vector<AppendResult>& results);
  void keep_receipts(const std::vector<AppendResult>& results);
  void keep_states(const std::vector<AppendResult>& results);
  void release(platform::Executor& here);
  void next_step(platform::Executor& here);

  EventStore& store_;
  const std::vector<projection::TableFeed*> feeds_;
  platform::Platform platform_;
  const WriterOptions options_;

  Guarded<Queue> queue_;
  std::atomic<bool> idle_{true};
  std::atomic<bool> sees_others_{true};
  std::shared_ptr<Guarded<LookAgain>> look_again_ = std::make_shared<Guarded<LookAgain>>();
  Throttle others_unread_{std::chrono::seconds{10}};
  std::atomic<std::int64_t> last_visible_stamp_{0};
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<std::uint64_t> batches_{0};
  Histogram batch_groups_;

  const bool lags_;     // some successes are told before a flush
  const bool limited_;  // some models have a batch_size

  // Confined to the writer, as said above.
  Duration last_append_{0};  // how long it took
  Receipts receipts_;
  std::unique_ptr<projection::StateKeeper> receipts_keeper_;
  StateCache cache_;
  Others others_;
  std::unique_ptr<Hold> hold_;
  std::vector<Pending> batch_;
  std::vector<Group> groups_;
  std::vector<Tally> tallies_;  // of each group; of a request for one key, nothing
  TextMap<std::string, PendingState> pending_states_;
  std::unordered_map<Digest, PendingReceipt, DigestHash> pending_receipts_;
  UniqueClaims unique_;
  References references_;

  std::unique_ptr<Watch> watch_;  // last: it sets the writer to work
};

}  // namespace annals::engine
