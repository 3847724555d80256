#pragma once
// The naive reference: what was recorded, in plain maps, and what that means under a declaration. It keeps no state but
// the events: whatever is asked is replayed from the first of them, every time. It shares no code with what it is
// compared with. Confined to one thread.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/shape.hpp"

namespace annals::property {

/// What a record has: values by the names of fields, of those that have one; computed ones are not among them.
using Values = std::map<std::string, Json>;

struct RecordedEvent {
  enum class Kind : std::uint8_t { created, updated, deleted };
  Kind kind = Kind::created;
  std::string type;
  std::string own;  ///< of an event of a field's own: the name of the field at that time
  Values before;    ///< nulls are there, too
  Values after;
  std::int64_t time = 0;  ///< microseconds; known once it is recorded
};

/// Which record: its model and its key.
using Place = std::pair<std::size_t, std::string>;

struct State {
  std::uint64_t version = 0;
  std::optional<Values> values;
  [[nodiscard]] bool was_deleted() const { return version > 0 && !values; }
};

/// Pointers and codes of what is wrong.
using FaultSet = std::set<std::pair<std::string, std::string>>;

/// A member of a body, as it is sent, and as records show it; `code` says what is wrong with it by its type.
struct Member {
  std::string name;
  std::string sent;
  Json value;
  std::string code;
  std::string rest;  ///< of the pointer to what is wrong, behind the name
};

enum class Method : std::uint8_t { create, replace, patch, remove, roll_back };

struct Precondition {
  enum class Kind : std::uint8_t { none, version, exists, absent };
  Kind kind = Kind::none;
  std::uint64_t version = 0;
};

struct Operation {
  Method method = Method::create;
  std::size_t model = 0;
  std::string key;
  bool key_is_made = false;  ///< of a create: by its default
  std::vector<Member> members;
  Precondition precondition;
  std::uint64_t version = 0;           ///< to go back to
  std::optional<std::int64_t> moment;  ///< to go back to
  bool dry_run = false;
};

struct Outcome {
  int status = 200;
  std::string code;
  FaultSet faults;
  std::map<Place, std::vector<RecordedEvent>> events;
  State left;
};

/// What a default made: of a field of a record that is created.
using MadeValues = std::map<std::pair<Place, std::string>, Json>;

class Reference {
 public:
  explicit Reference(Shape shape) : shape_(std::move(shape)) {}

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] const ModelShape& model(std::size_t place) const { return shape_.models[place]; }
  /// Whether a declaration may take the place of the present one, which it then does.
  bool declare(Shape shape);

  /// What a request comes to; nothing is recorded. `now` is what a default makes of the time.
  [[nodiscard]] Outcome decide(const Operation& operation, const MadeValues& made, std::int64_t now) const;
  void record(const Place& place, RecordedEvent event) { streams_[place].push_back(std::move(event)); }

  [[nodiscard]] State present(const Place& place) const;
  [[nodiscard]] State at_version(const Place& place, std::uint64_t version) const;
  /// How many events of the record there were at a time.
  [[nodiscard]] std::uint64_t version_at(const Place& place, std::int64_t time) const;
  [[nodiscard]] const std::vector<RecordedEvent>& events(const Place& place) const;
  /// The keys that a model's events have, in order of their bytes.
  [[nodiscard]] std::vector<std::string> keys(std::size_t model) const;
  /// The first version that is shown of a record.
  [[nodiscard]] std::uint64_t first_shown(const Place& place) const;

  /// As a reply shows it: all fields that are exposed, computed ones among them.
  [[nodiscard]] Json shown(std::size_t model, const Values& values) const;
  /// The value of any field; null when there is none.
  [[nodiscard]] Json value_of(std::size_t model, const Values& values, const FieldShape& field) const;
  /// The data of an event, as it is recorded; or, with `shown`, as a history shows it.
  [[nodiscard]] Json data_of(const Place& place, const RecordedEvent& event, bool shown) const;
  /// An entry of an audit, without what only the event knows.
  [[nodiscard]] Json audit_of(const Place& place, const RecordedEvent& event) const;

 private:
  struct Draft;
  [[nodiscard]] State folded(const Place& place, const std::vector<RecordedEvent>& events, std::size_t count) const;
  [[nodiscard]] State state_in(const Draft& draft, const Place& place) const;
  [[nodiscard]] FaultSet faults_of(const Operation& operation) const;
  void create(Draft& draft, const Operation& operation, const MadeValues& made, std::int64_t now) const;
  void update(Draft& draft, const Operation& operation) const;
  void change(Draft& draft, const Place& place, const Values& before, const Values& after) const;
  void remove(Draft& draft, const Operation& operation) const;
  void roll_back(Draft& draft, const Operation& operation) const;
  void check_others(Draft& draft, const Place& place, const Values& before, const Values& after) const;
  [[nodiscard]] FaultSet computed_faults(const Operation& operation, const Values* before, const Values& after) const;
  [[nodiscard]] FaultSet faults_of_then(const Operation& operation, const Values* now, const Values& then) const;
  [[nodiscard]] std::vector<std::string> referrers(const Draft& draft, std::size_t model, const FieldShape& field,
                                                   const Place& to) const;
  [[nodiscard]] RecordedEvent creation(std::size_t model, const Values& values) const;
  [[nodiscard]] bool takes_all_events(const Shape& shape) const;

  Shape shape_;
  std::map<Place, std::vector<RecordedEvent>> streams_;

  friend class BatchReference;
};

/// Several operations, each on what those before it leave.
class BatchReference {
 public:
  explicit BatchReference(const Reference& reference) : reference_(reference) {}
  /// Of each operation its outcome, up to the first that is refused; when some cannot be read, that alone is told: one
  /// outcome with the pointers of all of them.
  [[nodiscard]] std::vector<Outcome> decide(const std::vector<Operation>& operations, const MadeValues& made,
                                            std::int64_t now, bool is_batch = true) const;

 private:
  const Reference& reference_;
};

/// Whether two values of a field are the same.
[[nodiscard]] bool same_value(const FieldShape& field, const Json& left, const Json& right);
/// The text that is the key of a record whose key has this value.
[[nodiscard]] std::string key_text(const Json& value);

}  // namespace annals::property
