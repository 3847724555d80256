#include "engine/event_metadata.hpp"

#include <utility>

#include "json/reader.hpp"
#include "json/writer.hpp"

namespace annals::engine {
namespace {

std::uint32_t count_of(const json::Object& object, std::string_view name) {
  const json::Value* value = object.find(name);
  const auto* number = value ? std::get_if<std::int64_t>(value) : nullptr;
  return number && *number > 0 && std::in_range<std::uint32_t>(*number) ? static_cast<std::uint32_t>(*number) : 0;
}

void append_memory(std::string& metadata, const BatchMemory& batch) {
  json::append_member(metadata, "versions");
  metadata += '[';
  for (const StreamVersion& version : batch.versions)
    metadata.append(&version == &batch.versions.front() ? "" : ",").append(to_string(version));
  metadata += ']';
  json::append_member(metadata, "keys");
  metadata += '[';
  for (const std::string& key : batch.made_keys) {
    if (&key != &batch.made_keys.front()) metadata += ',';
    json::append_string(metadata, key);
  }
  metadata += ']';
}

/// The text of an object or an array within an object.
std::optional<std::string> nested_text(const json::Object& object, std::string_view name, bool is_array) {
  const json::Value* value = object.find(name);
  const auto* nested = value ? std::get_if<json::Nested>(value) : nullptr;
  if (nested == nullptr || nested->is_array != is_array) return std::nullopt;
  return nested->text;
}

/// The object in which the metadata remembers what had an idempotency key; with the thread's reader.
std::optional<json::Object> memory_in(std::string_view metadata) {
  if (metadata.find("\"idempotency\"") == std::string_view::npos) return std::nullopt;
  const auto object = json::thread_reader().read_object(metadata);
  if (!object) return std::nullopt;
  const auto text = nested_text(*object, "idempotency", false);
  if (!text) return std::nullopt;
  auto inner = json::thread_reader().read_object(*text);
  if (!inner) return std::nullopt;
  return *std::move(inner);
}

}  // namespace

std::string make_metadata(std::string_view actor, const std::optional<Idempotency>& idempotency, const Tally& tally,
                          const BatchMemory* batch) {
  std::string metadata;
  metadata.reserve(14 + actor.size());  // so that what most events have is allocated once
  metadata += '{';
  json::append_member(metadata, "actor", actor);
  if (idempotency) {
    json::append_member(metadata, "idempotency");
    metadata += '{';
    json::append_member(metadata, "key", to_hex(idempotency->key));
    json::append_member(metadata, "request", to_hex(idempotency->request));
    if (tally.events > 0) {
      json::append_member(metadata, "set", std::uint64_t{tally.set});
      json::append_member(metadata, "removed", std::uint64_t{tally.removed});
      json::append_member(metadata, "events", std::uint64_t{tally.events});
    }
    if (batch) append_memory(metadata, *batch);
    metadata += '}';
  }
  metadata += '}';
  return metadata;
}

std::string actor_of(std::string_view metadata) {
  // As make_metadata begins it, when the name needs no escapes: an audit log reads this of every event.
  constexpr std::string_view beginning = R"({"actor":")";
  if (metadata.starts_with(beginning)) {
    const std::string_view rest = metadata.substr(beginning.size());
    const std::string_view actor = rest.substr(0, rest.find('"'));
    if (actor.size() < rest.size() && actor.find('\\') == std::string_view::npos) return std::string(actor);
  }
  const auto object = json::thread_reader().read_object(metadata);
  const std::string_view* actor = object ? object->text("actor") : nullptr;
  return actor ? std::string(*actor) : "unknown";
}

std::optional<Remembered> remembered_of(std::string_view metadata) {
  const auto inner = memory_in(metadata);
  if (!inner) return std::nullopt;
  const std::string_view* key = inner->text("key");
  const std::string_view* request = inner->text("request");
  if (key == nullptr || request == nullptr) return std::nullopt;
  const auto key_digest = digest_from_hex(*key);
  const auto request_digest = digest_from_hex(*request);
  if (!key_digest || !request_digest) return std::nullopt;
  return Remembered{{*key_digest, *request_digest},
                    {count_of(*inner, "set"), count_of(*inner, "removed"), count_of(*inner, "events")}};
}

std::optional<BatchMemory> batch_memory_of(std::string_view metadata) {
  const auto inner = memory_in(metadata);
  if (!inner) return std::nullopt;
  const auto versions = nested_text(*inner, "versions", true);
  const auto keys = nested_text(*inner, "keys", true);
  if (!versions || !keys) return std::nullopt;
  BatchMemory batch;
  const auto version_list = json::thread_reader().read_array(*versions);
  if (!version_list) return std::nullopt;
  for (const json::Value& value : *version_list) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || *number < 0) return std::nullopt;
    batch.versions.push_back(StreamVersion{static_cast<std::uint64_t>(*number)});
  }
  const auto key_list = json::thread_reader().read_array(*keys);
  if (!key_list) return std::nullopt;
  for (const json::Value& value : *key_list) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) return std::nullopt;
    batch.made_keys.emplace_back(*text);
  }
  return batch;
}

}  // namespace annals::engine
