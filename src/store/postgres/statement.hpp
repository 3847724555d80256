#pragma once
// The SQL of the store: every file of sql/ as a constant of the same name, made by CMake. Immutable.
//
// Words in it that begin with a colon are filled in for the database at hand (see Dialect).

#include <string>
#include <string_view>

namespace annals::store {

struct Statement {
  const char* name;
  const char* text;
};

struct Sql {
  // Transactions and sessions.
  static const Statement begin, commit, rollback, session, listen, notify, cancel, claim_node;
  // Appends.
  static const Statement lock_all, lock_store, find_streams, reserve_streams, skip_streams, insert_streams,
      update_streams, insert_events, insert_stream_events, update_all, update_store, insert_epoch, insert_writer,
      events_exist, last_versions, rehearsal, rehearse;
  // Events of others.
  static const Statement adopt_stretches, adopt_store;
  // Reads.
  static const Statement head, epochs, event_at, stream_version, read_stream_forward, read_stream_backward, read_all,
      position_at, version_at, settle, settled;
  // Tables. The create_ ones are scripts of several statements.
  static const Statement describe, lock_tables, create_tables, create_json, create_view, create_annals_tables;
};

/// What differs between databases: the types of the columns that keep data and metadata (bytea, jsonb or json), and the
/// schema. Immutable.
struct Dialect {
  std::string schema = "public";
  std::string data_type = "bytea";
  std::string metadata_type = "bytea";

  [[nodiscard]] bool data_is_json() const { return data_type != "bytea"; }
  [[nodiscard]] bool metadata_is_json() const { return metadata_type != "bytea"; }
  /// The statement's text with :data_type, :data_read, :metadata_type, :metadata_read and :channel filled in.
  [[nodiscard]] std::string text_of(const Statement& statement) const;
};

/// `name` in double quotes.
[[nodiscard]] std::string quoted_identifier(std::string_view name);

}  // namespace annals::store
