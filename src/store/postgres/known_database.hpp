#pragma once
// What a server knew of its database when it last asked, in a small file beside its checkpoints
// (docs/formats/database.md): enough to serve from those while the database is away, and to tell another database from
// this one when it answers again. The file can be deleted: the server then starts only once the database answers.
//
// Values and pure functions but for the file; confined to one thread at a time.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "event/cursor.hpp"
#include "platform/file_system.hpp"

namespace annals::store {

/// A stretch of a store's life, as cursors name it; it lasts until the next begins.
struct Epoch {
  std::uint32_t number = 0;  ///< drawn by chance, so that no other store has the same
  Position before;           ///< its first event comes after this one
  bool operator==(const Epoch&) const = default;
};

struct KnownDatabase {
  std::string address;  ///< where it is: one line, without users and secrets (Destination::address)
  std::string data_type;
  std::string metadata_type;  ///< of the columns: bytea, jsonb or json
  std::vector<Epoch> epochs;  ///< in order of `before`
  bool operator==(const KnownDatabase&) const = default;
};

/// Errors: not_found; corrupt, when the file is not what was written; input_output.
[[nodiscard]] Result<KnownDatabase> read_known_database(const platform::FileSystem& files, const std::string& path);

/// Replaces the file as a whole; makes its directory again, as make_directory_again does. Errors: input_output.
[[nodiscard]] Result<> write_known_database(platform::FileSystem& files, const std::string& path,
                                            const KnownDatabase& known);

/// The position of a cursor, as far as the epochs tell; nullopt when it is of none of them, or points to events of one
/// that were lost before the next began. The start is a position of every store.
[[nodiscard]] std::optional<Position> locate(std::span<const Epoch> epochs, const Cursor& cursor);

/// True when `later` is what became of a store whose epochs were `earlier`: they begin with them. A store without any
/// has nothing that tells it from others.
[[nodiscard]] bool continues(std::span<const Epoch> later, std::span<const Epoch> earlier);

}  // namespace annals::store
