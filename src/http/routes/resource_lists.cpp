// Lists of records of declared fields: filtered, sorted, in pages or whole, as they are and as they were.

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "engine/list_run.hpp"
#include "engine/shown_past.hpp"
#include "http/fields.hpp"
#include "http/routes/call.hpp"
#include "http/routes/list_format.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/waiting.hpp"
#include "json/writer.hpp"

namespace annals::http {
namespace {

constexpr std::uint64_t limit_default = 100;
constexpr std::uint64_t records_a_page_max = 1000;
constexpr std::size_t filters_max = 20;
constexpr std::size_t export_rows = 50'000;            // found at a time, of a list that goes out whole
constexpr std::size_t sorted_export_bytes = 8u << 20;  // values, where finding them again may take a look at all
constexpr std::size_t expanded_page_bytes_max = 32u << 20;

constexpr std::array<std::string_view, 10> parameter_names{"limit",  "after",   "at",           "count",  "sort",
                                                           "fields", "explain", "min_position", "expand", "wait"};

struct RecordListRequest {
  model::ListQuery query;
  std::optional<Instant> at;
  std::vector<std::size_t> fields;  ///< shown; none: all
  Expansion expansion;
  bool explain = false;
  ListFormat format = ListFormat::page;
  bool whole = false;                   ///< not a page
  std::string link_begin;               ///< of the next page, up to its cursor
  std::vector<std::string> known_tags;  ///< of If-None-Match
  bool knows_any = false;               ///< that is `*`: whatever the list is
  std::optional<Duration> wait;         ///< for another list than they know
  std::string tag;                      ///< of the reply, of a list of now
  std::string cache_control;            ///< as Call::cache_control
  std::string kept_as;                  ///< its query in ReplyCache; empty for a list that is not kept
  Revision revision;                    ///< of one that is, before any of its rows was looked at
};

Result<bool> flag_of(const QueryParameters& parameters, std::string_view name) {
  const std::string* text = parameters.find(name);
  if (text == nullptr || *text == "false") return false;
  if (*text == "true") return true;
  return fail(ErrorKind::invalid, "invalid_query", std::string(name) + " is true or false");
}

Result<std::optional<model::ListPlace>> place_of(const model::Model& model, const model::Sort& sort,
                                                 const std::string& token) {
  if (sort.empty()) {
    auto key = TRY(key_from_token(token));
    if (!key) return std::nullopt;
    return model::ListPlace{*std::move(key), 0, 0};
  }
  const auto bytes = TRY(place_from_token(token));
  if (!bytes) return std::nullopt;
  auto place = model::place_from_bytes(model, sort, *bytes);
  if (place) return place;
  return fail(ErrorKind::invalid, "invalid_cursor",
              "after is a cursor of another list, or was changed; take one from a list with the same sort");
}

std::string token_of(const model::Model& model, const model::Sort& sort, const model::ListPlace& place) {
  return sort.empty() ? key_token(place.key()) : place_token(model::place_to_bytes(model, sort, place));
}

Result<> read_filters(const model::Model& model, const QueryParameters& parameters, model::ListQuery& query) {
  for (const auto& [name, value] : parameters.all()) {
    if (std::ranges::find(parameter_names, name) != parameter_names.end()) continue;
    query.filters.push_back(TRY(model::read_filter(model, name, value, parameter_names)));
  }
  if (query.filters.size() <= filters_max) return {};
  return fail(
      ErrorKind::invalid, "invalid_query",
      "there are " + std::to_string(query.filters.size()) + " filters; the most is " + std::to_string(filters_max));
}

std::string link_begin_of(const Request& request, const QueryParameters& parameters) {
  std::string link = "<" + std::string(request.path) + "?";
  for (const auto& [name, value] : parameters.all()) {
    if (name != "after") link += percent_encode(name) + "=" + percent_encode(value) + "&";
  }
  return link + "after=";
}

/// Stands for all requests of the same page: what is asked, in one order, and the form. Which position it must reflect
/// and what was waited for are no part of that, because a kept reply is as new as any.
std::string query_of_page(const Call& call, const RecordListRequest& list, const QueryParameters& parameters) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : parameters.all()) {
    if (name == "min_position" || name == "limit" || name == "wait") continue;
    parts.push_back("&" + percent_encode(name) + "=" + percent_encode(value));
  }
  std::ranges::sort(parts);
  std::string query = std::to_string(call.model) + " " + std::string(content_type_of(list.format)) + " " +
                      std::to_string(list.query.limit);
  for (const std::string& part : parts) query += part;
  return query;
}

/// What `expand` asks, which is of now, and needs objects to put it in.
Result<Expansion> expansion_of(const Call& call, const RecordListRequest& list, const std::string& value) {
  if (list.at)
    return fail(ErrorKind::invalid, "invalid_query", "expand shows what is referred to now; it does not go with at");
  if (list.format == ListFormat::table) {
    return fail(ErrorKind::invalid, "invalid_query",
                "comma-separated values have no room for what expand shows; accept application/json or "
                "application/x-ndjson");
  }
  return Expansion::read(call.engine, call.model, value);
}

/// How long to wait for another list than the client knows.
Result<std::optional<Duration>> wait_of(const QueryParameters& parameters, const std::optional<EntityTagList>& known) {
  const auto time = TRY(parameters.duration("wait", change_wait_max));
  if (!time) return time;
  if (parameters.find("at") || parameters.find("expand")) {
    return fail(ErrorKind::invalid, "invalid_query",
                "`wait` waits for another list than the ETag of the last reply names; one with at or expand has none");
  }
  if (known && known->any) {
    return fail(ErrorKind::invalid, "invalid_precondition",
                "`wait` waits while the list is as If-None-Match knows it; give there the ETag of the last reply, and "
                "no *");
  }
  return time;
}

Result<RecordListRequest> record_list_request(const Request& request, const Call& call,
                                              const QueryParameters& parameters) {
  const model::Model& model = call.the_model();
  RecordListRequest list;
  TRY(read_filters(model, parameters, list.query));
  if (const std::string* sort = parameters.find("sort")) list.query.sort = TRY(model::read_sort(model, *sort));
  if (const std::string* fields = parameters.find("fields"))
    list.fields = TRY(model::read_field_names(model, "fields", *fields));
  if (const std::string* after = parameters.find("after"))
    list.query.after = TRY(place_of(model, list.query.sort, *after));
  const auto tags = TRY(entity_tags(request, "if-none-match"));
  if (tags) {
    for (const EntityTag& tag : tags->tags) list.known_tags.emplace_back(tag.opaque);
    list.knows_any = tags->any;
  }
  list.wait = TRY(wait_of(parameters, tags));
  const auto limit = TRY(parameters.number("limit", 1, records_a_page_max));
  list.at = TRY(parameters.time("at"));
  if (list.at) TRY(engine::check_time(model, *list.at, call.engine.platform().clock.now()));
  list.query.count = TRY(flag_of(parameters, "count"));
  list.explain = TRY(flag_of(parameters, "explain"));
  list.format = list_format_of(request);
  if (list.format != ListFormat::page && (list.query.count || list.explain)) {
    return fail(ErrorKind::invalid, "invalid_query",
                "count and explain are told in a page of JSON; leave them out, or accept application/json");
  }
  if (const std::string* expand = parameters.find("expand")) list.expansion = TRY(expansion_of(call, list, *expand));
  list.whole = list.format != ListFormat::page && !limit;
  list.query.limit = list.whole ? export_rows : static_cast<std::size_t>(limit.value_or(limit_default));
  list.link_begin = link_begin_of(request, parameters);
  // Whoever waits again would be answered out of a cache, and at once.
  list.cache_control = list.wait ? std::string(never_fresh) : call.cache_control(model::ApiOperation::list);
  const bool keeps = model.cache_of(model::ApiOperation::list) > Duration{0} && call.shared.replies.keeps_any();
  // The past costs the store, which is not asked whether it still is what it was; and what is explained is the work.
  if (keeps && !list.at && !list.whole && !list.explain && !call.behind_store)
    list.kept_as = query_of_page(call, list, parameters);
  return list;
}

/// What all forms and pages of a list have alike.
Response response_of(const RecordListRequest& list) {
  Response response;
  if (!list.tag.empty()) response.add("ETag", "W/\"" + list.tag + "\"");
  response.fields += list.cache_control + "Vary: Accept\r\n";
  return response;
}

/// What sets the form of a list apart from others, at the end of its tag.
std::string tag_end_of(const Call& call, ListFormat format) {
  std::string end;
  if (format != ListFormat::page) end += format == ListFormat::lines ? "-lines" : "-table";
  if (const auto mark = call.engine.declaration_mark(call.model); !mark.empty()) end.append(1, '-').append(mark);
  return end;
}

/// A list's entity tag names the last event of the model that it reflects, and holds until there is another, or another
/// declaration. Weak, because a change that came while the list was made may be in, too.
std::string tag_of(const Call& call, ListFormat format) {
  return call.engine.store().cursor(call.table().newest()).to_text() + tag_end_of(call, format);
}

/// The newest position of the client's tags; nullopt when they are of other lists.
std::optional<Position> known_position(const Call& call, const RecordListRequest& list) {
  const EventStore& store = call.engine.store();
  const std::string end = tag_end_of(call, list.format);
  std::optional<Position> newest;
  for (const std::string& tag : list.known_tags) {
    if (!tag.ends_with(end)) continue;
    const auto cursor = Cursor::from_text(std::string_view(tag).substr(0, tag.size() - end.size()));
    // One of a lost tail, or that only another machine could tell of, says nothing of the list.
    if (!cursor || !store.knows(*cursor)) continue;
    const auto position = store.resolve(*cursor);
    if (position) newest = std::max(newest.value_or(Position{}), *position);
  }
  return newest;
}

// --- Pages ---

void append_explanation(std::string& out, const model::Model& model, const engine::ListExplanation& explanation) {
  json::append_member(out, "explain");
  out += '{';
  json::append_member(out, "way", explanation.way);
  if (explanation.field) {
    json::append_member(out, "field", model.fields[*explanation.field].name);
  } else {
    json::append_null_member(out, "field");
  }
  json::append_member(out, "in_order");
  out += explanation.in_order ? "true" : "false";
  json::append_member(out, "rows_looked_at", explanation.rows_looked_at);
  out += '}';
}

/// `next`: the cursor of the next page, if there is one.
Result<std::string> body_of_page(const model::Model& model, const RecordListRequest& list, const engine::ListPage& page,
                                 const std::string& next) {
  const RecordWriter writer(model, list.fields, list.format, list.expansion);
  std::string body;
  std::size_t bytes = 128;
  for (const engine::ListRow& row : page.rows) bytes += row.record.value->size() + 2;
  body.reserve(bytes);
  const bool is_json = list.format == ListFormat::page;
  if (is_json) body = "{\"data\":[";
  writer.begin(body);
  for (const engine::ListRow& row : page.rows) {
    if (is_json && &row != &page.rows.front()) body += ',';
    TRY(writer.append(body, *row.record.value));
    if (!list.expansion.is_empty() && body.size() > expanded_page_bytes_max) {
      return fail(ErrorKind::too_large, "page_too_large",
                  "with what its records refer to, the page has more than " +
                      std::to_string(expanded_page_bytes_max >> 20) + " MiB; ask for a smaller limit");
    }
  }
  if (!is_json) return body;
  body += ']';
  if (page.more) {
    json::append_member(body, "next", next);
  } else {
    json::append_null_member(body, "next");
  }
  if (page.total) json::append_member(body, "total", *page.total);
  if (list.explain) append_explanation(body, model, page.explanation);
  body += '}';
  return body;
}

/// Of all tables that a list of now shows something of.
Revision revision_of(const Call& call, const RecordListRequest& list) {
  Revision revision{call.table().newest()};
  for (const std::size_t target : list.expansion.targets())
    revision.push_back(call.engine.feed(target).table().newest());
  return revision;
}

/// `next`: the cursor of the next page, if there is one.
Response response_with(const RecordListRequest& list, const std::string& next) {
  Response response = response_of(list);
  if (!next.empty() && list.format != ListFormat::page)
    response.add("Link", list.link_begin + next + ">; rel=\"next\"");
  response.content_type = content_type_of(list.format);
  return response;
}

/// A page on its way.
struct PageRead final : LongRead {
  PageRead(Call the_call, RecordListRequest the_list)
      : LongRead(std::move(the_call), the_list.at ? From::store : From::tables),
        list(std::move(the_list)),
        run(call.past(), call.table(), list.query, list.at) {}

  [[nodiscard]] bool work(const engine::Turn& turn) override {
    const auto found = run.go_on(turn);
    if (found && !*found) return true;
    if (found) {
      send(run.take());
    } else {
      call.refuse(found.error());
    }
    return false;
  }
  void send(const engine::ListPage& page) {
    const std::string next =
        page.more ? token_of(call.the_model(), list.query.sort, page.rows.back().place) : std::string();
    auto body = body_of_page(call.the_model(), list, page, next);
    if (!body) return call.refuse(body.error());
    Response response = response_with(list, next);
    if (!list.kept_as.empty() && revision_of(call, list) == list.revision) {
      const KeptReply reply{SharedText(*body), next};
      const Duration now = call.engine.platform().clock.monotonic();
      call.shared.replies.keep(list.kept_as, list.revision, now + call.the_model().cache_of(model::ApiOperation::list),
                               reply);
      response.body = reply.body;
    } else {
      response.body = *std::move(body);
    }
    call.send(std::move(response));
  }

  const RecordListRequest list;
  engine::ListRun run;
};

// --- Lists that go out whole ---

/// The text of a list, some pages after one another.
class WholeList final : public PieceSource {
 public:
  WholeList(const Call& call, RecordListRequest list)
      : past_(call.past()),
        table_(call.table()),
        list_(std::move(list)),
        writer_(past_.model, list_.fields, list_.format, list_.expansion) {
    writer_.begin(text_);
  }

  [[nodiscard]] Result<std::string> next(const engine::Turn& turn) override {
    do {
      if (row_ == page_.rows.size() && !TRY(find_page(turn))) break;
      while (row_ < page_.rows.size() && text_.size() < piece_bytes) {
        TRY(writer_.append(text_, *page_.rows[row_].record.value));
        page_.rows[row_++].record = {};  // its value may be large
        if (turn.is_over()) break;
      }
      ended_ = row_ == page_.rows.size() && !page_.more;
    } while (!ended_ && text_.size() < piece_bytes && !turn.is_over());
    return std::exchange(text_, {});
  }
  [[nodiscard]] bool ended() const override { return ended_; }

 private:
  /// False when the turn is over before.
  [[nodiscard]] Result<bool> find_page(const engine::Turn& turn) {
    const std::size_t bytes_max = list_.query.sort.empty() ? engine::list_bytes_max : sorted_export_bytes;
    if (!run_) run_.emplace(past_, table_, list_.query, list_.at, bytes_max, projection::Use::passes);
    if (!TRY(run_->go_on(turn))) return false;
    page_ = run_->take();
    row_ = 0;
    run_.reset();
    if (page_.more) list_.query.after = page_.rows.back().place;
    return true;
  }

  const engine::Past past_;
  const projection::ReadTable& table_;
  RecordListRequest list_;
  const RecordWriter writer_;
  std::optional<engine::ListRun> run_;  // while a page is looked for
  engine::ListPage page_;
  std::size_t row_ = 0;
  std::string text_;
  bool ended_ = false;
};

// --- All of them ---

void send_unchanged(Call call, const RecordListRequest& list) {
  Response unchanged = response_of(list);
  unchanged.status = 304;
  call.send(std::move(unchanged));
}

/// Sends the list as it was written out before, if it still is the same.
bool send_kept(Call& call, RecordListRequest& list) {
  if (list.kept_as.empty()) return false;
  list.revision = revision_of(call, list);
  const Duration now = call.engine.platform().clock.monotonic();
  const auto reply = call.shared.replies.find(list.kept_as, list.revision, now);
  if (!reply) return false;
  Response response = response_with(list, reply->next);
  response.body = reply->body;
  call.send(std::move(response));
  return true;
}

void answer(Call call, RecordListRequest list) {
  if (!list.at && call.refuse_failing(list.expansion.targets())) return;
  // A tag of the list would say nothing of what its records refer to.
  if (!list.at && list.expansion.is_empty()) {
    list.tag = tag_of(call, list.format);
    if (std::ranges::find(list.known_tags, list.tag) != list.known_tags.end())
      return send_unchanged(std::move(call), list);
  }
  if (list.knows_any) return send_unchanged(std::move(call), list);  // there always is a list
  if (send_kept(call, list)) return;
  // What is asked of now is quick, as a rule.
  const From from = list.at ? From::store : From::tables;
  const First first = list.at ? First::in_turn : First::at_once;
  if (!list.whole) return take_turns(std::make_shared<PageRead>(std::move(call), std::move(list)), first);
  Response response = response_of(list);
  response.content_type = content_type_of(list.format);
  auto source = std::make_unique<WholeList>(call, std::move(list));
  send_in_pieces(std::move(call), std::move(response), std::move(source), from, first);
}

/// Once a record of the model has changed since the client's list, whether it is in the list or not.
void answer_when_changed(Call call, RecordListRequest list) {
  const auto known = known_position(call, list);
  if (!known) return answer(std::move(call), std::move(list));
  // Whatever has changed since: the tag names the last change of all of the model.
  ListState since{"", *known, Instant{INT64_MIN}};
  const Duration time = *list.wait;
  after_list_change(std::move(call), std::move(since), time,
                    [list = std::move(list)](Call ready, bool changed) mutable {
                      if (changed) return answer(std::move(ready), std::move(list));
                      list.tag = tag_of(ready, list.format);
                      send_unchanged(std::move(ready), list);
                    });
}

}  // namespace

void list_resources(const Request& request, Call call) {
  const auto parameters = QueryParameters::parse_all(request.query);
  if (!parameters) return call.refuse(parameters.error());
  auto list = record_list_request(request, call, *parameters);
  if (!list) return call.refuse(list.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  const bool asks_for_all = list->at || !list->expansion.is_empty();
  if (asks_for_all && call.refuse_behind_store()) return;
  if (list->wait) call.responder.take_longer(*list->wait);
  after_position(std::move(call), *position, [list = *std::move(list)](Call ready) mutable {
    ready.position = ready.position_of_table();
    if (list.wait) return answer_when_changed(std::move(ready), std::move(list));
    if (!list.at) return answer(std::move(ready), std::move(list));
    engine::Engine& engine = ready.engine;
    platform::Executor& home = *ready.home;
    const Instant time = *list.at;
    engine.settle(time, home, [ready = std::move(ready), list = std::move(list)](const Result<>& settled) mutable {
      if (!settled) return ready.refuse(settled.error());
      answer(std::move(ready), std::move(list));
    });
  });
}

}  // namespace annals::http
