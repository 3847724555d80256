#pragma once
// THE WAIST of what a change means: `decide(model, state, command) -> events`, `evolve(state, event) -> state`.
//
// Both are pure: values in, values out, no clock, no store. What they are given is all they know.
// Source: the decider pattern (Chassaing), as in Equinox.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/number.hpp"
#include "base/result.hpp"
#include "event/event.hpp"
#include "model/model.hpp"

namespace annals::model {

/// The state of one key: what its events fold to.
struct Record {
  StreamVersion version;  ///< of the last event; 0 when there is none
  std::shared_ptr<const std::string>
      value;           ///< shared with read tables and replies, never changed; null when never set, or deleted
  Instant updated_at;  ///< created_at of the last event

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
  std::shared_ptr<const std::string> value;  ///< the new value of a set; shared with the state that will hold it
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

/// The record after the event. Events of types that the model does not know change the version only.
/// Errors: corrupt, when the event's data is not what the model writes.
[[nodiscard]] Result<Record> evolve(const Model& model, const Record& record, std::string_view type,
                                    std::string_view data, StreamVersion version, Instant created_at);

/// True, because each event of the kv profile tells the whole state: folding the last event of a stream is enough.
[[nodiscard]] constexpr bool last_event_suffices() {
  return true;
}

}  // namespace annals::model
