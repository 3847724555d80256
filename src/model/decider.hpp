#pragma once
// THE WAIST of what a change means: `decide(model, state, command) -> events`, `evolve(state, event) -> state`.
//
// Both are pure: values in, values out, no clock, no store. What they are given is all they know.
// Source: the decider pattern (Chassaing), as in Equinox.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/number.hpp"
#include "base/result.hpp"
#include "base/shared_text.hpp"
#include "event/event.hpp"
#include "model/model.hpp"

namespace annals::model {

/// The state of one key: what its events fold to.
struct Record {
  StreamVersion version;  ///< of the last event; 0 when there is none
  SharedText value;    ///< of kv the value, of a resource its text (record_text.hpp); null when never set, or deleted
  Instant updated_at;  ///< created_at of the last event

  [[nodiscard]] bool exists() const { return value != nullptr; }
  [[nodiscard]] bool was_deleted() const { return value == nullptr && version.value > 0; }
};

enum class Operation : std::uint8_t {
  set,      ///< of kv
  create,   ///< of a resource: a record that does not exist
  update,   ///< of a resource: gives fields of a record that exists
  restore,  ///< of a resource: brings the record back to what it was; `value` is its text then
  remove,
};

/// Where it is declared what holds for such a command.
[[nodiscard]] constexpr ApiOperation api_operation_of(Operation operation) {
  if (operation == Operation::create) return ApiOperation::create;
  return operation == Operation::remove ? ApiOperation::remove : ApiOperation::update;
}

/// A value for the field at this place.
struct GivenField {
  std::size_t field = 0;
  FieldValue value;
  bool merges = false;  ///< of type json: an object goes into the one that is there (RFC 7396)
  bool stays = false;   ///< no value is given: that of the record stays, and is required to be there
};

/// What the caller demands of the state that it changes.
struct Precondition {
  enum class Rule : std::uint8_t {
    none,
    version_is_one_of,  ///< If-Match: "3", "4"
    exists,             ///< If-Match: *
    does_not_exist,     ///< If-None-Match: *
  };
  Rule rule = Rule::none;
  std::vector<StreamVersion> versions;
};

struct Command {
  Operation operation = Operation::set;
  std::string key;
  SharedText value;  ///< the new value of a set; what a record is restored to
  Precondition precondition;
  std::vector<GivenField> given{};  ///< of a create or an update
  std::size_t given_bytes = 0;      ///< what they take, more or less

  [[nodiscard]] std::size_t bytes() const { return key.size() + (value ? value->size() : 0) + given_bytes; }
};

/// An event by its content: what the engine makes a NewEvent of.
struct Decision {
  std::string type;
  std::string data;
};

/// No events are decided when nothing would change (of a resource). Errors: not_found ("not_found": a remove of what
/// never was; of a resource, an update of what does not exist), gone ("already_deleted"), conflict ("already_exists"),
/// unprocessable ("invalid_record"), precondition_failed ("version_conflict").
[[nodiscard]] Result<std::vector<Decision>> decide(const Model& model, const Record& record, const Command& command,
                                                   Instant now);

/// What is decided in the place of a set or a remove whose event would be more than a store takes, because of the
/// values that were there: the event tells none of them, and says so.
[[nodiscard]] Decision decide_without_old_values(const Model& model, const Command& command, Instant now);

/// What an event does to the record of its key.
struct Change {
  enum class Effect : std::uint8_t {
    none,  ///< of a type that the model does not know: the version moves on
    set,
    remove,
  };
  Effect effect = Effect::none;
  std::string_view value{};  ///< of a set; in the event's data, or with this thread's json reader until its next use
  std::string made{};        ///< of a set, in the place of `value` when it is not empty

  [[nodiscard]] std::string_view new_value() const { return made.empty() ? value : made; }
};

/// What `evolve` is made of, for whoever keeps records in a form of his own; `before` is the record's value, empty when
/// it does not exist. Errors: corrupt, as evolve.
[[nodiscard]] Result<Change> change_of(const Model& model, std::string_view before, std::string_view type,
                                       std::string_view data, StreamVersion version);

/// The record after the event. Events of types that the model does not know change the version only.
/// Errors: corrupt, when the event's data is not what the model writes.
[[nodiscard]] Result<Record> evolve(const Model& model, const Record& record, std::string_view type,
                                    std::string_view data, StreamVersion version, Instant created_at);

/// True where each event tells the whole state: folding the last event of a stream is enough.
[[nodiscard]] inline bool last_event_suffices(const Model& model) {
  return model.profile == Profile::kv;
}

/// Errors: precondition_failed ("version_conflict").
[[nodiscard]] Result<> check_precondition(const Record& record, const Command& command);

}  // namespace annals::model
