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
  SharedText value;       ///< shared with read tables and replies; null when never set, or deleted
  Instant updated_at;     ///< created_at of the last event

  [[nodiscard]] bool exists() const { return value != nullptr; }
  [[nodiscard]] bool was_deleted() const { return value == nullptr && version.value > 0; }
};

enum class Operation : std::uint8_t { set, remove };

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
  SharedText value;  ///< the new value of a set
  Precondition precondition;
};

/// An event by its content: what the engine makes a NewEvent of.
struct Decision {
  std::string type;
  std::string data;
};

/// Errors: not_found ("not_found": a remove of what never was), gone ("already_deleted"), precondition_failed
/// ("version_conflict").
[[nodiscard]] Result<std::vector<Decision>> decide(const Model& model, const Record& record, const Command& command,
                                                   Instant now);

/// What an event does to the record of its key.
struct Change {
  enum class Effect : std::uint8_t {
    none,  ///< of a type that the model does not know: the version moves on
    set,
    remove,
  };
  Effect effect = Effect::none;
  std::string_view value;  ///< of a set; in the event's data, or with this thread's json reader until its next use
};

/// What `evolve` is made of, for whoever keeps records in a form of his own. Errors: corrupt, as evolve.
[[nodiscard]] Result<Change> change_of(const Model& model, std::string_view type, std::string_view data,
                                       StreamVersion version);

/// The record after the event. Events of types that the model does not know change the version only.
/// Errors: corrupt, when the event's data is not what the model writes.
[[nodiscard]] Result<Record> evolve(const Model& model, const Record& record, std::string_view type,
                                    std::string_view data, StreamVersion version, Instant created_at);

/// True, because each event of the kv profile tells the whole state: folding the last event of a stream is enough.
[[nodiscard]] constexpr bool last_event_suffices() {
  return true;
}

}  // namespace annals::model
