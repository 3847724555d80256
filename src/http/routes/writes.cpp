// Changing records: set, delete, roll back.

#include "http/routes/writes.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "engine/prefix_rollback.hpp"
#include "http/fields.hpp"
#include "http/routes/call.hpp"
#include "http/routes/dry_run.hpp"
#include "http/routes/past_reading.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/resources.hpp"
#include "json/plain_text.hpp"
#include "json/pointer.hpp"
#include "json/reader.hpp"
#include "model/secret_cipher.hpp"

namespace annals::http {
namespace {

constexpr std::size_t idempotency_key_bytes_max = 255;

/// `example`: a command whose body the route would take.
Error unsupported(const Request& request, std::string_view example) {
  const std::string found(request.field("content-type").value_or("").substr(0, 80));
  const std::string taken = request.method == Method::patch ? std::string(merge_patch_type) + " or " : "";
  return Error(ErrorKind::unsupported, "unsupported_media_type",
               "the Content-Type is \"" + found + "\"; this takes " + taken +
                   "application/json; send that, as in: curl -H 'Content-Type: application/json' " +
                   std::string(example));
}

void send_receipt(Call& call, const Result<engine::Receipt>& receipt) {
  if (!receipt) {
    // A refusal may rest on state that is newer than what the call saw when it came in.
    call.position = call.position_of_table();
    return call.refuse(receipt.error());
  }
  call.position = call.engine.store().cursor(receipt->position);
  Response response;
  if (call.the_model().profile == model::Profile::kv) {
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::string("OK");
  } else {
    response.status = 204;
  }
  response.add("ETag", call.entity_tag(receipt->version));
  if (receipt->replayed) response.add("Idempotency-Replayed", "true");
  call.send(std::move(response));
}

/// Errors: too_large.
Result<SharedText> value_within_limit(const model::Model& model, std::string_view value) {
  if (value.size() <= model.value_bytes_max) return SharedText(value);
  return fail(
      ErrorKind::too_large, "value_too_large",
      "the value has " + std::to_string(value.size()) + " bytes; the most is " + std::to_string(model.value_bytes_max));
}

/// The value of a body in the very form that most clients send, `{"value":"..."}` without a blank, when nothing in it
/// is escaped or beyond ASCII: it can be seen at a glance and needs no parser. nullopt of any other body.
std::optional<std::string_view> plain_value_of(std::string_view body) {
  constexpr std::string_view beginning = R"({"value":")";
  constexpr std::string_view end = R"("})";
  if (body.size() < beginning.size() + end.size() || !body.starts_with(beginning) || !body.ends_with(end))
    return std::nullopt;
  const std::string_view value = body.substr(beginning.size(), body.size() - beginning.size() - end.size());
  return json::is_plain(value) ? std::optional(value) : std::nullopt;
}

/// What a PUT sets; nullopt when the call was refused.
std::optional<SharedText> value_to_set(const Request& request, Call& call) {
  if (!body_is_json(request, call, "-X PUT -d '{\"value\":\"...\"}'")) return std::nullopt;
  Result<SharedText> value;
  if (const auto plain = plain_value_of(request.body)) {
    value = value_within_limit(call.the_model(), *plain);
  } else {
    const auto body = plain_body_of(request, call);
    if (!body) return std::nullopt;
    value = kv_value_of(call.the_model(), *body);
  }
  if (value) return *std::move(value);
  call.refuse(value.error());
  return std::nullopt;
}

/// Where a rollback goes back to.
struct RollbackTarget {
  std::optional<StreamVersion> version;
  std::optional<Instant> at;
};

std::optional<RollbackTarget> rollback_target_of(const json::Object& body, Call& call) {
  Faults faults;
  RollbackTarget target;
  const json::Value* version = body.find("version");
  const json::Value* at = body.find("at");
  if ((version == nullptr) == (at == nullptr)) {
    faults.add({"", "one_of", "exactly one of \"version\" and \"at\" is expected"});
  } else if (version) {
    const auto* number = std::get_if<std::int64_t>(version);
    // A whole number beyond the 64 bits comes as a double, as does what is no whole number.
    const auto* large = std::get_if<double>(version);
    const bool is_large = std::holds_alternative<std::uint64_t>(*version) ||
                          (large != nullptr && std::abs(*large) >= 9223372036854775808.0);
    if ((number != nullptr && *number < 1) || is_large) {
      faults.add({"/version", "out_of_range", "\"version\" is from 1 to 9223372036854775807"});
    } else if (number == nullptr) {
      faults.add({"/version", "wrong_type",
                  "\"version\" is " + std::string(json::kind_of(*version)) +
                      "; a whole number from 1 to 9223372036854775807 is expected"});
    } else {
      target.version = StreamVersion{static_cast<std::uint64_t>(*number)};
    }
  } else if (const auto* text = std::get_if<std::string_view>(at)) {
    const auto time = parse_time(*text);
    if (time) {
      target.at = *time;
    } else {
      faults.add({"/at", time.error().code, time.error().message});
    }
  } else {
    faults.add({"/at", "wrong_type", "a string is expected"});
  }
  add_unknown(faults, body, {"version", "at"});
  if (faults.empty()) return target;
  call.refuse(invalid_body("{\"version\": n} or {\"at\": \"time\"}", std::move(faults)));
  return std::nullopt;
}

/// What a rollback brings back. Errors: not_found, when nothing was there; too_large, as for a PUT of it; those of
/// `record`.
Result<SharedText> value_to_bring_back(const Call& call, const Result<model::Record>& record) {
  if (!record) return std::unexpected(record.error());
  if (!record->exists())
    return fail(ErrorKind::not_found, "not_found", "\"" + call.key + "\" had no value then; nothing was recorded");
  if (call.the_model().profile == model::Profile::kv)
    return engine::value_of_then(call.the_model(), call.key, record->value);
  return record->value;
}

void set_as_it_was(engine::WriteRequest write, Call call, const Result<model::Record>& record) {
  auto value = value_to_bring_back(call, record);
  if (value) {
    write.command.value = *std::move(value);
  } else {
    // What was recorded under the key meanwhile comes first.
    const ErrorKind kind = value.error().kind;
    const bool is_final = kind != ErrorKind::not_found && kind != ErrorKind::too_large;
    if (is_final || !write.idempotency) return call.refuse(value.error());
    write.plan = refusal(std::move(value).error());
  }
  if (call.the_model().profile == model::Profile::resource) write.command.operation = model::Operation::restore;
  submit(std::move(write), std::move(call));
}

}  // namespace

Result<model::Precondition> precondition_of(const Request& request) {
  using Rule = model::Precondition::Rule;
  const auto match = TRY(entity_tags(request, "if-match"));
  const auto none_match = TRY(entity_tags(request, "if-none-match"));
  if (match && none_match) {
    return fail(ErrorKind::invalid, "invalid_precondition", "give If-Match or If-None-Match, not both");
  }
  if (none_match && !none_match->any) {
    return fail(ErrorKind::invalid, "invalid_precondition",
                "on a write, If-None-Match can only be *, which creates and never replaces");
  }
  model::Precondition precondition;
  if (none_match) precondition.rule = Rule::does_not_exist;
  if (!match) return precondition;
  precondition.rule = match->any ? Rule::exists : Rule::version_is_one_of;
  for (const EntityTag& tag : match->tags) {
    // A tag that was never given out matches nothing; leaving it out has that effect.
    const auto version = version_of_tag(tag.opaque);
    if (version && !tag.weak) precondition.versions.push_back(*version);
  }
  return precondition;
}

Result<bool> dry_run_of(const QueryParameters& parameters) {
  const std::string* text = parameters.find("dry_run");
  if (text == nullptr || *text == "false" || *text == "true") return text != nullptr && *text == "true";
  return fail(ErrorKind::invalid, "invalid_dry_run", "dry_run is true or false");
}

Result<SharedText> kv_value_of(const model::Model& model, const json::Object& body, Faults::Limits limits) {
  Faults faults(limits);
  const json::Value* value = body.find("value");
  const auto* text = value ? std::get_if<std::string_view>(value) : nullptr;
  if (value == nullptr) {
    faults.add({"/value", "required", "the member \"value\" is missing"});
  } else if (text == nullptr) {
    faults.add(
        {"/value", "wrong_type", "\"value\" is " + std::string(json::kind_of(*value)) + "; a string is expected"});
  }
  add_unknown(faults, body, {"value"});
  if (!faults.empty()) return std::unexpected(invalid_body("{\"value\":\"...\"}", std::move(faults)));
  return value_within_limit(model, *text);
}

Result<engine::WriteRequest> write_request(const Request& request, const Call& call, model::Operation operation) {
  const QueryParameters parameters = TRY(QueryParameters::parse(request.query, {"dry_run"}));
  engine::WriteRequest write;
  write.dry_run = TRY(dry_run_of(parameters));
  write.model = call.model;
  write.command.operation = operation;
  write.command.key = call.key;
  write.command.precondition = TRY(precondition_of(request));
  write.idempotency = TRY(idempotency_of(request, call.the_model().cipher.get()));
  // What records nothing can be asked again.
  if (write.dry_run) write.idempotency = std::nullopt;
  write.actor = anonymous;
  write.correlation_id = request.correlation_id;
  write.alone = request.alone;
  return write;
}

void submit(engine::WriteRequest&& write, Call&& call, std::string created_at) {
  engine::Writer& writer = call.engine.writer();
  platform::Executor& home = *call.home;
  const bool shows_record =
      call.the_model().profile == model::Profile::resource && write.command.operation != model::Operation::remove;
  auto done = [call = std::move(call), shows_record, dry_run = write.dry_run,
               created_at = std::move(created_at)](const Result<engine::Receipt>& receipt) mutable {
    call.promise(receipt);
    if (dry_run) return send_dry_run(std::move(call), receipt);
    if (shows_record) return send_resource(std::move(call), receipt, created_at);
    send_receipt(call, receipt);
  };
  writer.submit(std::move(write), home, std::move(done));
}

Result<std::optional<engine::Idempotency>> idempotency_of(const Request& request, const model::SecretCipher* cipher) {
  const auto key = request.field("idempotency-key");
  if (!key) return std::nullopt;
  const auto keys = std::ranges::count_if(
      request.fields, [](const Field& field) { return equal_ignoring_case(field.name, "idempotency-key"); });
  bool good = keys == 1 && !key->empty() && key->size() <= idempotency_key_bytes_max;
  for (char character : *key) good = good && character >= ' ' && character <= '~';
  if (!good) {
    return fail(ErrorKind::invalid, "invalid_idempotency_key",
                "there is one Idempotency-Key, of 1 to " + std::to_string(idempotency_key_bytes_max) +
                    " printable ASCII characters");
  }
  const auto digest_with = [&](std::string_view body) {
    return engine::digest_of({request.method_text, request.path, body});
  };
  engine::Idempotency idempotency{engine::digest_of({anonymous, *key}), digest_with(request.body)};
  if (cipher) {
    idempotency.unkeyed = idempotency.request;
    idempotency.request = digest_with(cipher->digest(request.body));
  }
  return idempotency;
}

std::optional<Result<engine::Receipt>> answered_before(const Call& call,
                                                       const std::optional<engine::Idempotency>& idempotency) {
  if (!idempotency) return std::nullopt;
  auto before = call.engine.writer().recorded_before(*idempotency);
  if (!before) return std::unexpected(std::move(before).error());
  if (!*before) return std::nullopt;
  return **before;
}

std::unexpected<Error> path_was_anothers() {
  return fail(ErrorKind::unprocessable, "idempotency_key_reused",
              "this Idempotency-Key came with a request before that was about another model, which had this path then; "
              "take a new key for a new request");
}

std::function<Result<engine::Plan>()> refusal(Error error) {
  return [error = std::move(error)]() -> Result<engine::Plan> { return std::unexpected(error); };
}

void log_operation(const Request& request, const Call& call, std::string_view operation) {
  const platform::Platform& platform = call.engine.platform();
  if (!platform.log.enabled(LogLevel::debug)) return;
  const auto microseconds = platform.clock.now().microseconds - request.received_at.microseconds;
  write_log(platform.log, LogLevel::debug, "Processing a write", request.trace, request.request_id,
            {{"model", call.the_model().name},
             {"operation", operation},
             {"user_id", anonymous},
             {"request_size", static_cast<std::uint64_t>(request.body.size())},
             {"validation_time_ms", static_cast<double>(microseconds) / 1000.0}});
}

void add_unknown(Faults& faults, const json::Object& body, std::initializer_list<std::string_view> known) {
  for (const json::Member& member : body.members) {
    if (faults.more()) return;
    if (std::find(known.begin(), known.end(), member.name) != known.end()) continue;
    faults.add({json::pointer_to(member.name), "unknown_member", "this member is not known here"});
  }
}

Error invalid_body(const std::string& form, Faults faults) {
  std::string message = "the body is not of the form " + form + faults.more_told();
  return {ErrorKind::unprocessable, "invalid_body", std::move(message), faults.take()};
}

bool body_is_plain(const Request& request, Call& call) {
  if (const auto coding = request.field("content-encoding"); coding && !equal_ignoring_case(*coding, "identity")) {
    call.refuse(Error(ErrorKind::unsupported, "unsupported_content_encoding",
                      "the body has a Content-Encoding; send it as it is"));
    return false;
  }
  // To take the part for the whole would lose the rest (RFC 9110 section 14.5).
  if (request.method == Method::put && request.field("content-range")) {
    call.refuse(Error(ErrorKind::invalid, "partial_put", "the body is a part (Content-Range); send all of it"));
    return false;
  }
  return true;
}

bool body_is_json(const Request& request, Call& call, std::string_view example) {
  if (!body_is_plain(request, call)) return false;
  if (content_type_is_json(request)) return !request.body_is_to_come;
  call.refuse(unsupported(request, example));
  return false;
}

std::optional<json::Object> body_of(const Request& request, Call& call, std::string_view example) {
  if (!body_is_json(request, call, example)) return std::nullopt;
  return plain_body_of(request, call);
}

std::optional<json::Object> plain_body_of(const Request& request, Call& call) {
  if (!body_is_plain(request, call) || request.body_is_to_come) return std::nullopt;
  auto body = json::thread_reader().read_object(request.body);
  if (body) return std::move(*body);
  if (body.error().code == "not_an_object") {
    call.refuse(Error(ErrorKind::unprocessable, "not_an_object", "the body is JSON, but not an object",
                      {{"", "not_an_object", "an object is expected"}}));
  } else {
    call.refuse(body.error());
  }
  return std::nullopt;
}

void put_record(const Request& request, Call call) {
  auto write = write_request(request, call, model::Operation::set);
  if (!write) return call.refuse(write.error());
  auto value = value_to_set(request, call);
  if (!value) return;
  write->command.value = *std::move(value);
  log_operation(request, call, "set");
  submit(std::move(*write), std::move(call));
}

void delete_record(const Request& request, Call call) {
  auto write = write_request(request, call, model::Operation::remove);
  if (!write) return call.refuse(write.error());
  log_operation(request, call, "delete");
  submit(std::move(*write), std::move(call));
}

void roll_back_record(const Request& request, Call call) {
  auto write = write_request(request, call, model::Operation::set);
  if (!write) return call.refuse(write.error());
  const auto body = body_of(request, call, "-d '{\"version\":1}'");
  if (!body) return;
  const auto target = rollback_target_of(*body, call);
  if (!target) return;
  log_operation(request, call, "rollback");
  if (const auto before = answered_before(call, write->idempotency)) {
    if (call.the_model().profile == model::Profile::resource) return send_resource(std::move(call), *before, {});
    return send_receipt(call, *before);
  }
  const engine::When when = target->version ? engine::When(*target->version) : engine::When(*target->at);
  read_past(std::move(call), when,
            [write = std::move(*write)](Call reading, const Result<model::Record>& record) mutable {
              set_as_it_was(std::move(write), std::move(reading), record);
            });
}

}  // namespace annals::http
