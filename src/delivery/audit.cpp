#include "delivery/audit.hpp"

#include "engine/event_metadata.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"

namespace annals::delivery {
namespace {

constexpr Duration save_every = std::chrono::seconds(1);
constexpr std::size_t line_bytes_about = 400;  // of a line without its value

/// "Config" of "ConfigValue"; "Product".
std::string_view subject_of(const model::Model& model) {
  if (model.profile == model::Profile::resource) return model.aggregate_type;
  constexpr std::string_view suffix = "Value";
  return std::string_view(model.aggregate_type).substr(0, model.aggregate_type.size() - suffix.size());
}

}  // namespace

Audit::Audit(Options options, engine::Engine& engine, platform::LineOutput& output)
    : options_(std::move(options)),
      engine_(engine),
      output_(output),
      checkpoint_(engine.platform().files, options_.checkpoint_path) {}

Result<Position> Audit::resume() {
  if (written_.value > 0) return written_;
  auto position = checkpoint_.load(engine_.store());
  if (!position && (position.error().kind == ErrorKind::corrupt || position.error().kind == ErrorKind::gone)) {
    engine_.platform().log.warning(
        "The audit log's checkpoint cannot be used; the audit log starts again from the beginning",
        {{"error", position.error().message}});
    return Position{};
  }
  if (position) written_ = saved_ = *position;
  return position;
}

Result<> Audit::handle(const EventPage& page) {
  std::string lines;
  lines.reserve(page.events().size() * line_bytes_about);
  for (const EventView& event : page.events()) {
    const model::Model* model = engine_.model_of(event.stream);
    if (model && (model->profile == model::Profile::resource || event.type == model->set_type ||
                  event.type == model->deleted_type))
      append_line(lines, event, *model);
  }
  if (!lines.empty()) TRY(output_.write(lines));
  written_ = page.events().back().position;
  const Duration now = engine_.platform().clock.monotonic();
  if (now - saved_at_ < save_every) return {};
  saved_at_ = now;
  return save_checkpoint();
}

void Audit::close() {
  if (auto saved = save_checkpoint(); !saved) {
    engine_.platform().log.warning("The audit log's checkpoint could not be kept; some lines will be written again",
                                   {{"error", saved.error().message}});
  }
}

Result<> Audit::save_checkpoint() {
  if (written_ == saved_) return {};
  TRY(checkpoint_.save(engine_.store().cursor(written_)));
  saved_ = written_;
  return {};
}

void Audit::append_line(std::string& lines, const EventView& event, const model::Model& model) const {
  const bool deleted = event.type == model.deleted_type;
  std::string message;
  message.reserve(line_bytes_about / 4);
  message += subject_of(model);
  const bool created = model.profile == model::Profile::resource && event.type == model.created_type;
  message.append(deleted ? " deleted: " : created ? " created: " : " updated: ").append(key_of(event.stream));
  if (!deleted && model.profile == model::Profile::kv) {
    message += " = ";
    const std::string_view* value = nullptr;
    json::Object data;
    if (options_.values) {
      if (auto object = json::thread_reader().read_object(event.data)) data = std::move(*object);
      value = data.text("value");
    }
    message += value ? *value : std::string_view("****");
  }
  lines += "{\"timestamp\":\"";
  event.created_at.append_text(lines);
  lines += "\",\"level\":\"INFO\",\"trace_id\":\"";
  const std::string correlation = event.correlation_id.to_text();
  // Without the hyphens.
  lines.append(correlation, 0, 8).append(correlation, 9, 4).append(correlation, 14, 4);
  lines.append(correlation, 19, 4).append(correlation, 24, 12);
  // A span of its own, which the event's id names as well as a drawn one would.
  lines += "\",\"span_id\":\"";
  const std::string event_id = event.id.to_text();
  lines.append(event_id, 19, 4).append(event_id, 24, 12);
  lines += "\",\"message\":";
  json::append_string(lines, message);
  lines += ",\"context\":{";
  json::append_member(lines, "log", "audit");
  json::append_member(lines, "model", model.name);
  json::append_member(lines, "operation", deleted ? "delete" : created ? "create" : "set");
  json::append_member(lines, "name", key_of(event.stream));
  json::append_member(lines, "version", event.version.value);
  json::append_member(lines, "position", to_string(event.position));
  json::append_member(lines, "user_id", engine::actor_of(event.metadata));
  json::append_member(lines, "event_id", event_id);
  lines += "}}\n";
}

}  // namespace annals::delivery
