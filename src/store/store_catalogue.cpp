#include "store/store_catalogue.hpp"

#include <algorithm>
#include <array>

#include "store/memory_store.hpp"

namespace annals::store {

std::span<const StoreEntry> store_catalogue() {
  static constexpr std::array catalogue{
      StoreEntry{"embedded", "A log of events in one directory, locked against a second process.", true,
                 [](const StoreOptions& options, platform::Platform platform, platform::Executor& background) {
                   return open_embedded_store(options.embedded, platform, background);
                 }},
      StoreEntry{"memory", "Events in memory, gone when the server stops.", false,
                 [](const StoreOptions&, platform::Platform platform, platform::Executor&)
                     -> Result<std::unique_ptr<EventStore>> { return make_memory_store(platform); }},
      StoreEntry{"postgres",
                 "A PostgreSQL database, by the schema of the library EventStore 1.4; several servers may share it.",
                 true,
                 [](const StoreOptions& options, platform::Platform platform, platform::Executor&) {
                   return open_postgres_store(options.postgres, platform);
                 }},
  };
  return catalogue;
}

const StoreEntry* find_store(std::string_view kind) {
  const auto found = std::ranges::find(store_catalogue(), kind, &StoreEntry::kind);
  return found == store_catalogue().end() ? nullptr : &*found;
}

}  // namespace annals::store
