// Reads of records, lists and the past, and what they are to show.

#include <algorithm>

#include "base/instant.hpp"
#include "http/request.hpp"
#include "tests/property/player.hpp"

namespace annals::property {
namespace {

std::string code_in(const Reply& reply) {
  return body_of(reply).at("code").text;
}

}  // namespace

void Player::read_record() {
  if (chance(dice_, 1, 6)) return read_expanded();
  const std::size_t model = dice_.below(reference_.shape().models.size());
  const Place place{model, known_key(model)};
  const auto& events = reference_.events(place);
  const std::uint64_t first = reference_.first_shown(place);
  const std::string path = path_of(reference_, place);
  std::uint64_t version = events.size();
  Reply reply;
  switch (dice_.below(4)) {
    case 0: {
      version = 1 + dice_.below(events.size() + 2);
      reply = ask(http::Method::get, path + "?version=" + std::to_string(version));
      break;
    }
    case 1: {
      if (events.empty()) return;
      const std::int64_t moment = events[dice_.below(events.size())].time - static_cast<std::int64_t>(dice_.below(2));
      version = reference_.version_at(place, moment);
      const std::string text = Instant{moment}.to_text();
      reply = ask(http::Method::get, path + (chance(dice_, 1, 2) ? "?at=" : "/at/") + text);
      break;
    }
    case 2: {
      const Reply shown = ask(http::Method::get, path);
      if (shown.status != 200) return;
      reply = ask(http::Method::get, path, "", {{"if-none-match", shown.field("ETag")}});
      expect(reply.status == 304, "expected 304");
      return;
    }
    default: reply = ask(http::Method::get, path); break;
  }
  if (version < first && first > 1)
    return expect(reply.status == 404 && code_in(reply) == "past_not_shown", "expected 404 past_not_shown");
  const State state = reference_.at_version(place, version);
  if (!state.values) return expect(reply.status == 404 && code_in(reply) == "not_found", "expected 404 not_found");
  expect(reply.status == 200, "expected 200");
  Outcome outcome;
  outcome.left = state;
  Operation read;
  read.model = model;
  compare_left(read, outcome, body_of(reply), reply.field("ETag"));
}

void Player::read_history() {
  const std::size_t model = dice_.below(reference_.shape().models.size());
  const Place place{model, known_key(model)};
  const auto& events = reference_.events(place);
  std::uint64_t after = reference_.first_shown(place) - 1;
  std::uint64_t limit = events.size();
  std::string target = path_of(reference_, place) + "/history";
  if (chance(dice_, 1, 3)) {
    const std::uint64_t asked = dice_.below(events.size() + 2);
    limit = 1 + dice_.below(3);
    target += "?after_version=" + std::to_string(asked) + "&limit=" + std::to_string(limit);
    after = std::max(after, asked);
  }
  const Reply reply = ask(http::Method::get, target);
  std::vector<Json> found = body_of(reply).elements;
  std::size_t number = 0;
  for (std::uint64_t version = after + 1; version <= events.size() && number < limit; ++version, ++number) {
    const RecordedEvent& event = events[version - 1];
    const Json expected = reference_.data_of(place, event, true);
    if (number >= found.size()) return disagree("an event is missing: version " + std::to_string(version));
    Json data = found[number].at("data");
    server_.open_secrets(reference_.model(model).name + "-" + place.second, data);
    if (event.kind == RecordedEvent::Kind::deleted) data.members.erase("deleted_at");
    const bool is_so = found[number].at("event_type").text == event.type &&
                       found[number].at("stream_version").text == std::to_string(version) &&
                       found[number].at("created_at").text == Instant{event.time}.to_text() && same(data, expected);
    expect(is_so, "of version " + std::to_string(version) + " expected " + event.type + " " + written(expected));
  }
  expect(reply.status == 200 && found.size() == number, "expected 200 and " + std::to_string(number) + " events");
}

void Player::read_audit() {
  const std::size_t model = dice_.below(reference_.shape().models.size());
  const Place place{model, known_key(model)};
  const Reply reply = ask(http::Method::get, path_of(reference_, place) + "/audit");
  if (!reference_.model(model).audited) return expect(reply.status == 404, "expected 404");
  const auto& events = reference_.events(place);
  const std::vector<Json> found = body_of(reply).elements;
  expect(reply.status == 200 && found.size() == events.size(), "expected 200 and an entry for each event");
  for (std::size_t number = 0; number < events.size() && !ended(); ++number) {
    Json entry = found[number];
    const Json expected = reference_.audit_of(place, events[number]);
    server_.open_secrets(reference_.model(model).name + "-" + place.second, entry);
    const bool is_so = same(entry.at("old_values"), expected.at("old_values")) &&
                       same(entry.at("new_values"), expected.at("new_values")) &&
                       same(entry.at("action"), expected.at("action")) && entry.at("user_id").text == "anonymous" &&
                       entry.at("timestamp").text == Instant{events[number].time}.to_text();
    expect(is_so, "of version " + std::to_string(number + 1) + " expected the entry " + written(expected));
  }
}

bool Player::compare_page(const ListShape& list, const Reply& reply, std::vector<ListRow>& rows, std::size_t total) {
  const Json page = body_of(reply);
  const std::vector<Json>& data = page.at("data").elements;
  std::string expected;
  for (const ListRow& row : rows) expected += "\n  " + row.key + " " + written(row.shown);
  const std::string what = "expected a page of" + expected;
  expect(reply.status == 200 && data.size() <= list.limit && data.size() <= rows.size(), what);
  for (std::size_t number = 0; number < data.size() && !ended(); ++number)
    expect(same(data[number], rows[number].shown), what);
  if (list.count)
    expect(page.at("total").text == std::to_string(total), "expected a total of " + std::to_string(total));
  const bool more = !page.at("next").is_null();
  expect(more == (data.size() < rows.size()), what);
  expect(!more || !data.empty(), "a page has no record, and there are more");
  // A page ends early only for the sake of large values.
  expect(!more || data.size() == list.limit || reference_.shape().large, what);
  if (ended() || !more) return false;
  begun_ = Begun{list, page.at("next").text, rows[data.size() - 1]};
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(data.size()));
  return true;
}

/// All of a list, a line each.
void Player::read_lines(ListShape list) {
  list.count = list.explain = false;
  std::string query = list.query();
  query.erase(0, query.find('&') + 1);  // no limit
  if (query.starts_with("limit=")) query.clear();
  const std::vector<ListRow> rows = rows_of(reference_, list).rows;
  std::string expected = "expected";
  for (const ListRow& row : rows) expected += "\n" + written(row.shown);
  const Reply reply = ask(http::Method::get, reference_.model(list.model).path() + "?" + query, "",
                          {{"accept", "application/x-ndjson"}});
  expect(reply.status == 200, expected);
  std::size_t number = 0;
  for (std::size_t at = 0; at < reply.body.size() && !ended(); ++number) {
    const std::size_t end = std::min(reply.body.find('\n', at), reply.body.size());
    const auto line = parsed(std::string_view(reply.body).substr(at, end - at));
    expect(number < rows.size() && line && same(*line, rows[number].shown), expected);
    at = end + 1;
  }
  expect(number == rows.size(), expected);
}

/// A record with what it refers to.
void Player::read_expanded() {
  const std::size_t model = dice_.below(reference_.shape().models.size());
  const Place place{model, known_key(model)};
  const State state = reference_.present(place);
  std::string names;
  Json expanded = json_object({});
  for (const FieldShape& field : reference_.model(model).fields) {
    if (!field.references || !field.shown() || expanded.members.size() == 5) continue;
    names += (names.empty() ? "" : ",") + field.name;
    const Json key = state.values ? reference_.value_of(model, *state.values, field) : Json{};
    const State target = key.is_null() ? State{} : reference_.present({*field.references, key_text(key)});
    expanded.members[field.name] = target.values ? reference_.shown(*field.references, *target.values) : Json{};
  }
  if (names.empty()) return read_history();
  const Reply reply = ask(http::Method::get, path_of(reference_, place) + "?expand=" + names);
  if (!state.values) return expect(reply.status == 404, "expected 404");
  Json shown = reference_.shown(model, *state.values);
  shown.members["expanded"] = expanded;
  expect(reply.status == 200 && same(body_of(reply), shown), "expected " + written(shown));
}

void Player::read_list() {
  ListShape list = any_list(dice_, reference_);
  if (chance(dice_, 1, 6)) return read_lines(std::move(list));
  if (chance(dice_, 1, 5)) {
    const auto keys = reference_.keys(list.model);
    if (keys.empty()) return;
    const auto& events = reference_.events({list.model, any_of(dice_, keys)});
    list.moment = events[dice_.below(events.size())].time;
  }
  const std::string target = reference_.model(list.model).path() + "?" + list.query();
  ListAnswer answer = rows_of(reference_, list);
  const std::size_t total = answer.rows.size();
  Reply reply = ask(http::Method::get, target);
  // Whether a page looks at what is held back depends on where it ends.
  for (;;) {
    if (reply.status == 404) {
      begun_.reset();
      return expect(answer.may_be_refused && code_in(reply) == "past_not_shown", "expected a list");
    }
    if (!compare_page(list, reply, answer.rows, total)) break;
    if (!list.moment && chance(dice_, 1, 3)) return;  // it goes on later
    reply = ask(http::Method::get, target + "&after=" + begun_->after);
  }
  begun_.reset();
  expect(!answer.must_be_refused, "expected 404 past_not_shown");
}

void Player::read_on() {
  if (!begun_) return read_list();
  const Begun before = *std::exchange(begun_, std::nullopt);
  ListAnswer answer = rows_of(reference_, before.list);
  const std::size_t total = answer.rows.size();
  std::erase_if(answer.rows, [&](const ListRow& row) { return !is_behind(reference_, before.list, row, before.last); });
  const std::string target = reference_.model(before.list.model).path() + "?" + before.list.query();
  compare_page(before.list, ask(http::Method::get, target + "&after=" + before.after), answer.rows, total);
}

void Player::read_everything() {
  for (std::size_t model = 0; model < reference_.shape().models.size() && !ended(); ++model) {
    ListShape list;
    list.model = model;
    std::vector<ListRow> rows = rows_of(reference_, list).rows;
    const std::string target = reference_.model(model).path() + "?" + list.query();
    std::string after;
    while (compare_page(list, ask(http::Method::get, target + after), rows, rows.size()))
      after = "&after=" + begun_->after;
    begun_.reset();
    for (const std::string& key : reference_.keys(model)) {
      const Place place{model, key};
      for (std::uint64_t version = reference_.first_shown(place); version <= reference_.events(place).size();
           ++version) {
        const State state = reference_.at_version(place, version);
        const Reply reply = ask(http::Method::get, path_of(reference_, place) + "?version=" + std::to_string(version));
        expect(reply.status == (state.values ? 200 : 404), "of version " + std::to_string(version) + " of " + key);
        if (!state.values) continue;
        expect(same(body_of(reply), reference_.shown(model, *state.values)),
               "expected " + written(reference_.shown(model, *state.values)));
      }
    }
  }
}

}  // namespace annals::property
