#pragma once
// What one transaction records: groups are decided one after another on the state that was read under the lock on
// `$all`, and those that are admitted become a few arrays of rows. Pure; confined to one thread.
//
// Borrows the groups that were added, and their names.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text_hash.hpp"
#include "event/event_store.hpp"
#include "store/postgres/connection.hpp"

namespace annals::store {

/// The prefix that the original service puts before the types of its events, and the type without it.
inline constexpr std::string_view original_type_prefix = "Elixir.ConfigApi.Events.";
[[nodiscard]] std::string_view without_original_prefix(std::string_view type);
/// True for the types that the original service knows, which are written with its prefix so that it can read them.
[[nodiscard]] bool is_original_type(std::string_view type);

/// The streams that some groups name, and where they are in the store. A place in it is a stream's for good.
class NamedStreams {
 public:
  struct Stream {
    std::string_view name;
    std::int64_t id = 0;      ///< 0: not in the store
    StreamVersion version{};  ///< after which the next event's comes
    /// That of its last event, where the events up to `version` are known to have been removed for good.
    std::optional<StreamVersion> last_event{};
    Instant first_time{};  ///< of what a plan adds to it
    bool is_new = false;
    bool is_changed = false;
  };

  void add(const Group& group);
  [[nodiscard]] Stream& at(std::string_view name) { return streams_[places_.find(name)->second]; }
  [[nodiscard]] const Stream& at(std::string_view name) const { return streams_[places_.find(name)->second]; }
  [[nodiscard]] std::vector<Stream>& all() { return streams_; }
  [[nodiscard]] const std::vector<Stream>& all() const { return streams_; }
  /// Takes in what find_streams gave.
  void locate(const Rows& rows);

 private:
  std::vector<Stream> streams_;
  TextMap<std::string_view, std::size_t> places_;
};

/// True when the row of a stream is ahead of what an append expects, and that may be so because the last events of the
/// stream were removed for good: where they are, the row does not tell. `head` is the last position of the store.
[[nodiscard]] bool may_have_lost_its_end(const StreamAppend& append, const NamedStreams::Stream& stream, Position head);

class AppendPlan {
 public:
  /// `last_time` is that of the last event, or a later one that was settled; `now` is the clock's, `node_id` ours.
  AppendPlan(NamedStreams& streams, Position head, Instant last_time, Instant now, std::uint32_t node_id)
      : streams_(streams), before_(head), head_(head), last_time_(last_time), now_(now), node_id_(node_id) {}

  /// Decides a group that keeps the rules of group_check.hpp; what is admitted joins the plan. `before_call` is the
  /// last position before the call that the group belongs to. Errors: conflict; gone ("stream_removed"), when a stream
  /// has lost events that the caller has taken in.
  [[nodiscard]] AppendResult add(const Group& group, Position before_call);

  /// An event as it is; `group` is of it alone, and keeps the rules of group_check.hpp. Errors: conflict ("not_next").
  [[nodiscard]] Result<> add_restored(const EventView& event, const Group& group);

  [[nodiscard]] bool empty() const { return events_.empty(); }
  /// How many streams need a number.
  [[nodiscard]] std::size_t new_streams() const;
  [[nodiscard]] Position before() const { return before_; }
  [[nodiscard]] Position head() const { return head_; }
  [[nodiscard]] Instant last_time() const { return last_time_; }
  [[nodiscard]] const Uuid& first_id() const { return events_.front().event->id; }
  [[nodiscard]] const Uuid& last_id() const { return events_.back().event->id; }

  /// Appends the statements that record it all. Streams that are new have their numbers by now.
  void put_statements(const Dialect& dialect, std::vector<Call>& calls) const;

  /// Appends the statements that note where the node changes, which was `node_before`.
  void put_nodes(std::uint32_t node_before, std::vector<Call>& calls) const;
  [[nodiscard]] std::uint32_t last_node() const { return events_.back().node_id; }

 private:
  struct Planned {
    const NewEvent* event;
    std::int64_t* stream_id;
    StreamVersion version;
    Instant time;
    std::uint32_t node_id;
  };
  [[nodiscard]] Result<> check_conditions(const Group& group, Position before_call);
  void plan(const NewEvent& event, NamedStreams::Stream& stream, Instant time, std::uint32_t node_id);

  NamedStreams& streams_;
  const Position before_;
  Position head_;
  Instant last_time_;
  const Instant now_;
  const std::uint32_t node_id_;
  std::vector<Planned> events_;
};

}  // namespace annals::store
