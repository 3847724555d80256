#pragma once
// Stores by the names that commands take: a directory, `postgres` for the database that the settings name, or the
// address of another, `postgres://...`.

#include <memory>
#include <string>

#include "event/event_store.hpp"
#include "platform/platform.hpp"
#include "server/settings.hpp"

namespace annals::server {

/// What a command's help says of such a name.
inline constexpr const char* named_store_help =
    "a directory; `postgres`, the database that the settings name; or an address, postgres://...";

/// Whether it is the name of a database.
[[nodiscard]] bool is_database(const std::string& name);

/// Whether it is a name of a store that is kept. Errors: usage: an address of something else, or `memory`.
[[nodiscard]] Result<> check_store_name(const std::string& name);

/// The name of the store that a command works on: the one that it was given, or else, when that is empty, the one that
/// the settings lead to. Errors: usage, when that is one that only a server has.
[[nodiscard]] Result<std::string> name_of_store(const std::string& given, const Settings& settings);

/// The name without a password, for messages.
[[nodiscard]] std::string shown_store(const std::string& name);

/// Opens a store to read; nothing changes in it, but for what Annals keeps in a database beside the events, if that
/// may be changed.
/// Errors: those of the store's own opening.
[[nodiscard]] Result<std::unique_ptr<EventStore>> open_named_store_to_read(const std::string& name,
                                                                           const Settings& settings,
                                                                           platform::Platform platform);

/// Opens a store to write to; a directory is made when it is not there. What is passed outlives the store.
/// Errors: those of the store's own opening.
[[nodiscard]] Result<std::unique_ptr<EventStore>> open_named_store(const std::string& name, const Settings& settings,
                                                                   platform::Platform platform,
                                                                   platform::Executor& background);

}  // namespace annals::server
