#pragma once
// Model: what a user declares to keep. There are two profiles: `kv`, text values under names, the API of a
// configuration service; and `resource`, JSON records of declared fields. A model is data: it drives routes,
// validation, events and read tables. Immutable once made; read from any thread.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "event/durability.hpp"
#include "model/field.hpp"

namespace annals::model {

/// When events of a model become visible to readers.
enum class Consistency : std::uint8_t {
  live,      ///< before the success of the command is reported
  eventual,  ///< soon after; a reply's position can be waited for
  restart,   ///< the state at the last start or refresh
};
[[nodiscard]] std::string_view to_string(Consistency consistency);

enum class Profile : std::uint8_t { kv, resource };
[[nodiscard]] std::string_view to_string(Profile profile);

/// What is done with a resource: single operations may be declared otherwise than the model.
enum class ApiOperation : std::uint8_t {
  list,    ///< GET of the model
  get,     ///< GET of a record, and of what it was
  create,  ///< POST
  update,  ///< PUT, PATCH, rollback
  remove,  ///< DELETE
};
inline constexpr std::array api_operations{ApiOperation::list, ApiOperation::get, ApiOperation::create,
                                           ApiOperation::update, ApiOperation::remove};
/// As it is declared: "list", "get", "create", "update", "delete".
[[nodiscard]] std::string_view to_string(ApiOperation operation);

/// What is declared of one operation; what is not is as the model says.
struct OperationRules {
  std::optional<bool> audited;
  std::optional<AskedDurability> durability;
  std::optional<bool> write_behind;  ///< another name for `durability` memory, which it has set
  std::optional<Duration> cache;
};

inline constexpr std::size_t key_bytes_max = 512;

class SecretCipher;

struct Model {
  std::string name;  ///< `[a-z][a-z0-9_]*`, 1 to 64 bytes; the category of its streams
  Profile profile = Profile::kv;
  std::vector<std::string> paths;  ///< where it is served, such as "/config"; the first is the canonical one
  Consistency consistency = Consistency::live;
  Duration refresh_every{0};               ///< with `restart`: refresh by itself this often; 0: never
  std::size_t value_bytes_max = 1u << 20;  ///< while settings are read, 0: what the setting kv.value_bytes_max says
  std::string event_type_prefix;           ///< put before event types in what the API shows; never stored

  bool audited = false;              ///< of a resource: who changed what can be asked for
  std::uint64_t snapshot_every = 0;  ///< of a resource: events of a record from one snapshot of it to the next; 0: none
  std::vector<Field> fields;         ///< of a resource, in the order in which records show them
  std::size_t primary_key = 0;       ///< its place in `fields`
  std::array<OperationRules, api_operations.size()> operations;  ///< of a resource, by ApiOperation
  std::vector<std::string> methods;  ///< of HTTP, of a resource: those that are served; empty: all of the profile
  std::optional<AskedDurability> durability;  ///< of a resource; see durability_of
  std::optional<bool> write_behind;           ///< of a resource: another name for `durability` memory, which it has set
  Duration cache{0};             ///< of a resource: how long who got a reply may keep it; 0: asks each time
  std::uint64_t versioned = 0;   ///< of a resource: how many versions of a record are shown; 0: all
  Duration retention{0};         ///< of a resource: how long ago a past that is shown may lie; 0: any time
  std::uint64_t batch_size = 0;  ///< of a resource: commands on it that one flush takes; 0: what the store takes
  std::uint64_t memory_max = 0;  ///< of a resource: bytes of records' texts that stay in memory; 0: all of them
  bool hides = false;            ///< some of its fields are not exposed
  std::string declaration;       ///< of its fields, as JSON: {"name": {"type": "string", ...}, ...}
  std::shared_ptr<const SecretCipher> cipher;  ///< of its secret fields; shared by models, null before keys were read

  // What follows from the name.
  std::string aggregate_type;  ///< "ConfigValue"; of a resource "Product"
  std::string set_type;        ///< "ConfigValueSet"
  std::string created_type;    ///< "ProductCreated"
  std::string updated_type;    ///< "ProductUpdated"
  std::string deleted_type;    ///< "ConfigValueDeleted"; "ProductDeleted"
  std::string key_member;      ///< "config_name"; "product_id"

  /// A kv model with everything that follows from its name. INVARIANT: the name is valid (see check_model_name).
  [[nodiscard]] static Model kv(std::string name, std::vector<std::string> paths);

  /// A resource with everything that follows from its name and its fields, one of which is the primary key.
  /// INVARIANT: as kv.
  [[nodiscard]] static Model resource(std::string name, std::vector<std::string> paths, std::vector<Field> fields);

  /// The place of the field of this name; nullopt when there is none.
  [[nodiscard]] std::optional<std::size_t> field_of(std::string_view field) const;
  /// The same of the name that a field has, or had, in events.
  [[nodiscard]] std::optional<std::size_t> field_in_events(std::string_view field) const;
  [[nodiscard]] bool has_unique_fields() const;
  [[nodiscard]] bool has_references() const;
  [[nodiscard]] bool has_secrets() const;
  /// What a write promises.
  [[nodiscard]] AskedDurability durability_of(ApiOperation operation) const;
  /// How long who got a reply to a read may keep it; 0: asks each time.
  [[nodiscard]] Duration cache_of(ApiOperation operation) const;

  /// The stream of a key: "config-database_url".
  [[nodiscard]] std::string stream(std::string_view key) const;
  [[nodiscard]] bool owns_stream(std::string_view stream) const;
};

/// Errors: invalid.
[[nodiscard]] Result<> check_model_name(std::string_view name);

/// A key is 1 to 512 bytes of UTF-8 without control characters. Errors: invalid ("invalid_name").
[[nodiscard]] Result<> check_key(std::string_view key);

/// Whether a key could begin so; every key does with nothing. Errors: invalid ("invalid_prefix").
[[nodiscard]] Result<> check_key_prefix(std::string_view prefix);

}  // namespace annals::model
