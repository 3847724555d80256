// Reading a record, as it is and as it was.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "http/fields.hpp"
#include "http/routes/call.hpp"
#include "http/routes/expansion.hpp"
#include "http/routes/past_reading.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/waiting.hpp"
#include "json/writer.hpp"
#include "model/exposure.hpp"

namespace annals::http {
namespace {

using model::Record;

/// What of a request decides how a record is shown. The tags are views into the request until they are kept.
struct View {
  bool json = false;         ///< wrapped in an object with name, version and time; else as it is
  bool never_fresh = false;  ///< to be asked for again each time, whatever the model declares
  bool has_if_match = false;
  std::string_view plain_type;  ///< of the value as it is
  std::string_view mark;        ///< of the model's declaration
  EntityTagList if_none_match;
  EntityTagList if_match;
  SharedText kept_tags;  ///< shared by the copies of a view

  [[nodiscard]] std::string tag_of(StreamVersion version, bool as_json) const {
    return as_json ? http::tag_of(version, true) : marked_tag_of(version, mark);
  }
  /// True when If-Match wants another version: one of its tags has to name this one, in whichever form.
  [[nodiscard]] bool wants_other_than(StreamVersion version) const {
    if (!has_if_match || if_match.any) return false;
    return std::ranges::none_of(
        if_match.tags, [version](const EntityTag& tag) { return !tag.weak && version_of_tag(tag.opaque) == version; });
  }
};

Result<View> view_of(const Request& request, const Call& call) {
  constexpr std::array<std::string_view, 2> offers{"text/plain", "application/json"};
  const model::Model& model = call.the_model();
  View view;
  view.mark = call.engine.declaration_mark(call.model);
  view.plain_type = model.profile == model::Profile::kv ? "text/plain; charset=utf-8" : "application/json";
  view.json = model.profile == model::Profile::kv && preferred(request, offers) == 1u;
  if (auto tags = TRY(entity_tags(request, "if-none-match"))) view.if_none_match = std::move(*tags);
  if (auto tags = TRY(entity_tags(request, "if-match"))) {
    view.if_match = std::move(*tags);
    view.has_if_match = true;
  }
  return view;
}

/// The same for an answer that comes when the request is gone.
View kept(View view) {
  std::string texts;
  const auto all = {&view.if_none_match.tags, &view.if_match.tags};
  for (const auto* tags : all) {
    for (const EntityTag& tag : *tags) texts += tag.opaque;
  }
  if (texts.empty()) return view;  // nothing but tags without a text, which lie nowhere
  view.kept_tags = SharedText(texts);
  std::string_view rest = *view.kept_tags;
  for (auto* tags : all) {
    for (EntityTag& tag : *tags) {
      const std::size_t size = tag.opaque.size();
      tag.opaque = rest.substr(0, size);
      rest.remove_prefix(size);
    }
  }
  return view;
}

/// True when the client has the version under the declaration that it is shown by.
bool know_version(const View& view, StreamVersion version) {
  return std::ranges::any_of(view.if_none_match.tags, [&](const EntityTag& tag) {
    return version_of_tag(tag.opaque) == version && declaration_mark_of_tag(tag.opaque) == view.mark;
  });
}

constexpr std::size_t record_fields_bytes =
    224;  // what the fields of a reply take at most, as a rule: one piece of memory

Error not_at_version(const Record& record) {
  return Error(ErrorKind::precondition_failed, "version_conflict",
               "the record is at version " + to_string(record.version));
}

/// The fields that a record is sent with; `tag` is empty where it has none.
void append_fields(std::string& fields, const Call& call, const View& view, std::string_view tag) {
  fields.reserve(record_fields_bytes);
  if (!tag.empty()) fields.append("ETag: \"").append(tag).append("\"\r\n");
  if (view.never_fresh) {
    fields += never_fresh;
  } else {
    call.append_cache_control(fields, model::ApiOperation::get);
  }
  fields += "Vary: Accept\r\nX-Content-Type-Options: nosniff\r\n";
}

Response show(const Call& call, const View& view, const Record& record) {
  if (view.wants_other_than(record.version)) return problem(call.asker, not_at_version(record));
  const std::string tag = view.tag_of(record.version, view.json);
  Response response;
  append_fields(response.fields, call, view, tag);
  // Whoever has the other form has not got this one.
  if (view.if_none_match.matches_weakly(tag)) {
    response.status = 304;
    return response;
  }
  if (!view.json) {
    response.content_type = view.plain_type;
    response.body = record.value;
    return response;
  }
  std::string body = "{";
  json::append_member(body, "name", call.key);
  json::append_member(body, "value", *record.value);
  json::append_member(body, "version", record.version.value);
  json::append_member(body, "updated_at", record.updated_at.to_text());
  body += '}';
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

void send_record(Call& call, const View& view, const Result<Record>& record, std::string_view when) {
  if (!record) return call.refuse(record.error());
  if (!record->exists()) {
    if (call.refuse_behind_store()) return;  // it may have come to be since
    const bool deleted = record->was_deleted();
    call.refuse(Error(ErrorKind::not_found, "not_found",
                      "\"" + call.key + "\" " + (deleted ? "was deleted" : "does not exist") + std::string(when)));
    return;
  }
  if (!call.the_model().hides) return call.send(show(call, view, *record));
  const auto shown = model::shown_record(call.the_model(), record->value);
  if (!shown) return call.refuse(shown.error());
  call.send(show(call, view, {record->version, *shown, record->updated_at}));
}

/// What a wait ended with: the record, or that it is still the one that the client knows. A record that does not exist
/// has a version too, after which the client can go on to wait for it to come.
void send_awaited(Call call, const View& view, const Record& record) {
  const bool known = know_version(view, record.version);
  if (record.exists() && !known) return send_record(call, view, record, "");
  if (!known && call.refuse_behind_store()) return;  // it may have come to be since
  Response response;
  if (known) {
    response.status = 304;
    response.fields = never_fresh;
  } else {
    response =
        problem(call.asker, Error(ErrorKind::not_found, "not_found",
                                  "\"" + call.key + "\" " + (record.was_deleted() ? "was deleted" : "does not exist")));
  }
  response.add("ETag", "\"" + view.tag_of(record.version, view.json && known) + "\"");
  response.fields += "Vary: Accept\r\n";
  call.send(std::move(response));
}

/// A record of now.
void send_newest(Call& call, const View& view) {
  if (call.refuse_failing()) return;
  const Result<Record> record = call.table().get(call.key);
  send_record(call, view, record, "");
}

/// A record of now with what it refers to. No tag of its own stands for both.
void send_expanded(Call call, const View& view, const Expansion& expansion) {
  if (call.refuse_failing(expansion.targets())) return;
  const Result<Record> found = call.table().get(call.key);
  if (!found || !found->exists()) return send_record(call, view, found, "");
  const Record& record = *found;
  if (view.wants_other_than(record.version)) return call.refuse(not_at_version(record));
  Response response;
  append_fields(response.fields, call, view, {});
  if (view.if_none_match.any) {
    response.status = 304;
    return call.send(std::move(response));
  }
  const auto shown = model::shown_record(call.the_model(), record.value);
  if (!shown) return call.refuse(shown.error());
  std::string body(**shown);
  if (const auto expanded = expansion.append(body, *record.value); !expanded) return call.refuse(expanded.error());
  response.content_type = view.plain_type;
  response.body = std::move(body);
  call.send(std::move(response));
}

void await_record(Call call, View view, Duration time) {
  // Whoever waits again would be answered out of a cache, and at once.
  view.never_fresh = true;
  const auto is_news = [view](const Record& record) { return !know_version(view, record.version); };
  after_change(std::move(call), is_news, time, [view = std::move(view)](Call ready, const Record& record) {
    send_awaited(std::move(ready), view, record);
  });
}

void send_record_at(Call call, View view, engine::When when) {
  const std::string_view said =
      std::holds_alternative<Instant>(when) ? std::string_view(" at that time") : " at that version";
  read_past(std::move(call), when, [view = std::move(view), said](Call reading, const Result<Record>& record) {
    send_record(reading, view, record, said);
  });
}

Result<Expansion> expansion_of(const Call& call, const std::string& value) {
  if (call.the_model().profile == model::Profile::resource) return Expansion::read(call.engine, call.model, value);
  return fail(ErrorKind::invalid, "unknown_parameter", "values of profile kv refer to nothing that expand could show");
}

Result<> check_wait(const View& view, bool of_the_past) {
  if (of_the_past) {
    return fail(ErrorKind::invalid, "invalid_query",
                "`wait` waits for what is still to come, `at` and `version` ask for what was; give one of them");
  }
  if (view.if_none_match.any || view.has_if_match) {
    return fail(
        ErrorKind::invalid, "invalid_precondition",
        "`wait` waits while the record is at a version of If-None-Match; give there the ETag of the last reply, "
        "and no * and no If-Match");
  }
  return {};
}

}  // namespace

void get_record(const Request& request, Call call) {
  const auto view = view_of(request, call);
  if (!view) return call.refuse(view.error());
  if (request.query.empty()) {  // the usual case, without a detour
    return send_newest(call, *view);
  }
  // A value refers to nothing.
  const auto parameters =
      call.the_model().profile == model::Profile::kv
          ? QueryParameters::parse(request.query, {"at", "version", "min_position", "wait"})
          : QueryParameters::parse(request.query, {"at", "version", "min_position", "wait", "expand"});
  if (!parameters) return call.refuse(parameters.error());
  const auto wait_time = parameters->duration("wait", change_wait_max);
  if (!wait_time) return call.refuse(wait_time.error());
  const auto time = parameters->time("at");
  if (!time) return call.refuse(time.error());
  const auto version = parameters->number("version", 0, ~std::uint64_t{0});
  if (!version) return call.refuse(version.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  if (*time && *version)
    return call.refuse(Error(ErrorKind::invalid, "invalid_query", "give `at` or `version`, not both"));
  if ((*time || *version) && call.refuse_behind_store()) return;

  if (const std::string* expand = parameters->find("expand")) {
    if (*time || *version || *wait_time) {
      return call.refuse(Error(ErrorKind::invalid, "invalid_query",
                               "expand shows what is referred to now; it goes with none of at, version and wait"));
    }
    auto expansion = expansion_of(call, *expand);
    if (!expansion) return call.refuse(expansion.error());
    if (call.refuse_behind_store()) return;
    return after_position(std::move(call), *position,
                          [view = kept(*view), expansion = *std::move(expansion)](Call ready) {
                            send_expanded(std::move(ready), view, expansion);
                          });
  }

  if (*wait_time) {
    if (auto good = check_wait(*view, *time || *version); !good) return call.refuse(good.error());
    call.responder.take_longer(**wait_time);
    return after_position(std::move(call), *position, [view = kept(*view), time = **wait_time](Call ready) mutable {
      await_record(std::move(ready), std::move(view), time);
    });
  }

  const auto after = *time || *version ? after_stored_position : after_position;
  after(std::move(call), *position, [view = kept(*view), time = *time, version = *version](Call ready) mutable {
    if (time) {
      send_record_at(std::move(ready), std::move(view), *time);
    } else if (version) {
      send_record_at(std::move(ready), std::move(view), StreamVersion{*version});
    } else {
      send_newest(ready, view);
    }
  });
}

void get_record_at(const Request& request, Call call) {
  const auto view = view_of(request, call);
  if (!view) return call.refuse(view.error());
  const auto parameters = QueryParameters::parse(request.query, {"min_position"});
  if (!parameters) return call.refuse(parameters.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  const auto time = parse_time(call.argument);
  if (!time) return call.refuse(time.error());
  after_stored_position(std::move(call), *position, [view = kept(*view), time = *time](Call ready) mutable {
    send_record_at(std::move(ready), std::move(view), time);
  });
}

}  // namespace annals::http
