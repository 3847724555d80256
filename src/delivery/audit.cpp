#include "delivery/audit.hpp"

#include <array>
#include <charconv>
#include <span>

#include "engine/event_metadata.hpp"
#include "json/plain_text.hpp"
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

/// Appends what stands between the quotes of a JSON string.
void append_inner(std::string& lines, std::string_view text) {
  if (json::is_plain(text)) {
    lines += text;
    return;
  }
  std::string quoted;
  json::append_string(quoted, text);
  lines.append(quoted, 1, quoted.size() - 2);
}

void append_hex(std::string& lines, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 2 * sizeof(Uuid)> text;
  char* at = text.data();
  for (const std::uint8_t byte : bytes) {
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15];
  }
  lines.append(text.data(), at);
}

void append_digits(std::string& lines, std::uint64_t number) {
  std::array<char, 20> digits;
  lines.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
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
  const bool created = model.profile == model::Profile::resource && event.type == model.created_type;
  lines += R"({"timestamp":")";
  event.created_at.append_text(lines);
  lines += R"(","level":"INFO","trace_id":")";
  append_hex(lines, event.correlation_id.bytes);
  // A span of its own, which the event's id names as well as a drawn one would.
  lines += R"(","span_id":")";
  append_hex(lines, std::span(event.id.bytes).last<8>());
  lines += R"(","message":")";
  lines += subject_of(model);
  lines += deleted ? " deleted: " : created ? " created: " : " updated: ";
  const std::string_view key = key_of(event.stream);
  append_inner(lines, key);
  if (!deleted && model.profile == model::Profile::kv) {
    lines += " = ";
    append_value(lines, event);
  }
  lines += R"(","context":{"log":"audit","model":")";
  append_inner(lines, model.name);
  lines += R"(","operation":")";
  lines += deleted ? "delete" : created ? "create" : "set";
  lines += R"(","name":")";
  append_inner(lines, key);
  lines += R"(","version":)";
  append_digits(lines, event.version.value);
  lines += R"(,"position":")";
  append_digits(lines, event.position.value);
  lines += R"(","user_id":")";
  append_inner(lines, engine::actor_of(event.metadata));
  lines += R"(","event_id":")";
  event.id.append_text(lines);
  lines += "\"}}\n";
}

/// The value that the event sets, within a string of JSON; masked unless values are to be shown.
void Audit::append_value(std::string& lines, const EventView& event) const {
  const std::string_view* value = nullptr;
  json::Object data;
  if (options_.values) {
    if (auto object = json::thread_reader().read_object(event.data)) data = std::move(*object);
    value = data.text("value");
  }
  append_inner(lines, value ? *value : std::string_view("****"));
}

}  // namespace annals::delivery
