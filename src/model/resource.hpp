#pragma once
// The profile `resource`: what bodies, commands and events of a model of declared fields mean. Its half of the decider.
// Pure functions; no thread rule.
//
// Events (all of them objects, <name> being the model's):
//   <Name>Created  {"<name>_id": key, "values": {field: value, ...}}          without fields that have no value; of a
//                                                                              field with a default it is null
//   <Name>Updated  {"<name>_id": key, "changes": {field: {"old": value, "new": value}, ...}}
//   <Name>Deleted  {"<name>_id": key, "old_values": {...}, "deleted_at": time}
//                  {"<name>_id": key, "old_values": {}, "old_values_too_large": true, "deleted_at": time}
// and a type of its own for a change of one field that has the attribute `event`:
//   PriceUpdated   {"<name>_id": key, "old_price": value, "new_price": value}
//
// A computed field's value (formula.hpp) is in no event: it is made whenever an event is folded into a record. A body
// may give it as it is, before the write or after; a write that leaves it without a value because none can be made, or
// one that breaks the field's rules, is refused. What an event has for a field of another type than it was is carried
// by the field's upcast (upcast.hpp), if it has one.
//
// A secret field's value is sealed (secret_cipher.hpp) as soon as a body has been found good: commands, events and
// records have nothing else.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/faults.hpp"
#include "json/reader.hpp"
#include "model/decider.hpp"

namespace annals::model {

/// What a new record may need that only the caller has.
struct Fresh {
  Instant now;
  std::function<Uuid()> make_uuid;
};

/// What the body of a request gives to fields, every fault in it told at once, within `limits`: unknown members, wrong
/// types, broken rules, required fields without a value. Errors: unprocessable ("invalid_record", with faults).
[[nodiscard]] Result<std::vector<GivenField>> read_new_record(const Model& model, const json::Object& body,
                                                              const Fresh& fresh, Faults::Limits limits = {});
/// As read_new_record, of the whole record of a key that exists: what is left out gets its default or none, but what a
/// new record gets made anew, and what replies do not show, stays as it is. The key, if it is there, is the record's
/// own.
[[nodiscard]] Result<std::vector<GivenField>> read_replacement(const Model& model, const json::Object& body,
                                                               std::string_view key, Faults::Limits limits = {});
/// Of some fields (RFC 7396): null takes the value away, and an object goes into the one that a field of type json has.
[[nodiscard]] Result<std::vector<GivenField>> read_patch(const Model& model, const json::Object& body,
                                                         std::string_view key, Faults::Limits limits = {});

/// The key that a new record was given. INVARIANT: read_new_record gave them.
[[nodiscard]] std::string key_of_new(const Model& model, const std::vector<GivenField>& given);

/// The key as records have it, of one that a client wrote: an upper-case UUID is a UUID. nullopt when no record can
/// have it.
[[nodiscard]] std::optional<std::string> canonical_key(const Model& model, std::string_view key);

/// The deletion of a record whose values are more than an event can hold: it tells none of them.
[[nodiscard]] Decision deletion_without_values(const Model& model, std::string_view key, Instant now);

/// The values that no other record may have: the field's place and `identity_of` the value.
struct UniqueValue {
  std::size_t field;
  std::string identity;

  bool operator==(const UniqueValue&) const = default;
};
/// Those of a record's text; none of an empty one. Errors: corrupt.
[[nodiscard]] Result<std::vector<UniqueValue>> unique_values(const Model& model, std::string_view record);

/// What a record refers to: the field's place, and the key of a record of the model that it names.
struct ReferredKey {
  std::size_t field;
  std::string key;

  bool operator==(const ReferredKey&) const = default;
};
/// Those of a record's text; none of an empty one. Errors: corrupt.
[[nodiscard]] Result<std::vector<ReferredKey>> referred_keys(const Model& model, std::string_view record);

/// The places of fields whose values in an event are carried by their upcasts.
[[nodiscard]] std::vector<std::size_t> carried_fields(const Model& model, std::string_view type, std::string_view data);

// The resource's half of `decide` and `change_of` (decider.hpp).
[[nodiscard]] Result<std::vector<Decision>> decide_resource(const Model& model, const Record& record,
                                                            const Command& command, Instant now);
[[nodiscard]] Result<Change> resource_change_of(const Model& model, std::string_view before, std::string_view type,
                                                std::string_view data, StreamVersion version);

}  // namespace annals::model
