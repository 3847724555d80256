#include "engine/event_json.hpp"

#include "engine/event_metadata.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"

namespace annals::engine {
namespace {

void append_uuid_member(std::string& out, std::string_view name, const Uuid& uuid) {
  json::append_member(out, name);
  out += '"';
  uuid.append_text(out);
  out += '"';
}

}  // namespace

void append_event_json(std::string& out, const EventView& event, const model::Model* model) {
  out += '{';
  append_uuid_member(out, "event_id", event.id);
  json::append_member(out, "event_type",
                      model ? model->event_type_prefix + std::string(event.type) : std::string(event.type));
  json::append_member(out, "stream", event.stream);
  json::append_member(out, "stream_version", event.version.value);
  json::append_member(out, "position", to_string(event.position));
  json::append_member(out, "data");
  // Data is JSON by the store's contract. A database written by others may hold something else: then it goes out as
  // text.
  if (json::thread_reader().read_object(event.data)) {
    out += event.data;
  } else {
    json::append_string(out, event.data);
  }
  json::append_member(out, "metadata");
  out += '{';
  json::append_member(out, "aggregate_id", key_of(event.stream));
  if (model) {
    json::append_member(out, "aggregate_type", model->aggregate_type);
  } else {
    json::append_null_member(out, "aggregate_type");
  }
  json::append_member(out, "actor", actor_of(event.metadata));
  append_uuid_member(out, "correlation_id", event.correlation_id);
  if (event.causation_id) {
    append_uuid_member(out, "causation_id", *event.causation_id);
  } else {
    json::append_null_member(out, "causation_id");
  }
  json::append_member(out, "node_id", std::to_string(event.node_id));
  out += '}';
  json::append_member(out, "created_at");
  out += '"';
  event.created_at.append_text(out);
  out += "\"}";
}

}  // namespace annals::engine
