// The past as events: a record's history, and everything that was recorded.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "engine/event_feed.hpp"
#include "engine/event_json.hpp"
#include "engine/event_metadata.hpp"
#include "engine/shown_past.hpp"
#include "event/read_interest.hpp"
#include "http/routes/call.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/waiting.hpp"
#include "json/writer.hpp"
#include "model/audit_entry.hpp"
#include "model/audited_operations.hpp"
#include "model/exposure.hpp"

namespace annals::http {
namespace {

constexpr std::uint64_t events_a_page_max = 10'000;
constexpr Duration wait_max = std::chrono::seconds(25);
constexpr PageLimit piece{256, 1u << 20};

/// What makes a history or an audit what it is.
struct Form {
  /// Shows an event.
  Result<> (*append)(std::string& out, const EventView& event, const model::Model& model);
  /// Whether it does.
  bool (*shows)(const model::Model& model, std::string_view event_type);
  /// The first version of a record that is in it.
  Result<StreamVersion> (*first)(const engine::Past& past, std::string_view key, Instant now);
};

Result<> append_event(std::string& out, const EventView& event, const model::Model& model) {
  if (!model.hides) {
    engine::append_event_json(out, event, &model);
    return {};
  }
  const std::string data = model::shown_data(model, event.type, event.data);
  EventView shown = event;
  shown.data = data;
  engine::append_event_json(out, shown, &model);
  return {};
}

Result<> append_audit_entry(std::string& out, const EventView& event, const model::Model& model) {
  const model::AuditEntry entry = TRY(model::audit_entry_of(model, event.type, event.data));
  out += '{';
  json::append_member(out, "event_id", event.id.to_text());
  json::append_member(out, "user_id", engine::actor_of(event.metadata));
  json::append_member(out, "action", entry.action);
  json::append_member(out, "old_values");
  out += entry.old_values;
  json::append_member(out, "new_values");
  out += entry.new_values;
  if (entry.old_values_too_large) {
    json::append_member(out, "old_values_too_large");
    out += "true";
  }
  json::append_member(out, "timestamp", event.created_at.to_text());
  out += '}';
  return {};
}

bool is_in_audit(const model::Model& model, std::string_view event_type) {
  return model::is_audited(model, model::operation_of(model, event_type));
}

constexpr Form history{append_event, [](const model::Model&, std::string_view) { return true; },
                       engine::first_in_history};
constexpr Form audit{append_audit_entry, is_in_audit, engine::first_in_audit};

/// The events of a stream from a version on as a JSON array, a page of the store at a time.
class HistoryBody final : public PieceSource {
 public:
  HistoryBody(const EventStore& store, const model::Model& model, std::string stream, StreamVersion after,
              std::uint64_t limit, const Form& form)
      : store_(store), model_(model), stream_(std::move(stream)), next_(after.next()), left_(limit), form_(form) {}

  [[nodiscard]] Result<std::string> next(const engine::Turn&) override {
    PageLimit limit = piece;
    limit.events_max = std::min<std::uint64_t>(limit.events_max, left_);
    const EventPage page = TRY(store_.read_stream(stream_, next_, Direction::forward, limit));
    std::string out = std::exchange(begun_, true) ? "" : "[";
    for (const EventView& event : page.events()) {
      next_ = event.version.next();
      --left_;
      if (!form_.shows(model_, event.type)) continue;
      if (std::exchange(any_, true)) out += ',';
      TRY(form_.append(out, event, model_));
    }
    if (!page.more()) left_ = 0;
    if (ended()) out += ']';
    if (out.empty()) out += '\n';  // none of the page is in it: so the connection sees whether anybody still listens
    return out;
  }

  /// True when there are no further events, or none are wanted.
  [[nodiscard]] bool ended() const override { return left_ == 0; }

 private:
  const EventStore& store_;
  const model::Model& model_;
  const std::string stream_;
  StreamVersion next_;
  std::uint64_t left_;
  const Form& form_;
  bool begun_ = false;
  bool any_ = false;
};

/// A path for use between `<` and `>`: what may stand in a request and not in a URI is percent-encoded.
std::string escaped(std::string_view path) {
  std::string out;
  for (char character : path) {
    const bool foreign = std::string_view("<>\"\\^`{|}").find(character) != std::string_view::npos;
    out += foreign ? percent_encode(std::string_view(&character, 1)) : std::string(1, character);
  }
  return out;
}

/// What a request for a history asks.
struct HistoryRequest {
  std::string path;
  StreamVersion after;
  std::optional<std::uint64_t> limit;
  const Form& form;
};

void send_history(Call call, HistoryRequest asked) {
  const EventStore& store = call.engine.store();
  const std::string stream = call.the_model().stream(call.key);
  // What is read comes from the store, which may be ahead of the table.
  call.position = store.cursor(store.status().visible);
  Response response;
  response.content_type = "application/json";
  response.fields = never_fresh;
  const auto first = asked.form.first(call.past(), call.key, call.engine.platform().clock.now());
  if (!first) return call.refuse(first.error());
  asked.after = std::max(asked.after, StreamVersion{first->value - 1});
  if (asked.limit) {
    const auto last = store.stream_version(stream);
    if (!last) return call.refuse(last.error());
    if (last->value > asked.after.value && last->value - asked.after.value > *asked.limit) {
      response.add("Link", "<" + escaped(asked.path) +
                               "?after_version=" + std::to_string(asked.after.value + *asked.limit) +
                               "&limit=" + std::to_string(*asked.limit) + ">; rel=\"next\"");
    }
  }
  auto body = std::make_unique<HistoryBody>(store, call.the_model(), stream, asked.after,
                                            asked.limit.value_or(~std::uint64_t{0}), asked.form);
  send_in_pieces(std::move(call), std::move(response), std::move(body), From::store, First::at_once);
}

/// A reader of events that waits for the next one. Confined to the home executor, but for the look into the store. What
/// it holds may go after the engine and the store: a client that leaves leaves the timer behind.
struct EventsWait {
  Call call;
  std::optional<std::string> stream;
  Position after;
  std::uint64_t limit;
  Duration until{0};  ///< monotonic
  projection::Progress::Ticket ticket = 0;
  bool is_waiting = false;  ///< for progress of the store
  bool client_left = false;
  bool looking = false;  ///< a look into the store is under way
  bool woken_meanwhile = false;
  bool ended = false;
};

const platform::Clock& call_clock(const EventsWait& wait) {
  return wait.call.engine.platform().clock;
}

Result<EventPage> read_page(const EventsWait& wait) {
  return engine::read_events(wait.call.engine.store(), wait.stream, wait.after,
                             PageLimit{static_cast<std::size_t>(wait.limit), 4u << 20});
}

void send_events(EventsWait& wait, const EventPage& page) {
  Call& call = wait.call;
  std::string body;
  Position last = wait.after;
  for (const EventView& event : page.events()) {
    engine::append_event_json(body, event, call.engine.model_of(event.stream));
    body += '\n';
    last = event.position;
  }
  call.position = call.engine.store().cursor(last);
  Response response;
  response.content_type = "application/x-ndjson";
  response.fields = never_fresh;
  response.body = std::move(body);
  call.send(std::move(response));
}

void end(EventsWait& wait) {
  wait.ended = true;
  if (std::exchange(wait.is_waiting, false)) wait.call.engine.flushed().cancel(wait.ticket);
}

void look_again(const std::shared_ptr<EventsWait>& wait);

void wait_for_progress(const std::shared_ptr<EventsWait>& wait, Position seen) {
  if (std::exchange(wait->is_waiting, true)) return;
  wait->ticket = wait->call.engine.flushed().wait(seen.next(), [weak = std::weak_ptr(wait), &home = *wait->call.home] {
    home.post([weak] {
      const auto waiting = weak.lock();
      if (!waiting) return;
      waiting->is_waiting = false;
      look_again(waiting);
    });
  });
}

/// Answers with what a look found; goes on to wait when that is nothing and there is time. `seen` was the store's
/// progress before the look, so that what came after it is waited for.
void looked(const std::shared_ptr<EventsWait>& wait, const Result<EventPage>& page, Position seen, bool last_look) {
  wait->looking = false;
  if (!page || last_look || !page->events().empty()) {
    end(*wait);
    if (!page) return wait->call.refuse(page.error());
    return send_events(*wait, *page);
  }
  if (std::exchange(wait->woken_meanwhile, false)) return look_again(wait);
  wait_for_progress(wait, seen);
}

void look_again(const std::shared_ptr<EventsWait>& wait) {
  if (wait->ended) return;
  if (wait->looking) {
    wait->woken_meanwhile = true;
    return;
  }
  // Nobody is there to be told, as when the client has reset the connection.
  if (!wait->call.responder.wanted()) return end(*wait);
  wait->looking = true;
  const Position seen = wait->call.engine.flushed().position();
  const bool last_look =
      wait->client_left || wait->call.engine.draining() || call_clock(*wait).monotonic() >= wait->until;
  CallsShared& shared = wait->call.shared;
  if (!shared.readers.exist()) return looked(wait, read_page(*wait), seen, last_look);
  shared.readers.run([wait, seen, last_look] {
    // One that is not wanted is ended by the next look.
    const ReadInterest interest(wait->call.responder.interest());
    auto page = ReadInterest::has_ended() ? Result<EventPage>() : read_page(*wait);
    wait->call.home->post([wait, page = std::move(page), seen, last_look] { looked(wait, page, seen, last_look); });
  });
}

/// Looks now and then, so that a wait ends at its time and does not hold up a server that drains.
void keep_looking(const std::shared_ptr<EventsWait>& wait) {
  if (wait->ended) return;
  const Duration left = wait->until - call_clock(*wait).monotonic();
  constexpr Duration pause_max = std::chrono::milliseconds(500);
  // Once its time is over, all that it waits for is a look that is under way.
  const Duration pause =
      left.count() > 0 ? std::clamp<Duration>(left, std::chrono::milliseconds(1), pause_max) : pause_max;
  wait->call.home->post_after(pause, [wait] {
    look_again(wait);
    keep_looking(wait);
  });
}

/// `wait` is shared with the timer, the look into the store and who tells of progress.
void start(const std::shared_ptr<EventsWait>& wait, const std::optional<Duration>& time) {
  wait->until = call_clock(*wait).monotonic() + time.value_or(Duration{0});
  if (time) {
    wait->call.responder.when_client_leaves([weak = std::weak_ptr(wait)] {
      const auto waiting = weak.lock();
      if (!waiting) return;
      waiting->client_left = true;
      look_again(waiting);
    });
  }
  look_again(wait);
  keep_looking(wait);
}

void begin_history(const Request& request, Call call, const Form& form) {
  const auto parameters = QueryParameters::parse(request.query, {"after_version", "limit", "min_position"});
  if (!parameters) return call.refuse(parameters.error());
  const auto after = parameters->number("after_version", 0, ~std::uint64_t{0} - 1);
  if (!after) return call.refuse(after.error());
  const auto limit = parameters->number("limit", 1, events_a_page_max);
  if (!limit) return call.refuse(limit.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  after_stored_position(
      std::move(call), *position,
      [asked = HistoryRequest{std::string(request.path), StreamVersion{after->value_or(0)}, *limit, form}](Call ready) {
        read_store(std::move(ready), [asked](Call reading) { send_history(std::move(reading), asked); });
      });
}

}  // namespace

void get_history(const Request& request, Call call) {
  begin_history(request, std::move(call), history);
}

void get_audit(const Request& request, Call call) {
  if (model::is_audited(call.the_model())) return begin_history(request, std::move(call), audit);
  call.refuse(
      Error(ErrorKind::not_found, "not_audited",
            "the model " + call.the_model().name + " is not audited; audited = true in its declaration does it"));
}

void get_events(const Request& request, Call call) {
  const auto parameters = QueryParameters::parse(request.query, {"after", "stream", "limit", "wait"});
  if (!parameters) return call.refuse(parameters.error());
  const auto after = parameters->cursor("after");
  if (!after) return call.refuse(after.error());
  const auto limit = parameters->number("limit", 1, events_a_page_max);
  if (!limit) return call.refuse(limit.error());
  const auto wait_time = parameters->duration("wait", wait_max);
  if (!wait_time) return call.refuse(wait_time.error());
  std::optional<std::string> stream;
  if (const std::string* name = parameters->find("stream")) stream = *name;

  resolve(std::move(call), after->value_or(Cursor{}),
          [stream = std::move(stream), limit = limit->value_or(1000), time = *wait_time](
              Call ready, const Result<Position>& position) mutable {
            if (!position) return ready.refuse(position.error());
            if (ready.shared.readers.are_full()) return ready.refuse(too_many_reads());
            start(std::make_shared<EventsWait>(EventsWait{std::move(ready), std::move(stream), *position, limit}),
                  time);
          });
}

}  // namespace annals::http
