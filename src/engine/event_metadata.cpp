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

}  // namespace

std::string make_metadata(std::string_view actor, const std::optional<Idempotency>& idempotency, const Tally& tally) {
  std::string metadata = "{";
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
    const std::size_t end = rest.find_first_of("\"\\");
    if (end != std::string_view::npos && rest[end] == '"') return std::string(rest.substr(0, end));
  }
  const auto object = json::thread_reader().read_object(metadata);
  const std::string_view* actor = object ? object->text("actor") : nullptr;
  return actor ? std::string(*actor) : "unknown";
}

std::optional<Remembered> remembered_of(std::string_view metadata) {
  if (metadata.find("\"idempotency\"") == std::string_view::npos) return std::nullopt;
  const auto object = json::thread_reader().read_object(metadata);
  if (!object) return std::nullopt;
  const json::Value* value = object->find("idempotency");
  const auto* nested = value ? std::get_if<json::Nested>(value) : nullptr;
  if (nested == nullptr || nested->is_array) return std::nullopt;
  const std::string text = nested->text;
  const auto inner = json::thread_reader().read_object(text);
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

}  // namespace annals::engine
