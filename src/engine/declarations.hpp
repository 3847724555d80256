#pragma once
// Declarations in the log: what a store's resources were declared as when it was last written with. The stream
// `$declarations-<model>` has an event `ModelDeclared` {"model": name, "fields": {...}, "attributes": {...}, "read_to":
// position} for each declaration that a server began to serve with; that server found it to suit all events up to that
// position. Of a kv model that has been a resource `fields` is {}. What events depend on are the fields; the attributes
// (model/declared_attributes.hpp) are told of by `annals plan`, and earlier versions did not record them. Any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "event/event_store.hpp"
#include "model/redeclaration.hpp"
#include "platform/platform.hpp"

namespace annals::engine {

struct LastDeclaration {
  StreamVersion version;  ///< 0 when there is none
  Position position;
  Instant declared_at;
  std::string fields;                     ///< as Model::declaration; of a kv model "{}"
  std::optional<std::string> attributes;  ///< as model::declared_attributes; nullopt when nobody knows
  std::uint32_t node_id = 0;              ///< the server that declared it
  Position read_to;                       ///< the events up to here suit it
};

/// What is recorded of a model as its fields.
[[nodiscard]] std::string declared_fields(const model::Model& model);

/// Errors: those of reading; corrupt, when the event is none of these.
[[nodiscard]] Result<LastDeclaration> last_declaration(const EventStore& store, const model::Model& model);

struct Reviewed {
  std::vector<model::Review> reviews;           ///< one for each model
  std::map<std::string, std::uint64_t> others;  ///< events of streams that are none of theirs, by category
  Position read_to;                             ///< of the last event that there was
};
/// Reads all events of the store with models, which outlive the result. It keeps all records of them in memory.
/// What each was declared as before is taken from the store. Errors: those of reading.
[[nodiscard]] Result<Reviewed> review(const EventStore& store, std::span<const model::Model* const> models);

/// Whether the store can be served with these models, before anything is: all events of a model are read when it is
/// declared otherwise than before, or when another server of the store, with another declaration, recorded some since
/// they were last read so. What holds is recorded, when its fields or attributes are declared otherwise than they were
/// last: one event a model and start at most. A store that is away is believed, and one that cannot be written to
/// is served all the same; both are logged.
///
/// Gives the mark of each (EngineOptions::declaration_marks): 8 hex digits that follow from the declaration; none while
/// the store is known to have been served with no other one.
/// Errors: usage, telling the events that a declaration does not take; those of reading.
[[nodiscard]] Result<std::vector<std::string>> admit_declarations(EventStore& store,
                                                                  std::span<const model::Model> models,
                                                                  platform::Platform platform);

}  // namespace annals::engine
