// What differs between two times: of one record, and of all of them.

#include "http/routes/differences.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "engine/difference.hpp"
#include "engine/queries.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/waiting.hpp"
#include "json/writer.hpp"

namespace annals::http {
namespace {

using model::Record;
using DifferenceRows = std::vector<engine::Difference::Row>;

constexpr std::uint64_t differences_a_page_max = 10'000;
constexpr std::size_t differences_at_once = 128;
constexpr std::size_t difference_values_bytes_max =
    1u << 20;  // the values of a page, which are held until its end is known

void append_state(std::string& out, std::string_view member, const Record& record) {
  if (!record.exists()) return json::append_null_member(out, member);
  json::append_member(out, member);
  out += '{';
  json::append_member(out, "version", record.version.value);
  json::append_member(out, "value", *record.value);
  json::append_member(out, "updated_at", record.updated_at.to_text());
  out += '}';
}

/// Calls `then` once the answer about these times can no longer change.
void settle(Call call, std::initializer_list<std::optional<Instant>> times, std::move_only_function<void(Call)> then) {
  Instant latest{};
  for (const auto& time : times) latest = std::max(latest, time.value_or(latest));
  engine::Engine& engine = call.engine;
  platform::Executor& home = *call.home;
  // Nothing can be settled that is still to come, but what came before it can.
  engine.settle(std::min(latest, engine.platform().clock.now()), home,
                [call = std::move(call), then = std::move(then)](const Result<>& settled) mutable {
                  if (!settled) return call.refuse(settled.error());
                  // What is read comes from the store, which may be ahead of the table.
                  call.position = call.engine.store().cursor(call.engine.store().status().visible);
                  then(std::move(call));
                });
}

/// One end of a difference of one record; neither: as it is now.
struct End {
  std::optional<Instant> time;
  std::optional<std::uint64_t> version;
};

Result<End> end_of(const QueryParameters& parameters, const std::string& name) {
  End end{TRY(parameters.time(name)), TRY(parameters.number(name + "_version", 0, ~std::uint64_t{0}))};
  if (end.time && end.version) {
    return fail(ErrorKind::invalid, "invalid_query", "give `" + name + "` or `" + name + "_version`, not both");
  }
  return end;
}

/// Errors: not_found, when there is no event of that version; 0, before the first, is always there.
Result<Record> record_at(const Call& call, const End& end) {
  if (end.time) return engine::record_at_time(call.past(), call.key, *end.time);
  const StreamVersion version = end.version
                                    ? StreamVersion{*end.version}
                                    : TRY(call.engine.store().stream_version(call.the_model().stream(call.key)));
  Record record = TRY(engine::record_at_version(call.past(), call.key, version));
  if (end.version && *end.version > 0 && record.version.value == 0) {
    return fail(ErrorKind::not_found, "not_found",
                "\"" + call.key + "\" has no version " + std::to_string(*end.version));
  }
  return record;
}

void send_difference(Call call, const End& from, const End& to) {
  const auto was = record_at(call, from);
  const auto is = record_at(call, to);
  if (!was || !is) return call.refuse(was ? is.error() : was.error());
  Response response;
  response.content_type = "application/json";
  response.fields = never_fresh;
  std::string body;
  append_difference(body, call.key, *was, *is);
  response.body = std::move(body);
  call.send(std::move(response));
}

/// What a request for a list of differences asks.
struct DifferencesRequest {
  std::string path;
  std::string prefix;
  std::optional<std::string> after;
  std::optional<std::uint64_t> limit;
  engine::Interval interval;
};

/// The end of "now": every event that is visible is stamped at or before it, and none that comes will be.
Result<Instant> now_of(const Call& call) {
  const EventStore& store = call.engine.store();
  const Position visible = store.status().visible;
  const Instant now = call.engine.platform().clock.now();
  if (visible.value == 0) return now;
  const EventPage last = TRY(store.read_all(Position{visible.value - 1}, Horizon::visible, PageLimit{1, 1}));
  return last.events().empty() ? now : std::max(now, last.events().back().created_at);
}

Result<DifferencesRequest> differences_request(const Request& request, const QueryParameters& parameters) {
  if (parameters.find("at")) {
    return fail(ErrorKind::invalid, "invalid_query",
                "`at` asks for the list of one time, `diff_from` for what differs between two; give one of them");
  }
  if (parameters.find("wait")) {
    return fail(ErrorKind::invalid, "invalid_query",
                "`wait` waits for what is still to come, `diff_from` asks for what was; give one of them");
  }
  const auto from = TRY(parameters.time("diff_from"));
  if (!from) {
    return fail(ErrorKind::invalid, "invalid_query", "`diff_to` needs `diff_from`, the time to compare with");
  }
  DifferencesRequest list;
  list.path = request.path;
  list.prefix = TRY(parameters.prefix());
  if (const std::string* after = parameters.find("after")) list.after = TRY(key_from_token(*after));
  list.limit = TRY(parameters.number("limit", 1, differences_a_page_max));
  list.interval = {*from, TRY(parameters.time("diff_to"))};
  return list;
}

std::string next_differences_link(const DifferencesRequest& list, const std::string& last_key) {
  std::string link = "<" + list.path + "?";
  if (!list.prefix.empty()) link += "prefix=" + percent_encode(list.prefix) + "&";
  link += "diff_from=" + percent_encode(list.interval.from.to_text()) +
          "&diff_to=" + percent_encode(list.interval.to->to_text());
  link += "&limit=" + std::to_string(*list.limit) + "&after=" + key_token(last_key) + ">; rel=\"next\"";
  return link;
}

/// Differences as a JSON array, in pieces. A piece is what one turn brings; where that is nothing, it is white space,
/// so that the connection goes on and sees whether anybody still listens.
class DifferencesBody final : public PieceSource {
 public:
  explicit DifferencesBody(std::unique_ptr<engine::Difference> difference) : difference_(std::move(difference)) {}
  explicit DifferencesBody(DifferenceRows rows) : rows_(std::move(rows)) {}

  [[nodiscard]] Result<std::string> next(const engine::Turn& turn) override {
    std::string out = std::exchange(begun_, true) ? "" : "[";
    if (place_ == rows_.size() && difference_) {
      rows_ = TRY(difference_->next(differences_at_once, turn));
      place_ = 0;
    }
    for (; place_ < rows_.size() && out.size() < piece_bytes; ++place_) {
      if (std::exchange(any_, true)) out += ',';
      append_difference(out, rows_[place_].key, rows_[place_].from, rows_[place_].to);
      rows_[place_] = {};  // its values may be large
    }
    ended_ = place_ == rows_.size() && (!difference_ || difference_->ended());
    if (ended_) out += ']';
    if (out.empty()) out += '\n';
    return out;
  }
  [[nodiscard]] bool ended() const override { return ended_; }

 private:
  std::unique_ptr<engine::Difference> difference_;  // null when the rows are all there is
  DifferenceRows rows_;
  std::size_t place_ = 0;
  bool begun_ = false;
  bool any_ = false;
  bool ended_ = false;
};

/// One page, whose `Link` must be known before its body.
struct DifferencesPage final : LongRead {
  DifferencesPage(Call the_call, DifferencesRequest the_list, std::unique_ptr<engine::Difference> the_difference)
      : LongRead(std::move(the_call), From::store),
        list(std::move(the_list)),
        difference(std::move(the_difference)),
        rows_max(*list.limit) {}

  [[nodiscard]] bool work(const engine::Turn& turn) override {
    do {
      // One row more than the page has tells that another page follows.
      auto some = difference->next(rows_max + 1 - rows.size(), turn);
      if (!some) {
        call.refuse(some.error());
        return false;
      }
      for (const engine::Difference::Row& row : *some) bytes += bytes_of(row);
      std::ranges::move(*some, std::back_inserter(rows));
      if (difference->ended() || rows.size() > rows_max) {
        send();
        return false;
      }
      if (bytes >= difference_values_bytes_max) rows_max = rows.size();
    } while (!turn.is_over());
    return true;
  }
  void send() {
    Response response;
    response.content_type = "application/json";
    response.fields = never_fresh;
    if (rows.size() > rows_max) {
      rows.pop_back();
      response.add("Link", next_differences_link(list, rows.back().key));
    }
    send_in_pieces(std::move(call), std::move(response), std::make_unique<DifferencesBody>(std::move(rows)),
                   From::memory, First::at_once);
  }

  DifferencesRequest list;
  std::unique_ptr<engine::Difference> difference;
  std::size_t rows_max;  ///< what was asked for, and fewer once they have difference_values_bytes_max
  DifferenceRows rows;
  std::size_t bytes = 0;
};

void send_differences(Call call, DifferencesRequest list) {
  auto difference =
      std::make_unique<engine::Difference>(call.past(), call.table(), list.interval, list.prefix, list.after);
  if (list.limit)
    return take_turns(std::make_shared<DifferencesPage>(std::move(call), std::move(list), std::move(difference)));
  Response response;
  response.content_type = "application/json";
  response.fields = never_fresh;
  send_in_pieces(std::move(call), std::move(response), std::make_unique<DifferencesBody>(std::move(difference)),
                 From::store);
}

void settle_list(Call call, DifferencesRequest list) {
  const engine::Interval interval = list.interval;
  settle(std::move(call), {interval.from, interval.to},
         [list = std::move(list)](Call settled) mutable { send_differences(std::move(settled), std::move(list)); });
}

}  // namespace

void append_difference(std::string& out, std::string_view key, const Record& from, const Record& to) {
  out += '{';
  json::append_member(out, "name", key);
  json::append_member(out, "change", to_string(engine::change_between(from, to)));
  append_state(out, "from", from);
  append_state(out, "to", to);
  out += '}';
}

void get_difference(const Request& request, Call call) {
  const auto parameters =
      QueryParameters::parse(request.query, {"from", "to", "from_version", "to_version", "min_position"});
  if (!parameters) return call.refuse(parameters.error());
  const auto from = end_of(*parameters, "from");
  if (!from) return call.refuse(from.error());
  const auto to = end_of(*parameters, "to");
  if (!to) return call.refuse(to.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  if (!from->time && !from->version) {
    return call.refuse(Error(ErrorKind::invalid, "invalid_query",
                             "give `from`, a time, or `from_version`, a version, to compare with"));
  }
  after_stored_position(std::move(call), *position, [from = *from, to = *to](Call ready) {
    settle(std::move(ready), {from.time, to.time}, [from, to](Call settled) {
      read_store(std::move(settled), [from, to](Call reading) { send_difference(std::move(reading), from, to); });
    });
  });
}

void list_differences(const Request& request, const QueryParameters& parameters, Call call) {
  const auto position = parameters.cursor("min_position");
  if (!position) return call.refuse(position.error());
  auto list = differences_request(request, parameters);
  if (!list) return call.refuse(list.error());
  after_stored_position(std::move(call), *position, [list = *std::move(list)](Call ready) mutable {
    if (list.interval.to) return settle_list(std::move(ready), std::move(list));
    read_store(std::move(ready), [list = std::move(list)](Call reading) mutable {
      const auto now = now_of(reading);
      if (!now) return reading.refuse(now.error());
      list.interval.to = *now;
      settle_list(std::move(reading), std::move(list));
    });
  });
}

}  // namespace annals::http
