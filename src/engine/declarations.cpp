#include "engine/declarations.hpp"

#include <algorithm>
#include <future>
#include <limits>
#include <map>
#include <optional>

#include "base/wording.hpp"
#include "engine/command.hpp"
#include "engine/event_metadata.hpp"
#include "json/equality.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"
#include "model/declared_attributes.hpp"

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

NewEvent declared(const model::Model& model, Position read_to, platform::Platform platform) {
  NewEvent event;
  event.id = platform::make_uuid(platform.clock.now(), platform.random);
  event.type = event_type;
  event.data = "{";
  json::append_member(event.data, "model", model.name);
  json::append_member(event.data, "fields");
  event.data += declared_fields(model);
  json::append_member(event.data, "attributes");
  event.data += model::declared_attributes(model);
  json::append_member(event.data, "read_to");
  event.data += to_string(read_to) + "}";
  event.metadata = make_metadata("annals", std::nullopt);
  event.correlation_id = event.id;
  return event;
}

Result<> record(EventStore& store, const model::Model& model, StreamVersion after, Position read_to,
                platform::Platform platform) {
  std::vector<Group> groups(1);
  groups.front().appends.push_back(
      {stream_of(model), ExpectedVersion::exact(after), {declared(model, read_to, platform)}});
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

Error refusal(const model::Model& model, const model::Review& found, bool by_others) {
  std::string text = "model " + model.name +
                     (by_others ? " is also served with another declaration, by another server"
                                : " is declared otherwise than it was") +
                     ", and the store has what does not suit: ";
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

/// What an event of such a stream says.
Result<LastDeclaration> declaration_in(const EventView& event) {
  const json::Object data = TRY(json::thread_reader().read_object(event.data));
  const auto object = [&](std::string_view name) -> const json::Nested* {
    const json::Value* value = data.find(name);
    const auto* nested = value ? std::get_if<json::Nested>(value) : nullptr;
    return nested && !nested->is_array ? nested : nullptr;
  };
  const json::Nested* fields = object("fields");
  if (fields == nullptr)
    return fail(ErrorKind::corrupt, "the event at position " + to_string(event.position) + " declares no fields");
  const json::Nested* attributes = object("attributes");
  const json::Value* read_to = data.find("read_to");
  const auto* position = read_to ? std::get_if<std::int64_t>(read_to) : nullptr;
  LastDeclaration declaration;
  declaration.version = event.version;
  declaration.position = event.position;
  declaration.declared_at = event.created_at;
  declaration.fields = fields->text;
  if (attributes) declaration.attributes = attributes->text;
  declaration.node_id = event.node_id;
  declaration.read_to = position && *position >= 0 ? Position{static_cast<std::uint64_t>(*position)} : event.position;
  return declaration;
}

/// All that the model ever was declared as, the first one first.
Result<std::vector<LastDeclaration>> declarations_of(const EventStore& store, const model::Model& model) {
  std::vector<LastDeclaration> all;
  StreamVersion from{1};
  while (true) {
    const EventPage page = TRY(store.read_stream(stream_of(model), from, Direction::forward, PageLimit{}));
    if (page.events().empty()) return all;
    for (const EventView& event : page.events()) all.push_back(TRY(declaration_in(event)));
    from = StreamVersion{page.events().back().version.value + 1};
  }
}

/// Looks for events that another server recorded under another declaration than a model's of now. A server says in the
/// log what it declares before it records anything, and each event says which server recorded it; so what a server
/// records is by what it declared last. What is by no declaration, or by another, is by others.
class OthersEvents {
 public:
  /// `declarations`: all of the model, of which the last is that of now.
  OthersEvents(const model::Model& model, const std::vector<LastDeclaration>& declarations)
      : model_(&model), stream_(stream_of(model)), fields_(declared_fields(model)) {
    for (const LastDeclaration& one : declarations) {
      if (one.fields == fields_) from_ = std::max(from_, one.read_to);
    }
    for (const LastDeclaration& one : declarations) {
      if (one.position <= from_) declares_it_[one.node_id] = one.fields == fields_;
    }
  }

  /// The events up to here suit the declaration.
  [[nodiscard]] Position from() const { return from_; }
  [[nodiscard]] bool found() const { return found_; }

  /// The next event of the store. Errors: corrupt.
  Result<> take(const EventView& event) {
    if (found_ || event.position <= from_) return {};
    if (event.stream == stream_)
      declares_it_[event.node_id] = TRY(declaration_in(event)).fields == fields_;
    else if (model_->owns_stream(event.stream))
      found_ = !declares_it_[event.node_id];
    return {};
  }

 private:
  const model::Model* model_;
  std::string stream_;
  std::string fields_;
  Position from_;
  std::map<std::uint32_t, bool> declares_it_;  // by node
  bool found_ = false;
};

/// What a model is admitted on.
struct Candidate {
  const model::Model* model;
  std::vector<LastDeclaration> declarations;
  bool changed;                             ///< its fields are declared otherwise than before
  std::optional<OthersEvents> others = {};  ///< of one whose fields are not, where there may be such
  bool records = changed;                   ///< it is to be recorded

  [[nodiscard]] bool reads() const { return changed || (others && others->found()); }
  /// The events up to here suit it, when all were looked at up to `looked_to`. Nobody looks at any where the attributes
  /// alone are declared otherwise.
  [[nodiscard]] Position read_to(Position looked_to) const {
    return reads() || others ? looked_to : declarations.back().read_to;
  }
  /// Whether it was declared last as it is now.
  [[nodiscard]] bool is_declared_so() const {
    return !declarations.empty() && declarations.back().fields == declared_fields(*model) &&
           declarations.back().attributes &&
           json::same_value(*declarations.back().attributes, model::declared_attributes(*model));
  }
  [[nodiscard]] StreamVersion version() const {
    return declarations.empty() ? StreamVersion{} : declarations.back().version;
  }
  /// Whether the store was never served with another declaration of the model.
  [[nodiscard]] bool is_first() const {
    const std::string fields = declared_fields(*model);
    return std::ranges::all_of(declarations, [&](const auto& one) { return one.fields == fields; });
  }
};

/// What others recorded since all was read; so that it is not read again at every start, a long way is recorded anew.
Result<Position> look_for_others(const EventStore& store, std::vector<Candidate>& candidates) {
  constexpr std::uint64_t way_max = 10'000;
  Position after = Position{std::numeric_limits<std::uint64_t>::max()};
  for (const Candidate& one : candidates) {
    if (one.others) after = std::min(after, one.others->from());
  }
  std::uint64_t way = 0;
  while (true) {
    const EventPage page = TRY(store.read_all(after, Horizon::visible, PageLimit{}));
    if (page.events().empty()) break;
    for (const EventView& event : page.events()) {
      for (Candidate& one : candidates) {
        if (one.others) TRY(one.others->take(event));
      }
    }
    way += page.events().size();
    after = page.events().back().position;
  }
  for (Candidate& one : candidates) {
    if (one.others) one.records = one.records || one.others->found() || way > way_max;
  }
  return after;
}

/// Records what the model is declared as, unless another server of the store that declares the same was quicker.
Result<> record(EventStore& store, Candidate& one, Position looked_to, platform::Platform platform) {
  auto recorded = record(store, *one.model, one.version(), one.read_to(looked_to), platform);
  if (recorded || recorded.error().kind != ErrorKind::conflict) return recorded;
  one.declarations = TRY(declarations_of(store, *one.model));
  return one.is_declared_so() ? Result<>{} : recorded;
}

/// All of a store's models that have been, or are now, resources.
Result<std::vector<Candidate>> candidates_of(const EventStore& store, std::span<const model::Model> models) {
  std::vector<Candidate> candidates;
  for (const model::Model& model : models) {
    std::vector<LastDeclaration> declarations = TRY(declarations_of(store, model));
    if (model.profile == model::Profile::kv && declarations.empty()) continue;  // nothing is declared of its values
    const bool changed = declarations.empty() || declarations.back().fields != declared_fields(model);
    Candidate& one = candidates.emplace_back(Candidate{&model, std::move(declarations), changed});
    one.records = !one.is_declared_so();
    // Others serve with another declaration only where there has been one, and only in a store that is theirs too.
    if (!changed && store.shared() && !one.is_first()) one.others.emplace(model, one.declarations);
  }
  return candidates;
}

}  // namespace

std::string declared_fields(const model::Model& model) {
  return model.declaration.empty() ? "{}" : model.declaration;
}

Result<LastDeclaration> last_declaration(const EventStore& store, const model::Model& model) {
  const std::string stream = stream_of(model);
  const StreamVersion version = TRY(store.stream_version(stream));
  if (version.value == 0) return LastDeclaration{};
  const EventPage page = TRY(store.read_stream(stream, version, Direction::backward, PageLimit{1}));
  if (page.events().empty()) return fail(ErrorKind::corrupt, "the stream " + stream + " ends before its last event");
  return declaration_in(page.events().front());
}

Result<Reviewed> review(const EventStore& store, std::span<const model::Model* const> models) {
  Reviewed reviewed;
  for (const model::Model* model : models) {
    std::vector<std::string> before;
    for (LastDeclaration& one : TRY(declarations_of(store, *model))) {
      // One that has other attributes alone changes nothing here.
      if (before.empty() || before.back() != one.fields) before.push_back(std::move(one.fields));
    }
    reviewed.reviews.emplace_back(*model, before);
  }
  Position& after = reviewed.read_to;
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
  const auto exists = [&](std::string_view name, std::string_view key) {
    const auto model =
        std::ranges::find(models, name, [](const model::Model* one) { return std::string_view(one->name); });
    // Of a model that is not read nobody knows.
    return model == models.end() || reviewed.reviews[static_cast<std::size_t>(model - models.begin())].has(key);
  };
  for (model::Review& one : reviewed.reviews) one.look_at_references(exists);
  return reviewed;
}

Result<std::vector<std::string>> admit_declarations(EventStore& store, std::span<const model::Model> models,
                                                    platform::Platform platform) {
  std::vector<std::string> marks(models.size());
  for (const model::Model& model : models) {
    if (!model.declaration.empty()) marks[static_cast<std::size_t>(&model - models.data())] = mark_of(model);
  }
  if (!store.status().away.empty()) {
    for (const model::Model& model : models) {
      if (model.declaration.empty()) continue;
      platform.log.warning("The store is away, so nobody knows whether the model is declared as it was",
                           {{"model", std::string_view(model.name)}});
    }
    return marks;
  }
  std::vector<Candidate> candidates = TRY(candidates_of(store, models));
  Position read_to;
  if (std::ranges::any_of(candidates, [](const Candidate& one) { return one.others.has_value(); }))
    read_to = TRY(look_for_others(store, candidates));
  std::vector<const model::Model*> read;
  for (const Candidate& one : candidates) {
    if (one.reads()) read.push_back(one.model);
  }
  if (!read.empty()) {
    const Reviewed reviewed = TRY(review(store, read));
    for (std::size_t place = 0; place < read.size(); ++place) {
      const auto one = std::ranges::find(candidates, read[place], &Candidate::model);
      if (!reviewed.reviews[place].holds())
        return std::unexpected(refusal(*read[place], reviewed.reviews[place], !one->changed));
    }
    // What was looked through for others, and is not read here, suits to where that look came.
    if (read_to.value == 0) read_to = reviewed.read_to;
  }
  for (Candidate& one : candidates) {
    const auto recorded = one.records ? record(store, one, read_to, platform) : Result<>{};
    // Of fields that are declared as they were it is known without another event.
    if ((recorded || !one.changed) && one.is_first())
      marks[static_cast<std::size_t>(one.model - models.data())].clear();
    // Another server of the same store was quicker, or the store is not to be written to.
    if (recorded) continue;
    platform.log.warning(
        "The declaration of a model was not recorded",
        {{"model", std::string_view(one.model->name)}, {"error", std::string_view(recorded.error().message)}});
  }
  return marks;
}

}  // namespace annals::engine
