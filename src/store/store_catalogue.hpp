#pragma once
// The catalogue of stores: every implementation of EventStore by its name, written by hand. Settings, help and the
// contract tests are made from it.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "event/event_store.hpp"
#include "platform/platform.hpp"
#include "store/embedded_store.hpp"
#include "store/postgres_store.hpp"

namespace annals::store {

/// The options of every store; each looks at its own.
struct StoreOptions {
  EmbeddedOptions embedded;
  PostgresOptions postgres;
};

struct StoreEntry {
  std::string_view kind;      ///< the value of store.kind
  std::string_view sentence;  ///< for the reference
  bool keeps;                 ///< what it holds is there after a restart

  /// Errors: those of the store's own opening.
  Result<std::unique_ptr<EventStore>> (*open)(const StoreOptions& options, platform::Platform platform,
                                              platform::Executor& background);
};

[[nodiscard]] std::span<const StoreEntry> store_catalogue();

/// The entry of a kind, or nullptr.
[[nodiscard]] const StoreEntry* find_store(std::string_view kind);

}  // namespace annals::store
