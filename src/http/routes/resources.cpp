// Records of declared fields: create, replace, patch, and pages of them.

#include "http/routes/resources.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "engine/queries.hpp"
#include "engine/receipts.hpp"
#include "engine/turn.hpp"
#include "http/fields.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/waiting.hpp"
#include "http/routes/writes.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"
#include "model/resource.hpp"

namespace annals::http {
namespace {

constexpr std::uint64_t limit_default = 100;
constexpr std::uint64_t limit_max = 1000;
constexpr std::size_t page_bytes_max = 1u << 20;

// --- Writes ---

/// A record as a request left it.
struct Written {
  std::string key;
  model::Record record;
};

std::unexpected<Error> forgotten() {
  return fail(ErrorKind::corrupt, "a receipt names a position where its event is not");
}

/// What the request of a replayed receipt left: that is in the store.
Result<Written> written_before(const Call& call, const engine::Receipt& receipt) {
  const EventStore& store = call.engine.store();
  if (receipt.position.value == 0) return forgotten();
  const EventPage page = TRY(store.read_all(Position{receipt.position.value - 1}, Horizon::visible, PageLimit{1, 1}));
  if (page.events().empty()) return forgotten();
  const EventView& event = page.events().front();
  std::string stream(event.stream);
  StreamVersion version = event.version;
  if (stream == engine::receipts_stream) {
    // It changed nothing, and says of what.
    const json::Object data = TRY(json::thread_reader().read_object(event.data));
    const std::string_view* of = data.text("stream");
    const json::Value* at = data.find("version");
    const auto* number = at ? std::get_if<std::int64_t>(at) : nullptr;
    if (of == nullptr || number == nullptr) return forgotten();
    stream = *of;
    version = StreamVersion{static_cast<std::uint64_t>(*number)};
  }
  if (!call.the_model().owns_stream(stream)) return forgotten();
  Written written;
  written.key = key_of(stream);
  written.record = TRY(engine::fold(store, call.the_model(), stream, version));
  return written;
}

/// False after having refused a body that is no JSON, of any of the types that the route takes.
std::optional<json::Object> record_of(const Request& request, Call& call, std::string_view example) {
  const auto type = request.field("content-type").value_or("");
  const std::string_view merge_patch = "application/merge-patch+json";
  const bool patches = request.method == Method::patch && type.size() >= merge_patch.size() &&
                       equal_ignoring_case(type.substr(0, merge_patch.size()), merge_patch);
  return patches ? plain_body_of(request, call) : body_of(request, call, example);
}

void update(const Request& request, Call call, bool replaces) {
  auto write = write_request(request, call, model::Operation::update);
  if (!write) return call.refuse(write.error());
  const auto body = record_of(request, call, "-X PUT -d '{...}'");
  if (!body) return;
  auto given = replaces ? model::read_replacement(call.the_model(), *body, call.key)
                        : model::read_patch(call.the_model(), *body, call.key);
  if (!given) return call.refuse(given.error());
  write->command.given = *std::move(given);
  write->command.given_bytes = request.body.size();
  log_operation(request, call, replaces ? "replace" : "patch");
  submit(*std::move(write), std::move(call));
}

// --- Pages ---

struct PageRequest {
  std::optional<std::string> after;
  std::size_t limit = limit_default;
  std::optional<Instant> at;
  bool count = false;
};

using Rows = std::vector<projection::ReadTable::Row>;

/// The page of the first `shown` rows; when there are more, another one follows.
std::string page_of(const Rows& rows, std::size_t shown, std::optional<std::size_t> total) {
  std::size_t bytes = 0;
  for (std::size_t place = 0; place < shown; ++place) bytes += rows[place].record.value->size() + 1;
  std::string body = "{\"data\":[";
  body.reserve(bytes + 128);
  for (std::size_t place = 0; place < shown; ++place) {
    if (place > 0) body += ',';
    body += *rows[place].record.value;
  }
  body += "],\"next\":";
  if (shown < rows.size()) {
    json::append_string(body, key_token(rows[shown - 1].key));
  } else {
    body += "null";
  }
  if (total) json::append_member(body, "total", static_cast<std::uint64_t>(*total));
  body += '}';
  return body;
}

void send_page(Call call, std::string body) {
  Response response;
  response.content_type = "application/json";
  response.fields += "Cache-Control: no-cache\r\n";
  response.body = std::move(body);
  call.send(std::move(response));
}

/// A page of the past on its way.
struct PastPage final : LongRead {
  PastPage(Call the_call, std::size_t limit, engine::ListAtTime the_list)
      : LongRead(std::move(the_call), From::store), list(std::move(the_list)), rows_max(limit) {}

  [[nodiscard]] bool work(const engine::Turn& turn) override {
    // One row more than the page shows tells that another page follows.
    while (rows.size() <= rows_max && !list.ended()) {
      const std::size_t bytes_left = bytes < page_bytes_max ? page_bytes_max - bytes : 1;
      auto some = list.next(rows_max + 1 - rows.size(), bytes_left, turn);
      if (!some) {
        call.refuse(some.error());
        return false;
      }
      for (auto& row : *some) {
        bytes += row.record.value->size();
        rows.push_back(std::move(row));
      }
      if (bytes >= page_bytes_max) rows_max = std::min(rows_max, rows.size());
      if (turn.is_over()) return true;
    }
    std::string body = page_of(rows, std::min(rows.size(), rows_max), std::nullopt);
    send_page(std::move(call), std::move(body));
    return false;
  }

  engine::ListAtTime list;
  std::size_t rows_max;  ///< what was asked for, and fewer once they have page_bytes_max
  Rows rows;
  std::size_t bytes = 0;
};

Result<bool> flag_of(const QueryParameters& parameters, std::string_view name) {
  const std::string* text = parameters.find(name);
  if (text == nullptr || *text == "false") return false;
  if (*text == "true") return true;
  return fail(ErrorKind::invalid, "invalid_query", std::string(name) + " is true or false");
}

Result<PageRequest> page_request(const QueryParameters& parameters) {
  PageRequest page;
  if (const std::string* after = parameters.find("after")) page.after = TRY(key_from_token(*after));
  page.limit = static_cast<std::size_t>(TRY(parameters.number("limit", 1, limit_max)).value_or(limit_default));
  page.at = TRY(parameters.time("at"));
  page.count = TRY(flag_of(parameters, "count"));
  if (page.count && page.at)
    return fail(ErrorKind::invalid, "invalid_query", "count counts the records of now; leave it out with at");
  return page;
}

void answer_page(Call call, PageRequest page) {
  if (!page.at) {
    const projection::ReadTable& table = call.table();
    Rows rows = table.list("", page.after, page.limit + 1);
    const auto total = page.count ? std::optional(table.existing()) : std::nullopt;
    std::size_t shown = 0;
    for (std::size_t bytes = 0; shown < std::min(rows.size(), page.limit) && bytes < page_bytes_max; ++shown)
      bytes += rows[shown].record.value->size();
    return send_page(std::move(call), page_of(rows, shown, total));
  }
  engine::Engine& engine = call.engine;
  platform::Executor& home = *call.home;
  const Instant time = *page.at;
  engine.settle(time, home, [call = std::move(call), page = std::move(page), time]() mutable {
    engine::ListAtTime list(call.engine.store(), call.the_model(), call.table(), time, "", page.after);
    take_turns(std::make_shared<PastPage>(std::move(call), page.limit, std::move(list)));
  });
}

void send_written(Call call, const engine::Receipt& receipt, const Written& written, const std::string& created_at) {
  if (receipt.position.value > 0) call.position = call.engine.store().cursor(receipt.position);
  Response response;
  response.status = created_at.empty() ? 200 : 201;
  if (!created_at.empty()) response.add("Location", created_at + "/" + percent_encode(written.key));
  response.add("ETag", "\"" + to_string(written.record.version) + "\"");
  if (receipt.replayed) response.add("Idempotency-Replayed", "true");
  response.content_type = "application/json";
  response.body = written.record.value;
  call.send(std::move(response));
}

}  // namespace

void send_resource(Call call, const Result<engine::Receipt>& receipt, const std::string& created_at) {
  call.position = call.position_of_table();
  if (!receipt) return call.refuse(receipt.error());
  if (receipt->value) {
    const Written written{call.key, {receipt->version, receipt->value, {}}};
    return send_written(std::move(call), *receipt, written, created_at);
  }
  read_store(std::move(call), [receipt = *receipt, created_at](Call reading) {
    const auto before = written_before(reading, receipt);
    if (!before) return reading.refuse(before.error());
    send_written(std::move(reading), receipt, *before, created_at);
  });
}

void create_resource(const Request& request, Call call) {
  auto write = write_request(request, call, model::Operation::create);
  if (!write) return call.refuse(write.error());
  const auto body = record_of(request, call, "-d '{...}'");
  if (!body) return;
  const platform::Platform& platform = call.engine.platform();
  const Instant now = platform.clock.now();
  const model::Fresh fresh{now, [&] { return platform::make_uuid(now, platform.random); }};
  auto given = model::read_new_record(call.the_model(), *body, fresh);
  if (!given) return call.refuse(given.error());
  call.key = model::key_of_new(call.the_model(), *given);
  write->command.key = call.key;
  write->command.given = *std::move(given);
  write->command.given_bytes = request.body.size();
  log_operation(request, call, "create");
  submit(*std::move(write), std::move(call), std::string(request.path));
}

void replace_resource(const Request& request, Call call) {
  update(request, std::move(call), true);
}

void patch_resource(const Request& request, Call call) {
  update(request, std::move(call), false);
}

void list_resources(const Request& request, Call call) {
  const auto parameters = QueryParameters::parse(request.query, {"limit", "after", "at", "count", "min_position"});
  if (!parameters) return call.refuse(parameters.error());
  auto page = page_request(*parameters);
  if (!page) return call.refuse(page.error());
  const auto position = parameters->cursor("min_position");
  if (!position) return call.refuse(position.error());
  if (page->at && call.refuse_behind_store()) return;
  after_position(std::move(call), *position, [page = *std::move(page)](Call ready) mutable {
    ready.position = ready.position_of_table();
    answer_page(std::move(ready), std::move(page));
  });
}

}  // namespace annals::http
