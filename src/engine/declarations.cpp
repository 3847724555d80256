#include "engine/declarations.hpp"

#include <algorithm>
#include <future>

#include "base/wording.hpp"
#include "engine/command.hpp"
#include "engine/event_metadata.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"

namespace annals::engine {
namespace {

constexpr std::string_view category = "$declarations";
constexpr std::string_view event_type = "ModelDeclared";

std::string stream_of(const model::Model& model) {
  return std::string(category) + "-" + model.name;
}

std::string mark_of(const model::Model& model) {
  constexpr std::size_t mark_digits = 8;
  return to_hex(digest_of({model.declaration})).substr(0, mark_digits);
}

NewEvent declared(const model::Model& model, platform::Platform platform) {
  NewEvent event;
  event.id = platform::make_uuid(platform.clock.now(), platform.random);
  event.type = event_type;
  event.data = "{";
  json::append_member(event.data, "model", model.name);
  json::append_member(event.data, "fields");
  event.data += model.declaration + "}";
  event.metadata = make_metadata("annals", std::nullopt);
  event.correlation_id = event.id;
  return event;
}

Result<> record(EventStore& store, const model::Model& model, StreamVersion after, platform::Platform platform) {
  std::vector<Group> groups(1);
  groups.front().appends.push_back({stream_of(model), ExpectedVersion::exact(after), {declared(model, platform)}});
  std::promise<AppendResult> told;
  store.append(groups, [&](std::vector<AppendResult> results) { told.set_value(std::move(results.front())); });
  TRY(told.get_future().get());
  return {};
}

std::string told(const model::Review::Count& count, std::string_view one, std::string_view several) {
  std::string text = std::to_string(count.number) + " " + std::string(for_number(count.number, one, several)) + ": ";
  for (const std::string& example : count.examples)
    text.append(&example == &count.examples.front() ? "" : "; ").append(example);
  return count.number > count.examples.size() ? text + "; ..." : text;
}

Error refusal(const model::Model& model, const model::Review& found) {
  std::string text =
      "model " + model.name + " is declared otherwise than it was, and the store has what does not suit: ";
  if (found.broken().number > 0)
    text += told(found.broken(), "event that it cannot take", "events that it cannot take");
  if (found.taken_twice().number > 0) {
    text += found.broken().number > 0 ? "; and " : "";
    text +=
        told(found.taken_twice(), "value that is to be unique and is not", "values that are to be unique and are not");
  }
  return {ErrorKind::usage, text +
                                ". Nothing was changed; `annals plan` tells more; declare the field as it was, give "
                                "it an upcast, or give what is new another name"};
}

/// The fields that an event declares, as JSON.
Result<std::string> fields_of(const EventView& event) {
  const json::Object data = TRY(json::thread_reader().read_object(event.data));
  const json::Value* fields = data.find("fields");
  const auto* nested = fields ? std::get_if<json::Nested>(fields) : nullptr;
  if (nested == nullptr || nested->is_array)
    return fail(ErrorKind::corrupt, "the event at position " + to_string(event.position) + " declares no fields");
  return std::string(nested->text);
}

/// All that the model ever was declared as, the first one first.
Result<std::vector<std::string>> declarations_of(const EventStore& store, const model::Model& model) {
  std::vector<std::string> all;
  StreamVersion from{1};
  while (true) {
    const EventPage page = TRY(store.read_stream(stream_of(model), from, Direction::forward, PageLimit{}));
    if (page.events().empty()) return all;
    for (const EventView& event : page.events()) all.push_back(TRY(fields_of(event)));
    from = StreamVersion{page.events().back().version.value + 1};
  }
}

}  // namespace

Result<LastDeclaration> last_declaration(const EventStore& store, const model::Model& model) {
  LastDeclaration last;
  const std::string stream = stream_of(model);
  last.version = TRY(store.stream_version(stream));
  if (last.version.value == 0) return last;
  const EventPage page = TRY(store.read_stream(stream, last.version, Direction::backward, PageLimit{1}));
  if (page.events().empty()) return fail(ErrorKind::corrupt, "the stream " + stream + " ends before its last event");
  const EventView& event = page.events().front();
  last.fields = TRY(fields_of(event));
  last.position = event.position;
  last.declared_at = event.created_at;
  return last;
}

Result<Reviewed> review(const EventStore& store, std::span<const model::Model* const> models) {
  Reviewed reviewed;
  for (const model::Model* model : models) {
    std::vector<std::string> before;
    if (model->profile == model::Profile::resource) before = TRY(declarations_of(store, *model));
    reviewed.reviews.emplace_back(*model, before);
  }
  Position after;
  while (true) {
    const EventPage page = TRY(store.read_all(after, Horizon::visible, PageLimit{}));
    if (page.events().empty()) break;
    for (const EventView& event : page.events()) {
      const auto owner = std::ranges::find_if(models, [&](const auto* one) { return one->owns_stream(event.stream); });
      if (owner != models.end()) {
        reviewed.reviews[static_cast<std::size_t>(owner - models.begin())].take(event);
      } else if (category_of(event.stream) != category) {
        ++reviewed.others[std::string(category_of(event.stream))];
      }
    }
    after = page.events().back().position;
  }
  for (model::Review& one : reviewed.reviews) one.finish();
  return reviewed;
}

Result<std::vector<std::string>> admit_declarations(EventStore& store, std::span<const model::Model> models,
                                                    platform::Platform platform) {
  std::vector<std::string> marks(models.size());
  std::vector<const model::Model*> changed;
  std::vector<StreamVersion> versions;
  const bool away = !store.status().away.empty();
  for (const model::Model& model : models) {
    if (model.declaration.empty()) continue;  // nothing is declared of a kv model's values
    std::string& mark = marks[static_cast<std::size_t>(&model - models.data())];
    mark = mark_of(model);
    if (away) {
      platform.log.warning("The store is away, so nobody knows whether the model is declared as it was",
                           {{"model", std::string_view(model.name)}});
      continue;
    }
    const LastDeclaration last = TRY(last_declaration(store, model));
    if (last.fields == model.declaration) {
      if (last.version.value == 1) mark.clear();
      continue;
    }
    changed.push_back(&model);
    versions.push_back(last.version);
  }
  if (changed.empty()) return marks;
  const Reviewed reviewed = TRY(review(store, changed));
  for (std::size_t place = 0; place < changed.size(); ++place) {
    if (!reviewed.reviews[place].holds()) return std::unexpected(refusal(*changed[place], reviewed.reviews[place]));
  }
  for (std::size_t place = 0; place < changed.size(); ++place) {
    const auto recorded = record(store, *changed[place], versions[place], platform);
    if (recorded && versions[place].value == 0) marks[static_cast<std::size_t>(changed[place] - models.data())].clear();
    // Another server of the same store was quicker, or the store is not to be written to.
    if (recorded) continue;
    platform.log.warning(
        "The declaration of a model was not recorded",
        {{"model", std::string_view(changed[place]->name)}, {"error", std::string_view(recorded.error().message)}});
  }
  return marks;
}

}  // namespace annals::engine
