// Reading many records: lists and pages of them, as they are and as they were.

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "engine/queries.hpp"
#include "http/fields.hpp"
#include "http/routes/call.hpp"
#include "http/routes/differences.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/waiting.hpp"
#include "json/writer.hpp"

namespace annals::http {
namespace {

using projection::RowHolder;

constexpr std::uint64_t rows_a_page_max = 10'000;
constexpr std::size_t rows_at_once = 128;
constexpr std::size_t rows_bytes_max = 1u << 20;  // the values of rows in hand, while a list is written out
constexpr std::size_t page_bytes_max = 1u << 20;  // names and values of a page, whose end must be known before it is
                                                  // sent; a client that does not read keeps them
constexpr std::size_t row_bytes_about = 32;       // beside its key and its value
constexpr std::size_t last_row_bytes_about = 4u << 10;  // with which a piece goes beyond piece_bytes
constexpr std::size_t rows_ahead = 4;                   // that are asked for, before they are written out

void append_row(std::string& out, const projection::StoredRow& row) {
  out += "{\"name\":";
  json::append_string(out, row.key());
  out += ",\"value\":";
  json::append_string(out, row.value());
  out += '}';
}

struct SomeRows {
  std::vector<RowHolder> rows;
  std::size_t bytes = 0;  ///< of their names and values
  bool ended = false;     ///< none follow

  void add(RowHolder row) {
    bytes += row->key().size() + row->value_bytes();
    rows.push_back(std::move(row));
  }
};

/// Gives the rows of a list, a piece at a time: of now, or as they were. They are no more once they have `bytes_max`
/// bytes; there may be none before the end, when the turn is over.
using RowSource =
    std::move_only_function<Result<SomeRows>(std::size_t rows_max, std::size_t bytes_max, const engine::Turn& turn)>;

/// Those of now are shared with the table; but it lets go of what is overwritten, and a slow reader would keep it.
RowSource rows_of_now(const projection::ReadTable& table, std::string prefix, std::optional<std::string> after) {
  return [&table, prefix = std::move(prefix), after = std::move(after)](
             std::size_t rows_max, std::size_t bytes_max, const engine::Turn&) mutable -> Result<SomeRows> {
    SomeRows some;
    some.rows = table.list(prefix, after, rows_max);
    some.ended = some.rows.size() < rows_max;
    for (std::size_t count = 0; count < some.rows.size(); ++count) {
      if (some.bytes >= bytes_max) {
        some.rows.resize(count);
        some.ended = false;
        break;
      }
      some.bytes += some.rows[count]->key().size() + some.rows[count]->value_bytes();
    }
    if (!some.rows.empty()) after = some.rows.back()->key();
    return some;
  };
}

RowSource rows_at(engine::Past past, const projection::ReadTable& table, Instant time, std::string prefix,
                  std::optional<std::string> after) {
  auto list = std::make_shared<engine::ListAtTime>(past, table, time, std::move(prefix), std::move(after));
  return [list](std::size_t rows_max, std::size_t bytes_max, const engine::Turn& turn) -> Result<SomeRows> {
    std::vector<engine::ListAtTime::Row> rows = TRY(list->next(rows_max, bytes_max, turn));
    SomeRows some;
    some.ended = list->ended();
    some.rows.reserve(rows.size());
    for (engine::ListAtTime::Row& row : rows) {
      const model::Record record = std::exchange(row.record, {});  // its value may be large
      some.add(RowHolder::make({row.key, record.version, true, record.updated_at}, *record.value));
    }
    return some;
  };
}

struct ListRequest {
  std::string path;
  std::string prefix;
  std::optional<std::string> after;
  std::optional<std::uint64_t> limit;
  std::optional<Instant> at;
  std::string at_text;
  bool knows_any = false;  ///< If-None-Match is `*`: whatever the list is
};

std::string next_link(const ListRequest& list, std::string_view last_key) {
  std::string link = "<" + list.path + "?";
  if (!list.prefix.empty()) link += "prefix=" + percent_encode(list.prefix) + "&";
  if (list.at) link += "at=" + percent_encode(list.at_text) + "&";
  link += "limit=" + std::to_string(*list.limit) + "&after=" + key_token(last_key) + ">; rel=\"next\"";
  return link;
}

/// The rows as a JSON array, in pieces, so that a long list takes no more memory than the rows in hand. A piece is what
/// one turn brings; where that is nothing, it is white space, so that the connection goes on and sees whether anybody
/// still listens.
class ListBody final : public PieceSource {
 public:
  explicit ListBody(RowSource source) : source_(std::move(source)) {}
  explicit ListBody(SomeRows rows) : rows_(std::move(rows.rows)), bytes_(rows.bytes), no_more_(true) {}

  [[nodiscard]] Result<std::string> next(const engine::Turn& turn) override {
    std::string out;
    out.reserve(bytes_expected());
    if (!std::exchange(begun_, true)) out += '[';
    do {
      if (place_ == rows_.size() && !no_more_) {
        SomeRows some = TRY(source_(rows_at_once, rows_bytes_max, turn));
        rows_ = std::move(some.rows);
        no_more_ = some.ended;
        place_ = 0;
      }
      for (; place_ < rows_.size() && out.size() < piece_bytes; ++place_) {
        if (place_ + rows_ahead < rows_.size()) rows_[place_ + rows_ahead]->ask_for();
        if (std::exchange(any_, true)) out += ',';
        append_row(out, *rows_[place_]);
        rows_[place_] = RowHolder();  // its value may be large
      }
      ended_ = place_ == rows_.size() && no_more_;
    } while (!ended_ && out.size() < piece_bytes && !turn.is_over());
    if (ended_) out += ']';
    if (out.empty()) out += '\n';
    return out;
  }
  [[nodiscard]] bool ended() const override { return ended_; }

 private:
  /// What the next piece will take, more or less; of rows that follow those in hand nobody knows.
  [[nodiscard]] std::size_t bytes_expected() const {
    const std::size_t piece_bytes_about = piece_bytes + last_row_bytes_about;
    if (!no_more_) return piece_bytes_about;
    return std::min(bytes_ + (rows_.size() + 1) * row_bytes_about, piece_bytes_about);
  }

  RowSource source_;
  std::vector<RowHolder> rows_;
  std::size_t place_ = 0;
  std::size_t bytes_ = 0;  // of the rows, when no more follow
  bool no_more_ = false;
  bool begun_ = false;
  bool any_ = false;
  bool ended_ = false;
};

void send_list(Call call, Response response, ListBody body, From from) {
  response.content_type = "application/json";
  send_in_pieces(std::move(call), std::move(response), std::make_unique<ListBody>(std::move(body)), from,
                 from == From::store ? First::in_turn : First::at_once);
}

/// One page, whose `Link` must be known before its body.
struct ListPage final : LongRead {
  ListPage(Call the_call, From from, ListRequest the_list, RowSource the_source, Response the_response)
      : LongRead(std::move(the_call), from),
        list(std::move(the_list)),
        source(std::move(the_source)),
        response(std::move(the_response)),
        rows_max(*list.limit) {}

  [[nodiscard]] bool work(const engine::Turn& turn) override {
    do {
      // One row more than the page has tells that another page follows.
      const std::size_t bytes_left = page.bytes < page_bytes_max ? page_bytes_max - page.bytes : 1;
      auto some = source(rows_max + 1 - page.rows.size(), bytes_left, turn);
      if (!some) {
        call.refuse(some.error());
        return false;
      }
      page.bytes += some->bytes;
      if (page.rows.empty()) {
        page.rows = std::move(some->rows);
      } else {
        std::ranges::move(some->rows, std::back_inserter(page.rows));
      }
      if (some->ended || page.rows.size() > rows_max) {
        send();
        return false;
      }
      if (page.bytes >= page_bytes_max) rows_max = page.rows.size();
    } while (!turn.is_over());
    return true;
  }
  void send() {
    if (page.rows.size() > rows_max) {
      page.rows.pop_back();
      response.add("Link", next_link(list, page.rows.back()->key()));
    }
    send_list(std::move(call), std::move(response), ListBody(std::move(page)), From::memory);
  }

  ListRequest list;
  RowSource source;
  Response response;
  std::size_t rows_max;  ///< what was asked for, and fewer once they have page_bytes_max
  SomeRows page;
};

/// `from`: what the source reads.
void answer(Call call, ListRequest list, RowSource source, From from, Response response) {
  if (!list.limit) return send_list(std::move(call), std::move(response), ListBody(std::move(source)), from);
  // A page of now is quick, as a rule.
  take_turns(std::make_shared<ListPage>(std::move(call), from, std::move(list), std::move(source), std::move(response)),
             from == From::store ? First::in_turn : First::at_once);
}

Result<ListRequest> list_request(const Request& request, const QueryParameters& parameters) {
  ListRequest list;
  list.path = request.path;
  list.prefix = TRY(parameters.prefix());
  if (const std::string* after = parameters.find("after")) list.after = TRY(key_from_token(*after));
  list.limit = TRY(parameters.number("limit", 1, rows_a_page_max));
  list.at = TRY(parameters.time("at"));
  if (const std::string* at = parameters.find("at")) list.at_text = *at;
  if (const auto tags = TRY(entity_tags(request, "if-none-match"))) list.knows_any = tags->any;
  return list;
}

/// A list's entity tag names the position that the list reflects: what it says is that every change up to there is in,
/// and it holds for as long as nothing with the prefix changes after it. Weak, because a change that came while the
/// list was sent may be in, too, and because other tags hold for the same list.
std::string tag_of(const Call& call) {
  return "W/\"" + call.position->to_text() + "\"";
}

/// The newest position of the tags that this store has given. A tag that it has not (one of a lost tail, or of another
/// store) says nothing of the list.
std::optional<Position> known_position(const EventStore& store, const EntityTagList& tags) {
  std::optional<Position> newest;
  for (const EntityTag& tag : tags.tags) {
    const auto cursor = Cursor::from_text(tag.opaque);
    if (!cursor) continue;
    // Of a cursor that only another machine could tell of, nothing is said either.
    if (!store.knows(*cursor)) continue;
    const auto position = store.resolve(*cursor);
    if (position) newest = std::max(newest.value_or(Position{}), *position);
  }
  return newest;
}

/// When the last event up to a position was recorded, or later, before the next one. Errors: corrupt, input_output.
Result<Instant> time_of(const EventStore& store, Position position) {
  if (position.value == 0) return Instant{INT64_MIN};
  const EventPage page =
      TRY(store.read_all(Position{position.value - 1}, Horizon::visible, {.events_max = 1, .bytes_max = 1}));
  // Beyond the end there is nothing that could have changed later.
  if (page.events().empty()) return Instant{INT64_MAX};
  const EventView& event = page.events().front();
  // One that was removed for good is not there; the next one is a change.
  return event.position == position ? event.created_at : event.created_at.plus(Duration{-1});
}

void send_unchanged(Call call, const ListRequest& list) {
  Response response;
  response.status = 304;
  if (!list.at) response.add("ETag", tag_of(call));
  response.fields += never_fresh;
  call.send(std::move(response));
}

void answer_now(Call call, ListRequest list) {
  if (call.refuse_failing()) return;
  if (list.knows_any) return send_unchanged(std::move(call), list);  // there always is a list
  Response response;
  response.add("ETag", tag_of(call));
  response.fields += never_fresh;
  RowSource source = rows_of_now(call.table(), list.prefix, list.after);
  answer(std::move(call), std::move(list), std::move(source), From::tables, std::move(response));
}

/// What a client has of a list, and how long it would wait for another.
struct Condition {
  std::optional<Position> known;
  std::optional<Duration> wait;
};

/// Answers who has the list as it was at `condition.known`, whose time is known: at once, or when it has changed since;
/// 304 when it has not.
void answer_when_changed(Call call, ListRequest list, const Condition& condition, const Result<Instant>& known_time) {
  const Duration time = condition.wait.value_or(Duration{0});
  // Who asks for the list on a condition that only the store can judge gets it, if that is all there is to do.
  const bool away = !known_time && known_time.error().kind == ErrorKind::unavailable;
  if (away && time == Duration{0}) return answer_now(std::move(call), std::move(list));
  if (!known_time) return call.refuse(known_time.error());
  ListState since{list.prefix, *condition.known, *known_time};
  after_list_change(std::move(call), std::move(since), time,
                    [list = std::move(list)](Call ready, bool changed) mutable {
                      if (changed) return answer_now(std::move(ready), std::move(list));
                      send_unchanged(std::move(ready), list);
                    });
}

void answer_of_now(Call call, ListRequest list, const Condition& condition) {
  call.position = call.position_of_table();
  if (!condition.known) return answer_now(std::move(call), std::move(list));
  read_store(std::move(call), [list = std::move(list), condition](Call reading) mutable {
    const bool stays = !reading.shared.readers.exist();
    auto known_time = time_of(reading.engine.store(), *condition.known);
    if (stays) return answer_when_changed(std::move(reading), std::move(list), condition, known_time);
    platform::Executor& home = *reading.home;
    home.post(
        [call = std::move(reading), list = std::move(list), condition, known_time = std::move(known_time)]() mutable {
          answer_when_changed(std::move(call), std::move(list), condition, known_time);
        });
  });
}

Result<Condition> condition_of(const Request& request, const QueryParameters& parameters, const EventStore& store,
                               bool of_the_past) {
  Condition condition;
  condition.wait = TRY(parameters.duration("wait", change_wait_max));
  const auto tags = TRY(entity_tags(request, "if-none-match"));
  if (condition.wait && of_the_past) {
    return fail(ErrorKind::invalid, "invalid_query",
                "`wait` waits for what is still to come, `at` asks for what was; give one of them");
  }
  if (condition.wait && tags && tags->any) {
    return fail(ErrorKind::invalid, "invalid_precondition",
                "`wait` waits while the list is as If-None-Match knows it; give there the ETag of the last reply, and "
                "no *");
  }
  if (tags && !of_the_past) condition.known = known_position(store, *tags);
  return condition;
}

}  // namespace

void list_records(const Request& request, Call call) {
  const auto parameters = QueryParameters::parse(
      request.query, {"prefix", "limit", "after", "at", "min_position", "diff_from", "diff_to", "wait"});
  if (!parameters) return call.refuse(parameters.error());
  if (parameters->find("diff_from") || parameters->find("diff_to")) {
    if (call.refuse_behind_store()) return;
    return list_differences(request, *parameters, std::move(call));
  }
  auto list = list_request(request, *parameters);
  if (!list) return call.refuse(list.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  const auto condition = condition_of(request, *parameters, call.engine.store(), list->at.has_value());
  if (!condition) return call.refuse(condition.error());
  if (list->at && call.refuse_behind_store()) return;
  if (condition->wait) call.responder.take_longer(*condition->wait);

  after_position(std::move(call), *position, [list = std::move(*list), condition = *condition](Call ready) mutable {
    if (!list.at) return answer_of_now(std::move(ready), std::move(list), condition);
    engine::Engine& engine = ready.engine;
    platform::Executor& home = *ready.home;
    const Instant time = *list.at;
    engine.settle(time, home, [ready = std::move(ready), list = std::move(list)](const Result<>& settled) mutable {
      if (!settled) return ready.refuse(settled.error());
      if (list.knows_any) return send_unchanged(std::move(ready), list);
      RowSource source = rows_at(ready.past(), ready.table(), *list.at, list.prefix, list.after);
      Response response;
      response.fields = never_fresh;
      answer(std::move(ready), std::move(list), std::move(source), From::store, std::move(response));
    });
  });
}

}  // namespace annals::http
