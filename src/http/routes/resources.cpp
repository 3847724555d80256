// Records of declared fields: create, replace, patch.

#include "http/routes/resources.hpp"

#include <optional>

#include "engine/queries.hpp"
#include "engine/receipts.hpp"
#include "http/fields.hpp"
#include "http/routes/dry_run.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/writes.hpp"
#include "json/reader.hpp"
#include "model/exposure.hpp"
#include "model/resource.hpp"

namespace annals::http {
namespace {

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
  if (page.events().empty() || page.events().front().position != receipt.position) return forgotten();
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
  if (!call.the_model().owns_stream(stream)) return path_was_anothers();
  Written written;
  written.key = key_of(stream);
  written.record = TRY(engine::fold(call.past(), stream, version));
  return written;
}

/// False after having refused a body that is no JSON, of any of the types that the route takes.
std::optional<json::Object> record_of(const Request& request, Call& call, std::string_view example) {
  const bool patches = request.method == Method::patch && content_type_is(request, merge_patch_type);
  return patches ? plain_body_of(request, call) : body_of(request, call, example);
}

/// What was done once is told again, also where the declaration of now would not take it any more. Else the refusal.
void refuse_unless_done(Call call, const engine::WriteRequest& write, const Error& error,
                        const std::string& created_at) {
  if (const auto before = answered_before(call, write.idempotency); before && *before)
    return send_resource(std::move(call), *before, created_at);
  call.refuse(error);
}

void update(const Request& request, Call call, bool replaces) {
  auto write = write_request(request, call, model::Operation::update);
  if (!write) return call.refuse(write.error());
  const auto body = record_of(request, call, replaces ? "-X PUT -d '{...}'" : "-X PATCH -d '{...}'");
  if (!body) return;
  auto given = replaces ? model::read_replacement(call.the_model(), *body, call.key)
                        : model::read_patch(call.the_model(), *body, call.key);
  if (!given) return refuse_unless_done(std::move(call), *write, given.error(), {});
  write->command.given = *std::move(given);
  if (write->dry_run) leave_hidden(call.the_model(), write->command);
  write->command.given_bytes = request.body.size();
  log_operation(request, call, replaces ? "replace" : "patch");
  submit(*std::move(write), std::move(call));
}

void send_written(Call call, const engine::Receipt& receipt, const Written& written, const std::string& created_at) {
  if (receipt.position.value > 0) call.position = call.engine.store().cursor(receipt.position);
  const auto shown = model::shown_record(call.the_model(), written.record.value);
  if (!shown) return call.refuse(shown.error());
  Response response;
  response.status = created_at.empty() ? 200 : 201;
  if (!created_at.empty()) response.add("Location", created_at + "/" + percent_encode(written.key));
  response.add("ETag", call.entity_tag(written.record.version));
  if (receipt.replayed) response.add("Idempotency-Replayed", "true");
  response.content_type = "application/json";
  response.body = *shown;
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
  if (!given) return refuse_unless_done(std::move(call), *write, given.error(), std::string(request.path));
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

}  // namespace annals::http
