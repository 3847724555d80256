#include "benchmarks/stages/post_stages.hpp"

#include <chrono>
#include <utility>

#include "engine/event_metadata.hpp"
#include "http/response.hpp"
#include "http/server/response_head.hpp"
#include "model/resource.hpp"
#include "store/embedded/event_codec.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::string_view actor = "anonymous";

model::Fresh fresh_of(const platform::Platform& platform, Instant now) {
  return {now, [&platform, now] { return platform::make_uuid(now, platform.random); }};
}

model::Command create_command(const model::Model& model, std::vector<model::GivenField> given, std::size_t bytes) {
  model::Command command;
  command.operation = model::Operation::create;
  command.key = model::key_of_new(model, given);
  command.given = std::move(given);
  command.given_bytes = bytes;
  return command;
}

Group group_of(const model::Model& model, const model::Command& command, std::vector<model::Decision> decisions,
               const platform::Platform& platform, Instant now) {
  StreamAppend append{model.stream(command.key), ExpectedVersion::none(), {}};
  for (model::Decision& decision : decisions) {
    NewEvent& event = append.events.emplace_back();
    event.id = platform::make_uuid(now, platform.random);
    event.correlation_id = event.id;
    event.type = std::move(decision.type);
    event.data = std::move(decision.data);
    event.metadata = engine::make_metadata(actor, std::nullopt);
  }
  Group group;
  group.appends.push_back(std::move(append));
  return group;
}

/// Appends them and waits for what became of it.
Result<std::vector<Appended>> append_all(EventStore& store, std::span<const Group> groups) {
  std::vector<Appended> appended;
  std::optional<Error> error;
  store.append(groups, [&](std::vector<AppendResult> results) {
    for (AppendResult& result : results) {
      if (result) {
        appended.push_back(*std::move(result));
      } else {
        error = std::move(result).error();
      }
    }
  });
  if (error) return std::unexpected(*std::move(error));
  if (appended.size() != groups.size())
    return fail(ErrorKind::internal, "the store did not answer inside the call to append");
  return appended;
}

}  // namespace

Result<Group> group_of_new(const model::Model& model, const platform::Platform& platform, std::string_view record) {
  const Instant now = platform.clock.now();
  const json::Object body = TRY(json::thread_reader().read_object(record));
  auto given = TRY(model::read_new_record(model, body, fresh_of(platform, now)));
  const model::Command command = create_command(model, std::move(given), record.size());
  auto decisions = TRY(model::decide(model, {}, command, now));
  return group_of(model, command, std::move(decisions), platform, now);
}

PostStages::PostStages(projection::TableFeed& feed, EventStore& store, EventStore& flushing,
                       platform::Platform platform, const ValueMaker& values, Laps& laps)
    : feed_(feed),
      model_(feed.model()),
      store_(store),
      flushing_(flushing),
      platform_(platform),
      laps_(laps),
      requests_(values, "127.0.0.1:4000", "/api/products/", 1),
      identities_(platform.random) {}

Result<> PostStages::run(std::uint64_t first) {
  prepare(first);
  TRY(read());
  TRY(decide());
  TRY(record());
  return reply();
}

void PostStages::prepare(std::uint64_t first) {
  for (std::size_t i = 0; i < stages_batch; ++i) {
    Item& item = items_[i];
    item.request = requests_.write(first + i, 1, 1);
    item.body = std::string_view(item.request).substr(item.request.find("\r\n\r\n") + 4);
    item.claims.clear();
    item.encoded.clear();
  }
  claims_.clear();
  groups_.clear();
}

/// What the I/O thread does with the request.
Result<> PostStages::read() {
  const auto parse_request = [&](std::size_t i) -> Result<> {
    parser_.feed(items_[i].request);
    if (parser_.advance() != http::RequestParser::Step::complete)
      return fail(ErrorKind::internal, "the parser did not take a request whole");
    parser_.request().received_at = platform_.clock.now();
    identities_.identify(parser_.request());
    parser_.next();
    return {};
  };
  const auto parse_json = [&](std::size_t i) -> Result<> {
    items_[i].object = TRY(items_[i].reader.read_object(items_[i].body));
    return {};
  };
  const auto validate = [&](std::size_t i) -> Result<> {
    Item& item = items_[i];
    auto given = TRY(model::read_new_record(model_, item.object, fresh_of(platform_, platform_.clock.now())));
    item.command = create_command(model_, std::move(given), item.body.size());
    return {};
  };
  TRY(laps_.each("read the request, give it its ids", parse_request));
  TRY(laps_.each("parse JSON", parse_json));
  return laps_.each("validate", validate);
}

/// What the writer does with the command.
Result<> PostStages::decide() {
  const Instant now = platform_.clock.now();
  const auto look_up = [&](std::size_t i) -> Result<> {
    items_[i].before = TRY(feed_.table().get(items_[i].command.key));
    return {};
  };
  const auto decide_one = [&](std::size_t i) -> Result<> {
    items_[i].decisions = TRY(model::decide(model_, items_[i].before, items_[i].command, now));
    return {};
  };
  const auto evolve = [&](std::size_t i) -> Result<> {
    Item& item = items_[i];
    const model::Decision& decision = item.decisions.front();
    item.after = TRY(model::evolve(model_, item.before, decision.type, decision.data, StreamVersion{1}, now));
    return {};
  };
  const auto claim = [&](std::size_t i) -> Result<> {
    Item& item = items_[i];
    std::vector<std::size_t> rests_on;
    const engine::UniqueClaims::Change change{0, item.command.key, item.before.value, item.after.value};
    TRY(claims_.claim(item.claims, feed_, change, rests_on));
    claims_.join(std::move(item.claims), i);
    return {};
  };
  const auto make_group = [&](std::size_t i) -> Result<> {
    groups_.push_back(group_of(model_, items_[i].command, std::move(items_[i].decisions), platform_, now));
    return {};
  };
  TRY(laps_.each("look up the record", look_up));
  TRY(laps_.each("decide: the event's JSON", decide_one));
  TRY(laps_.each("the record's text", evolve));
  TRY(laps_.each("check what is unique", claim));
  return laps_.each("the event's id, stream and metadata", make_group);
}

Result<> PostStages::record() {
  log::Hash hash{};
  const auto append = [&]() -> Result<> {
    appended_ = TRY(append_all(store_, groups_));
    return {};
  };
  const auto encode = [&](std::size_t i) -> Result<> {
    const StreamAppend& one = groups_[i].appends.front();
    store::encode_event(items_[i].encoded, one.stream, StreamVersion{1}, one.events.front());
    return {};
  };
  const auto take_hash = [&](std::size_t i) -> Result<> {
    hash = hasher_.hash(items_[i].encoded);
    return {};
  };
  const auto append_and_flush = [&]() -> Result<> {
    TRY(append_all(flushing_, groups_));
    return {};
  };
  TRY(laps_.whole("append: encode, check, hash, write, without the flush", append));
  TRY(laps_.each("encode the event", encode, Stage::Kind::part));
  TRY(laps_.each("SHA-256 of the event", take_hash, Stage::Kind::part));
  if (hash == log::Hash{}) return fail(ErrorKind::internal, "a hash is nothing but zeros");
  TRY(laps_.whole("append of 64 together with their flush, each", append_and_flush, Stage::Kind::aside));
  const std::vector<EventView> events = recorded_events();
  std::vector<model::Record> left;
  for (const Item& item : items_) left.push_back(item.after);
  const auto apply = [&]() -> Result<> {
    feed_.apply_live(events, left);
    return {};
  };
  TRY(laps_.whole("apply to the table and its indexes", apply));
  if (!feed_.is_live()) return fail(ErrorKind::internal, "the table did not take its events");
  return {};
}

std::vector<EventView> PostStages::recorded_events() const {
  std::vector<EventView> events;
  for (std::size_t i = 0; i < stages_batch; ++i) {
    const StreamAppend& append = groups_[i].appends.front();
    const NewEvent& event = append.events.front();
    events.push_back({appended_[i].first, append.stream, StreamVersion{1}, event.id, event.type, event.data,
                      event.metadata, event.correlation_id, event.causation_id, appended_[i].created_at, 0});
  }
  return events;
}

/// The reply as http/routes/resources.cpp makes it, and its bytes as the connection does.
Result<> PostStages::reply() {
  std::string out;
  TRY(laps_.each("render the reply", [&](std::size_t i) -> Result<> {
    const Item& item = items_[i];
    http::Response response;
    response.status = 201;
    response.add("Location", "/api/products/" + http::percent_encode(item.command.key));
    response.add("ETag", "\"" + to_string(item.after.version) + "\"");
    response.content_type = "application/json";
    response.body = item.after.value;
    response.add("Annals-Position", store_.cursor(appended_[i].last).to_text());
    response.add("Annals-Durability", to_string(store_.durability()));
    const http::BodyForm form = http::body_form(response, false, false);
    http::append_head(out, response, form, http::ConnectionSaying::nothing, date_.at(appended_[i].created_at),
                      "0192e4a0-7a3c-7def-8123-456789abcdef");
    out += *item.after.value;
    return {};
  }));
  if (!out.ends_with(items_.back().body)) return fail(ErrorKind::internal, "the reply is not the record that was sent");
  return {};
}

}  // namespace annals::benchmarks
