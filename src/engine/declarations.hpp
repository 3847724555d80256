#pragma once
// Declarations in the log: what a store's resources were declared as when it was last written with. The stream
// `$declarations-<model>` has an event `ModelDeclared` {"model": name, "fields": {...}} for each declaration that a
// server began to serve with. Any thread.

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
  std::string fields;  ///< as Model::declaration
};

/// Errors: those of reading; corrupt, when the event is none of these.
[[nodiscard]] Result<LastDeclaration> last_declaration(const EventStore& store, const model::Model& model);

struct Reviewed {
  std::vector<model::Review> reviews;           ///< one for each model
  std::map<std::string, std::uint64_t> others;  ///< events of streams that are none of theirs, by category
};
/// Reads all events of the store with models, which outlive the result. It keeps all records of them in memory.
/// What each was declared as before is taken from the store. Errors: those of reading.
[[nodiscard]] Result<Reviewed> review(const EventStore& store, std::span<const model::Model* const> models);

/// Whether the store can be served with these models, before anything is: for a resource that is declared otherwise
/// than before, all its events are read. What holds is recorded. A store that is away is believed, and one that cannot
/// be written to is served all the same; both are logged.
///
/// Gives the mark of each (EngineOptions::declaration_marks): 8 hex digits that follow from the declaration; none while
/// the store is known to have been served with no other one.
/// Errors: usage, telling the events that a declaration does not take; those of reading.
[[nodiscard]] Result<std::vector<std::string>> admit_declarations(EventStore& store,
                                                                  std::span<const model::Model> models,
                                                                  platform::Platform platform);

}  // namespace annals::engine
