// Reading records: one, all, and as they were.

#include <memory>
#include <optional>

#include "engine/queries.hpp"
#include "http/fields.hpp"
#include "http/routes/call.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/waiting.hpp"
#include "json/writer.hpp"

namespace annals::http {
namespace {

using model::Record;
using Rows = std::vector<projection::ReadTable::Row>;

constexpr std::uint64_t limit_max = 10'000;
constexpr std::size_t rows_a_piece = 1000;

/// What of a request decides how a record is shown; kept when the answer comes later.
struct View {
  bool json = false;
  EntityTagList if_none_match;
  EntityTagList if_match;
  bool has_if_match = false;
};

Result<View> view_of(const Request& request) {
  constexpr std::array<std::string_view, 2> offers{"text/plain", "application/json"};
  View view;
  view.json = preferred(request, offers) == 1u;
  if (auto tags = TRY(entity_tags(request, "if-none-match"))) view.if_none_match = std::move(*tags);
  if (auto tags = TRY(entity_tags(request, "if-match"))) {
    view.if_match = std::move(*tags);
    view.has_if_match = true;
  }
  return view;
}

/// The views into the request do not outlive it, so a view that must wait keeps its own text.
struct OwnView {
  bool json = false;
  std::vector<std::string> not_these;
  bool not_any = false;
  std::vector<std::string> only_these;
  bool only_if_any = false;
  bool has_if_match = false;

  explicit OwnView(const View& view)
      : json(view.json),
        not_any(view.if_none_match.any),
        only_if_any(view.if_match.any),
        has_if_match(view.has_if_match) {
    for (const EntityTag& tag : view.if_none_match.tags) not_these.emplace_back(tag.opaque);
    for (const EntityTag& tag : view.if_match.tags) {
      if (!tag.weak) only_these.emplace_back(tag.opaque);
    }
  }
};

Response show(const OwnView& view, const std::string& key, const Record& record, const Asker& asker) {
  const std::string tag = to_string(record.version);
  const auto has = [&](const std::vector<std::string>& tags) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  };
  if (view.has_if_match && !view.only_if_any && !has(view.only_these)) {
    return problem(asker, Error(ErrorKind::precondition_failed, "version_conflict", "the record is at version " + tag));
  }
  Response response;
  response.add("ETag", "\"" + tag + "\"");
  response.fields += "Cache-Control: no-cache\r\nVary: Accept\r\nX-Content-Type-Options: nosniff\r\n";
  if (view.not_any || has(view.not_these)) {
    response.status = 304;
    return response;
  }
  if (!view.json) {
    response.content_type = "text/plain; charset=utf-8";
    response.body = record.value;
    return response;
  }
  std::string body = "{";
  json::append_member(body, "name", key);
  json::append_member(body, "value", *record.value);
  json::append_member(body, "version", record.version.value);
  json::append_member(body, "updated_at", record.updated_at.to_text());
  body += '}';
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

void send_record(Call call, const OwnView& view, const Result<Record>& record, std::string_view when) {
  if (!record) {
    if (status_of(record.error().kind) >= 500) {
      call.engine.platform().log.error("A record could not be read",
                                       {{"request_id", call.asker.request_id}, {"error", record.error().message}});
    }
    call.refuse(record.error());
    return;
  }
  if (!record->exists()) {
    const bool deleted = record->was_deleted();
    call.refuse(Error(ErrorKind::not_found, "not_found",
                      "\"" + call.key + "\" " + (deleted ? "was deleted" : "does not exist") + std::string(when)));
    return;
  }
  call.send(show(view, call.key, *record, call.asker));
}

void send_record_at(Call call, OwnView view, Instant time) {
  engine::Engine& engine = call.engine;
  platform::Executor& home = *call.home;
  engine.settle(time, home, [call = std::move(call), view = std::move(view), time]() mutable {
    const auto record = engine::record_at_time(call.engine.store(), call.the_model(), call.key, time);
    send_record(std::move(call), view, record, " at that time");
  });
}

void append_row(std::string& out, const projection::ReadTable::Row& row) {
  out += "{\"name\":";
  json::append_string(out, row.key);
  out += ",\"value\":";
  json::append_string(out, *row.record.value);
  out += '}';
}

/// Gives the rows of a list, a piece at a time: of now, or as they were.
using RowSource = std::move_only_function<Result<Rows>(std::size_t limit)>;

RowSource rows_of_now(const projection::ReadTable& table, std::string prefix, std::optional<std::string> after) {
  return [&table, prefix = std::move(prefix), after = std::move(after)](std::size_t limit) mutable -> Result<Rows> {
    Rows rows = table.list(prefix, after, limit);
    if (!rows.empty()) after = rows.back().key;
    return rows;
  };
}

RowSource rows_at(const EventStore& store, const model::Model& model, const projection::ReadTable& table, Instant time,
                  std::string prefix, std::optional<std::string> after) {
  auto list = std::make_shared<engine::ListAtTime>(store, model, table, time, std::move(prefix), std::move(after));
  return [list](std::size_t limit) { return list->next(limit); };
}

struct ListRequest {
  std::string path;
  std::string prefix;
  std::optional<std::string> after;
  std::optional<std::uint64_t> limit;
  std::optional<Instant> at;
  std::string at_text;
};

std::string next_link(const ListRequest& list, const std::string& last_key) {
  std::string link = "<" + list.path + "?";
  if (!list.prefix.empty()) link += "prefix=" + percent_encode(list.prefix) + "&";
  if (list.at) link += "at=" + percent_encode(list.at_text) + "&";
  link += "limit=" + std::to_string(*list.limit) + "&after=" + key_token(last_key) + ">; rel=\"next\"";
  return link;
}

void send_page(Call call, const ListRequest& list, RowSource source) {
  auto rows = source(*list.limit + 1);
  if (!rows) {
    call.refuse(rows.error());
    return;
  }
  Response response;
  response.content_type = "application/json";
  if (rows->size() > *list.limit) {
    rows->pop_back();
    response.add("Link", next_link(list, rows->back().key));
  }
  std::string body = "[";
  for (const auto& row : *rows) {
    if (body.size() > 1) body += ',';
    append_row(body, row);
  }
  body += ']';
  response.body = std::move(body);
  call.send(std::move(response));
}

/// The whole list; what is longer than a piece is streamed, so that it takes no more memory than a piece.
void send_whole(Call call, RowSource source) {
  auto rows = source(rows_a_piece);
  if (!rows) {
    call.refuse(rows.error());
    return;
  }
  Response response;
  response.content_type = "application/json";
  std::string first = "[";
  const auto append_rows = [](std::string& out, const Rows& some, bool& any) {
    for (const auto& row : some) {
      if (any) out += ',';
      any = true;
      append_row(out, row);
    }
  };
  bool any = false;
  append_rows(first, *rows, any);
  if (rows->size() < rows_a_piece) {
    response.body = first + "]";
  } else {
    response.body = BodySource([source = std::move(source), pending = std::optional<std::string>(std::move(first)), any,
                                ended = false, append_rows]() mutable -> Result<std::optional<std::string>> {
      if (pending) return std::exchange(pending, std::nullopt);
      if (ended) return std::nullopt;
      const Rows more = TRY(source(rows_a_piece));
      std::string piece;
      append_rows(piece, more, any);
      if (more.size() < rows_a_piece) {
        piece += ']';
        ended = true;
      }
      return piece;
    });
  }
  call.send(std::move(response));
}

Result<ListRequest> list_request(const Request& request, const QueryParameters& parameters) {
  ListRequest list;
  list.path = request.path;
  if (const std::string* prefix = parameters.find("prefix")) list.prefix = *prefix;
  if (const std::string* after = parameters.find("after")) list.after = TRY(key_from_token(*after));
  list.limit = TRY(parameters.number("limit", 1, limit_max));
  list.at = TRY(parameters.time("at"));
  if (const std::string* at = parameters.find("at")) list.at_text = *at;
  return list;
}

}  // namespace

void list_records(const Request& request, Call call) {
  const auto parameters = QueryParameters::parse(request.query, {"prefix", "limit", "after", "at", "min_position"});
  if (!parameters) return call.refuse(parameters.error());
  auto list = list_request(request, *parameters);
  if (!list) return call.refuse(list.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());

  after_position(std::move(call), *position, [list = std::move(*list)](Call ready) mutable {
    const auto answer = [](Call settled, const ListRequest& asked, RowSource source) {
      if (asked.limit) {
        send_page(std::move(settled), asked, std::move(source));
      } else {
        send_whole(std::move(settled), std::move(source));
      }
    };
    if (!list.at) {
      RowSource source = rows_of_now(ready.table(), list.prefix, list.after);
      answer(std::move(ready), list, std::move(source));
      return;
    }
    engine::Engine& engine = ready.engine;
    platform::Executor& home = *ready.home;
    const Instant time = *list.at;
    engine.settle(time, home, [ready = std::move(ready), list = std::move(list), answer]() mutable {
      RowSource source =
          rows_at(ready.engine.store(), ready.the_model(), ready.table(), *list.at, list.prefix, list.after);
      answer(std::move(ready), list, std::move(source));
    });
  });
}

void get_record(const Request& request, Call call) {
  const auto view = view_of(request);
  if (!view) return call.refuse(view.error());
  if (request.query.empty()) {  // the usual case, without a detour
    const Record record = call.table().get(call.key);
    return send_record(std::move(call), OwnView(*view), record, "");
  }
  const auto parameters = QueryParameters::parse(request.query, {"at", "version", "min_position"});
  if (!parameters) return call.refuse(parameters.error());
  const auto time = parameters->time("at");
  if (!time) return call.refuse(time.error());
  const auto version = parameters->number("version", 0, ~std::uint64_t{0});
  if (!version) return call.refuse(version.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  if (*time && *version)
    return call.refuse(Error(ErrorKind::invalid, "invalid_query", "give `at` or `version`, not both"));

  const auto wait = *time || *version ? after_stored_position : after_position;
  wait(std::move(call), *position, [view = OwnView(*view), time = *time, version = *version](Call ready) mutable {
    if (time) {
      send_record_at(std::move(ready), std::move(view), *time);
    } else if (version) {
      const auto record =
          engine::record_at_version(ready.engine.store(), ready.the_model(), ready.key, StreamVersion{*version});
      send_record(std::move(ready), view, record, " at that version");
    } else {
      const Record record = ready.table().get(ready.key);
      send_record(std::move(ready), view, record, "");
    }
  });
}

void get_record_at(const Request& request, Call call) {
  const auto view = view_of(request);
  if (!view) return call.refuse(view.error());
  const auto parameters = QueryParameters::parse(request.query, {"min_position"});
  if (!parameters) return call.refuse(parameters.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  const auto time = parse_time(call.argument);
  if (!time) return call.refuse(time.error());
  after_stored_position(std::move(call), *position, [view = OwnView(*view), time = *time](Call ready) mutable {
    send_record_at(std::move(ready), std::move(view), time);
  });
}

}  // namespace annals::http
