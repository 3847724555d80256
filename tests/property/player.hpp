#pragma once
// Plays random requests to a server and holds every reply, and what was recorded, against the reference. All of it
// follows from the seed. Confined to one thread.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/lists.hpp"
#include "tests/property/reference.hpp"
#include "tests/property/server.hpp"

namespace annals::property {

class Player {
 public:
  explicit Player(std::uint64_t seed);

  /// So many requests, unless one is answered otherwise than the reference says: that ends it.
  void play(std::size_t steps);
  /// What was answered otherwise, with the declaration and the last requests before it; empty when nothing was.
  [[nodiscard]] const std::string& disagreement() const { return disagreement_; }

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  void step();
  void disagree(const std::string& what);
  /// Compares, and says `what` when it is not so.
  void expect(bool is_so, const std::string& what) {
    if (!is_so) disagree(what);
  }
  [[nodiscard]] bool ended() const { return !disagreement_.empty(); }
  Reply ask(http::Method method, const std::string& target, const std::string& body = {}, const Fields& fields = {});

  // Writes: write_player.cpp.
  [[nodiscard]] Operation any_operation(bool in_batch);
  [[nodiscard]] std::vector<Member> any_members(const Operation& operation);
  [[nodiscard]] Precondition any_precondition(const Operation& operation);
  [[nodiscard]] std::string known_key(std::size_t model);
  [[nodiscard]] std::string new_key(std::size_t model);
  [[nodiscard]] std::vector<Operation> handed_over();
  void write_one();
  void write_batch();
  void write_again();
  [[nodiscard]] std::vector<StoredEvent> drafted_events(const Json& body);
  /// Finds out what defaults made, and the keys that were made, from what was recorded.
  [[nodiscard]] MadeValues find_made(std::vector<Operation>& operations, const std::vector<StoredEvent>& events);
  void compare_refusal(const Reply& reply, const Outcome& outcome);
  void compare_events(const std::map<Place, std::vector<RecordedEvent>>& expected,
                      const std::vector<StoredEvent>& events, bool dry_run);
  void compare_left(const Operation& operation, const Outcome& outcome, const Json& shown, const std::string& tag);

  // Reads: read_player.cpp.
  void read_record();
  void read_history();
  void read_audit();
  void read_list();
  void read_lines(ListShape list);
  void read_expanded();
  void read_on();
  void read_everything();
  /// A page, whose rows are the first of these; false when it was the last.
  bool compare_page(const ListShape& list, const Reply& reply, std::vector<ListRow>& rows, std::size_t total);

  void restart();
  void declare_otherwise();

  Dice dice_;
  Reference reference_;
  ServerUnderTest server_;
  std::deque<std::string> transcript_;
  std::string disagreement_;
  std::int64_t last_time_ = 0;

  struct Written {
    http::Method method;
    std::string target;
    std::string body;
    Fields fields;
    Reply reply;
    std::string declaration;
  };
  std::vector<Written> written_;  // under idempotency keys
  std::size_t idempotency_keys_ = 0;
  std::size_t made_keys_ = 0;

  /// A list of which some pages were read.
  struct Begun {
    ListShape list;
    std::string after;
    ListRow last;
  };
  std::optional<Begun> begun_;
};

[[nodiscard]] std::string path_of(const Reference& reference, const Place& place);
/// A body that is JSON; null of one that is none.
[[nodiscard]] Json body_of(const Reply& reply);

}  // namespace annals::property
