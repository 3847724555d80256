// Several operations on records, of whichever models, all or nothing: `POST /batch`.

#include <algorithm>
#include <memory>
#include <optional>

#include "engine/event_metadata.hpp"
#include "engine/queries.hpp"
#include "engine/receipts.hpp"
#include "http/fields.hpp"
#include "http/routes/call.hpp"
#include "http/routes/dry_run.hpp"
#include "http/routes/paths.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/writes.hpp"
#include "json/pointer.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"
#include "model/methods.hpp"
#include "model/resource.hpp"

namespace annals::http {
namespace {

constexpr std::size_t operations_max = 1000;

/// What a reply needs to know of an operation.
struct Operation {
  Method method = Method::other;
  std::size_t model = 0;
  std::string key;
  std::string path;           ///< of a POST: as the client wrote it
  bool key_was_made = false;  ///< see engine::KeyCommand
};

std::string pointer_of(std::size_t place) {
  return "/" + std::to_string(place);
}

/// One that an operation may have; else Method::other.
Method method_named(std::string_view text) {
  for (const Method method : {Method::post, Method::put, Method::patch, Method::delete_}) {
    if (text == to_string(method)) return method;
  }
  return Method::other;
}

/// Reads the operations of a body; collects what is wrong with them, each fault with its pointer.
class BatchReader {
 public:
  /// `overflowed`: as json::Reader::overflowed, of the whole.
  BatchReader(const engine::Engine& engine, bool overflowed) : engine_(engine), overflowed_(overflowed) {}

  void read(const std::vector<json::Value>& elements) {
    for (place_ = 0; place_ < elements.size() && !faults_.more(); ++place_) {
      const auto* nested = std::get_if<json::Nested>(&elements[place_]);
      if (nested == nullptr || nested->is_array) {
        fault("", "wrong_type",
              "an operation is an object such as {\"method\":\"PUT\",\"path\":\"/config/color\","
              "\"body\":{\"value\":\"red\"}}, not " +
                  std::string(json::kind_of(elements[place_])));
        continue;
      }
      const auto operation = reader_.read_object(nested->text);
      if (!operation) {
        fault("", operation.error());
        continue;
      }
      read_operation(*operation);
    }
  }

  [[nodiscard]] Faults& faults() { return faults_; }
  [[nodiscard]] std::vector<Operation>& operations() { return operations_; }
  [[nodiscard]] std::vector<engine::KeyCommand>& commands() { return commands_; }

 private:
  void fault(std::string_view rest, std::string_view code, std::string detail) {
    faults_.add({pointer_of(place_) + std::string(rest), std::string(code), std::move(detail)});
  }
  void fault(std::string_view rest, const Error& error) { faults_.add(pointer_of(place_) + std::string(rest), error); }

  void read_operation(const json::Object& members) {
    const std::size_t faults_before = faults_.size();
    Operation operation;
    engine::KeyCommand command;
    for (const json::Member& member : members.members) {
      if (faults_.more()) return;
      if (member.name == "method" || member.name == "path" || member.name == "body" || member.name == "if_match")
        continue;
      fault(json::pointer_to(member.name), "unknown_member",
            "an operation has the members method, path, body and if_match");
    }
    read_method(members, operation);
    read_if_match(members, command);
    const std::string_view* path = text_of(members, "path");
    if (path && operation.method != Method::other && read_path(*path, operation)) {
      command.model = operation.model;
      command.command.key = operation.key;
      read_body(members.find("body"), operation, command);
    }
    if (faults_.size() > faults_before || faults_.more()) return;
    operations_.push_back(std::move(operation));
    commands_.push_back(std::move(command));
  }

  const std::string_view* text_of(const json::Object& members, std::string_view name) {
    const json::Value* value = members.find(name);
    const auto* text = value ? std::get_if<std::string_view>(value) : nullptr;
    const std::string pointer = "/" + std::string(name);
    if (value == nullptr) {
      fault(pointer, "required", "the member \"" + std::string(name) + "\" is missing");
    } else if (text == nullptr) {
      fault(pointer, "wrong_type", "a string is expected, not " + std::string(json::kind_of(*value)));
    }
    return text;
  }

  void read_method(const json::Object& members, Operation& operation) {
    const std::string_view* text = text_of(members, "method");
    if (text == nullptr) return;
    operation.method = method_named(*text);
    if (operation.method == Method::other)
      fault("/method", "unknown_method", "the method is POST, PUT, PATCH or DELETE");
  }

  void read_if_match(const json::Object& members, engine::KeyCommand& command) {
    const json::Value* value = members.find("if_match");
    if (value == nullptr) return;
    if (const auto* version = std::get_if<std::int64_t>(value); version && *version >= 0) {
      if (*version == 0) {  // the version of what is not there
        command.command.precondition.rule = model::Precondition::Rule::does_not_exist;
        return;
      }
      command.command.precondition = {model::Precondition::Rule::version_is_one_of,
                                      {StreamVersion{static_cast<std::uint64_t>(*version)}}};
      return;
    }
    const auto* text = std::get_if<std::string_view>(value);
    if (text == nullptr) return fault("/if_match", "wrong_type", "a version, or what If-Match would say, is expected");
    Request asks;
    asks.fields.push_back({"If-Match", *text});
    auto precondition = precondition_of(asks);
    if (!precondition) return fault("/if_match", precondition.error());
    command.command.precondition = *std::move(precondition);
  }

  /// Whether the path and the method go together; it says so otherwise.
  bool read_path(std::string_view path, Operation& operation) {
    std::string storage;
    const auto found =
        path.find('?') == std::string_view::npos ? model_of(engine_, plain_path(path, storage)) : std::nullopt;
    const bool creates = found && found->rest.empty();
    if (!found || found->rest.find('/', 1) != std::string_view::npos) {
      fault("/path", "not_in_a_batch",
            "a path in a batch is that of a record, or of a model to create one, without a query");
      return false;
    }
    operation.model = found->model;
    const model::Model& model = engine_.model(found->model);
    const bool is_kv = model.profile == model::Profile::kv;
    const bool fits = creates ? operation.method == Method::post && !is_kv
                              : operation.method == Method::put || operation.method == Method::delete_ ||
                                    (operation.method == Method::patch && !is_kv);
    if (!fits) {
      fault("/method", "method_not_allowed",
            creates ? (is_kv ? "a value is set at its own path, with PUT" : "at the path of a model there is POST only")
                    : (is_kv ? "a value knows PUT and DELETE" : "a record knows PUT, PATCH and DELETE"));
      return false;
    }
    if (!model::serves(model, to_string(operation.method))) {
      fault("/method", "method_not_allowed", model.name + " is served with " + model::served_methods(model) + " only");
      return false;
    }
    if (creates) {
      operation.path = path;
      return true;
    }
    auto decoded = percent_decode(found->rest.substr(1));
    if (!decoded) {
      fault("/path", "invalid_path", "the path has a broken percent-escape");
      return false;
    }
    auto key = key_in_path(model, *std::move(decoded));
    if (!key) {
      fault("/path", key.error());
      return false;
    }
    operation.key = *std::move(key);
    return true;
  }

  void read_body(const json::Value* value, Operation& operation, engine::KeyCommand& command) {
    const bool none = value == nullptr || std::holds_alternative<json::Null>(*value);
    if (operation.method == Method::delete_) {
      command.command.operation = model::Operation::remove;
      if (!none) fault("/body", "unknown_member", "a DELETE has no body");
      return;
    }
    const auto* nested = none ? nullptr : std::get_if<json::Nested>(value);
    if (nested == nullptr || nested->is_array) {
      return fault("/body", none ? "required" : "wrong_type",
                   "an object is expected, as in the body of a request of its own");
    }
    auto body = body_reader_.read_object(nested->text);
    if (!body) return fault("/body", body.error());
    body->overflowed = overflowed_;  // in the text that is left it cannot be seen
    const model::Model& model = engine_.model(operation.model);
    if (model.profile == model::Profile::kv) {
      auto text = kv_value_of(model, *body, limits_of_body());
      if (!text) return fault("/body", text.error());
      command.command.value = *std::move(text);
      return;
    }
    auto given = given_by(model, *body, operation);
    if (!given) return take_faults(given.error());
    const bool creates = operation.method == Method::post;
    command.command.operation = creates ? model::Operation::create : model::Operation::update;
    if (creates) {
      operation.key = model::key_of_new(model, *given);
      operation.key_was_made = body->find(model.fields[model.primary_key].name) == nullptr;
      command.command.key = operation.key;
      command.key_was_made = operation.key_was_made;
    }
    command.command.given = *std::move(given);
    command.command.given_bytes = nested->text.size();
  }

  /// One fault more than is left to be told, so that it is known when there are more.
  [[nodiscard]] Faults::Limits limits_of_body() const {
    Faults::Limits limits = faults_.left();
    ++limits.faults;
    return limits;
  }

  void take_faults(const Error& error) {
    faults_.near_names_taken(
        static_cast<std::size_t>(std::ranges::count(error.faults, "unknown_member", &Fault::code)));
    fault("/body", error);
  }

  Result<std::vector<model::GivenField>> given_by(const model::Model& model, const json::Object& body,
                                                  const Operation& operation) const {
    const Faults::Limits limits = limits_of_body();
    if (operation.method == Method::put) return model::read_replacement(model, body, operation.key, limits);
    if (operation.method == Method::patch) return model::read_patch(model, body, operation.key, limits);
    const platform::Platform& platform = engine_.platform();
    const Instant now = platform.clock.now();
    return model::read_new_record(model, body, {now, [&] { return platform::make_uuid(now, platform.random); }},
                                  limits);
  }

  const engine::Engine& engine_;
  const bool overflowed_;
  json::Reader reader_;
  json::Reader body_reader_;
  std::size_t place_ = 0;
  std::vector<Operation> operations_;
  std::vector<engine::KeyCommand> commands_;
  Faults faults_;
};

/// The key that the body of a POST gives, as records have it, under the name that the field has or had; empty when it
/// gives none that a record can have. `is_given`: whether the body says anything of it.
std::string key_in_body(const model::Model& model, const json::Value* body, bool& is_given) {
  const auto* nested = body ? std::get_if<json::Nested>(body) : nullptr;
  json::Reader reader;
  const auto members = nested ? reader.read_object(nested->text) : json::Object{};
  if (!members) return "";
  const model::Field& field = model.fields[model.primary_key];
  const json::Value* value = members->find(field.name);
  for (const std::string& former : field.renamed_from) {
    if (value == nullptr) value = members->find(former);
  }
  is_given = value != nullptr;
  if (!is_given) return "";
  std::string key;
  if (const auto* text = std::get_if<std::string_view>(value)) {
    key = *text;
  } else {
    json::append_value(key, *value);
  }
  return model::canonical_key(model, key).value_or("");
}

/// The operations of a batch that was done, for its reply alone: without a look at what the declaration of now takes.
/// nullopt when it does not know their records.
std::optional<std::vector<Operation>> operations_done(const engine::Engine& engine,
                                                      const std::vector<json::Value>& elements) {
  std::vector<Operation> operations;
  json::Reader reader;
  for (const json::Value& element : elements) {
    const auto* nested = std::get_if<json::Nested>(&element);
    const auto members = nested ? reader.read_object(nested->text) : json::Object{};
    const std::string_view* method = members ? members->text("method") : nullptr;
    const std::string_view* path = members ? members->text("path") : nullptr;
    std::string storage;
    const auto found = method && path ? model_of(engine, plain_path(*path, storage)) : std::nullopt;
    if (!found) return std::nullopt;
    Operation& operation = operations.emplace_back();
    operation.method = method_named(*method);
    operation.model = found->model;
    const model::Model& model = engine.model(found->model);
    if (found->rest.empty()) {
      if (operation.method != Method::post || model.profile == model::Profile::kv) return std::nullopt;
      bool is_given = false;
      operation.key = key_in_body(model, members->find("body"), is_given);
      operation.key_was_made = !is_given;
      operation.path = *path;
      if (is_given && operation.key.empty()) return std::nullopt;
      continue;
    }
    auto decoded = percent_decode(found->rest.substr(1));
    auto key = decoded ? key_in_path(model, *std::move(decoded)) : Result<std::string>("");
    if (!key || key->empty() || operation.method == Method::other) return std::nullopt;
    operation.key = *std::move(key);
  }
  return operations;
}

/// What the client is told when the state refuses one operation.
Error refusal_of(std::size_t place, Error error) {
  const std::string operation = pointer_of(place);
  if (error.faults.empty()) {
    const bool about_version = error.kind == ErrorKind::precondition_failed;
    error.faults.push_back({operation + (about_version ? "/if_match" : ""), error.code, error.message});
  } else {
    // A deletion has no body: its path names the record that is referred to.
    const bool about_path = error.code == "referenced" || error.code == "invalid_referrer";
    for (Fault& fault : error.faults)
      fault.pointer = operation + (about_path ? "/path" : fault.pointer.empty() ? "" : "/body" + fault.pointer);
  }
  error.message = "operation " + operation + ": " + error.message;
  return error;
}

// --- Replies ---

/// Whether the first event that a batch recorded is of a record that one of these operations is about, as it is when
/// their paths are of the models that they were of: what goes along with a deletion is recorded behind it.
bool begins_with_one_of(const EventView& first, const engine::Engine& engine,
                        const std::vector<Operation>& operations) {
  if (first.stream == engine::receipts_stream) return true;
  return std::ranges::any_of(operations, [&](const Operation& one) {
    return engine.model(one.model).owns_stream(first.stream) && key_of(first.stream) == one.key;
  });
}

/// Whether the record of this key came to that version before, or by, what was recorded at the position.
Result<bool> was_there(const EventStore& store, const model::Model& model, std::string_view key, StreamVersion version,
                       Position by) {
  const EventPage page = TRY(store.read_stream(model.stream(key), version, Direction::forward, PageLimit{1}));
  return !page.events().empty() && page.events().front().version == version && page.events().front().position <= by;
}

std::unexpected<Error> records_were_others() {
  return fail(ErrorKind::unprocessable, "idempotency_key_reused",
              "this Idempotency-Key came with a batch before, whose records are not the ones that this one is about as "
              "their models are declared now; take a new key for a new request");
}

/// The key that an operation's record had when a batch was done that left it at this version: what was a UUID, which is
/// the same in capitals, may be a text by now. Errors: unprocessable, when there was no such record; those of reading.
Result<std::string> key_then(const EventStore& store, const model::Model& model, const std::string& key,
                             StreamVersion version, Position done_at) {
  if (TRY(was_there(store, model, key, version, done_at))) return key;
  const auto uuid = Uuid::from_text(key);
  if (uuid && TRY(was_there(store, model, uuid->to_text(), version, done_at))) return uuid->to_text();
  return records_were_others();
}

/// What the operations of a replayed receipt left: that is in the store. The keys that were made then take the place of
/// those that were made now.
Result<std::vector<engine::KeyReceipt>> told_before(const engine::Engine& engine, const EventStore& store,
                                                    const engine::Receipt& receipt,
                                                    std::vector<Operation>& operations) {
  const std::uint64_t events = std::max<std::uint64_t>(receipt.tally.events, 1);
  const auto forgotten = [] {
    return fail(ErrorKind::corrupt, "the receipt of a batch names a position where its events are not");
  };
  if (receipt.position.value < events) return forgotten();
  const Position before{receipt.position.value - events};
  const EventPage page = TRY(store.read_all(before, Horizon::visible, PageLimit{1, 1}));
  if (page.events().empty() || page.events().front().position != before.next()) return forgotten();
  const auto memory = engine::batch_memory_of(page.events().front().metadata);
  if (!memory || memory->versions.size() != operations.size()) return forgotten();
  std::vector<engine::KeyReceipt> each;
  auto made_key = memory->made_keys.begin();
  for (std::size_t place = 0; place < operations.size(); ++place) {
    Operation& operation = operations[place];
    const StreamVersion version = memory->versions[place];
    if (operation.key_was_made) {
      if (made_key == memory->made_keys.end()) return forgotten();
      operation.key = *made_key++;
    }
    const model::Model& model = engine.model(operation.model);
    operation.key = TRY(key_then(store, model, operation.key, version, receipt.position));
    SharedText value;
    if (model.profile == model::Profile::resource && operation.method != Method::delete_) {
      value = TRY(engine::fold(engine.past(operation.model), model.stream(operation.key), version)).value;
      if (!value) return records_were_others();
    }
    each.push_back({version, std::move(value)});
  }
  if (!begins_with_one_of(page.events().front(), engine, operations)) return path_was_anothers();
  return each;
}

void append_result(std::string& out, const engine::Engine& engine, const Operation& operation,
                   const engine::KeyReceipt& left) {
  const bool is_kv = engine.model(operation.model).profile == model::Profile::kv;
  const bool creates = operation.method == Method::post;
  const bool removes = operation.method == Method::delete_;
  out += '{';
  json::append_member(out, "status", std::uint64_t{creates ? 201u : removes && !is_kv ? 204u : 200u});
  if (creates) json::append_member(out, "location", operation.path + "/" + percent_encode(operation.key));
  json::append_member(out, "etag", "\"" + marked_tag_of(left.version, engine.declaration_mark(operation.model)) + "\"");
  if (is_kv) {
    json::append_member(out, "body", "OK");
  } else if (!removes) {
    json::append_member(out, "body");
    out += shown_text(engine.model(operation.model), left.value);
  }
  out += '}';
}

/// A batch on its way. Moved along; confined to one thread at a time.
struct Batch {
  Call call;
  std::vector<Operation> operations;
  bool dry_run = false;
};

void send_results(Batch batch, const engine::Receipt& receipt, const std::vector<engine::KeyReceipt>& each) {
  Call& call = batch.call;
  if (receipt.position.value > 0) call.position = call.engine.store().cursor(receipt.position);
  std::string body;
  if (batch.dry_run) {
    body += '{';
    append_drafted(body, call.engine, receipt);
    json::append_member(body, "state");
  }
  body += '[';
  for (std::size_t place = 0; place < batch.operations.size(); ++place) {
    const Operation& operation = batch.operations[place];
    if (place > 0) body += ',';
    if (batch.dry_run) {
      append_state(body, call.engine.model(operation.model), operation.key, each[place]);
    } else {
      append_result(body, call.engine, operation, each[place]);
    }
  }
  body += batch.dry_run ? "]}" : "]";
  Response response;
  response.content_type = "application/json";
  if (receipt.replayed) response.add("Idempotency-Replayed", "true");
  response.body = std::move(body);
  call.send(std::move(response));
}

void send_batch(Batch batch, const Result<engine::Receipt>& receipt) {
  if (!receipt) return batch.call.refuse(receipt.error());
  if (receipt->told) return send_results(std::move(batch), *receipt, receipt->told->each);
  auto operations = std::move(batch.operations);
  read_store(std::move(batch.call), [operations = std::move(operations), receipt = *receipt](Call reading) mutable {
    const auto each = told_before(reading.engine, reading.engine.store(), receipt, operations);
    if (!each) return reading.refuse(each.error());
    send_results({std::move(reading), std::move(operations), false}, receipt, *each);
  });
}

/// What was done once is told again, also where the declaration of now would not take it any more. Else the refusal.
void tell_again_or_refuse(Call call, const engine::WriteRequest& write, const std::vector<json::Value>& elements,
                          Faults& faults) {
  if (const auto before = answered_before(call, write.idempotency); before && *before) {
    if (auto operations = operations_done(call.engine, elements))
      return send_batch({std::move(call), *std::move(operations), false}, *before);
  }
  std::string message =
      "the batch cannot be done; nothing was recorded; errors says what is wrong where" + faults.more_told();
  call.refuse(Error(ErrorKind::unprocessable, "invalid_batch", std::move(message), faults.take()));
}

/// The operations of the request; nullopt after having refused.
std::optional<std::vector<json::Value>> elements_of(const Request& request, Call& call) {
  if (!body_is_json(request, call, "-d '[{\"method\":\"DELETE\",\"path\":\"/config/color\"}]'")) return std::nullopt;
  auto elements = json::thread_reader().read_array(request.body);
  if (!elements && elements.error().code == "not_an_array") {
    call.refuse(Error(ErrorKind::unprocessable, "not_an_array", "the body is JSON, but not an array",
                      {{"", "not_an_array", "an array of operations is expected"}}));
    return std::nullopt;
  }
  if (!elements) {
    call.refuse(elements.error());
    return std::nullopt;
  }
  if (elements->empty() || elements->size() > operations_max) {
    call.refuse(Error(elements->empty() ? ErrorKind::unprocessable : ErrorKind::too_large, "invalid_batch",
                      "a batch has 1 to " + std::to_string(operations_max) + " operations; this one has " +
                          std::to_string(elements->size())));
    return std::nullopt;
  }
  return *std::move(elements);
}

/// Of whichever model has secret fields, because a batch may be about all of them; null when none has.
const model::SecretCipher* cipher_of(const engine::Engine& engine) {
  for (std::size_t place = 0; place < engine.models(); ++place) {
    if (engine.model(place).cipher) return engine.model(place).cipher.get();
  }
  return nullptr;
}

/// What the request asks beside its operations. Errors: invalid.
Result<engine::WriteRequest> asked_of(const Request& request, const engine::Engine& engine) {
  const QueryParameters parameters = TRY(QueryParameters::parse(request.query, {"dry_run"}));
  engine::WriteRequest write;
  write.dry_run = TRY(dry_run_of(parameters));
  write.idempotency = TRY(idempotency_of(request, cipher_of(engine)));
  if (write.dry_run) write.idempotency = std::nullopt;
  if (request.field("if-match") || request.field("if-none-match")) {
    return fail(ErrorKind::invalid, "invalid_precondition",
                "If-Match and If-None-Match are about one record; give the operation an if_match");
  }
  write.actor = anonymous;
  write.correlation_id = request.correlation_id;
  write.alone = request.alone;
  write.refusal_of = refusal_of;
  return write;
}

}  // namespace

void post_batch(const Request& request, Call call) {
  if (!call.engine.serving()) {
    return call.refuse(
        Error(ErrorKind::unavailable, "starting", "the server is still reading its log; try again soon"));
  }
  auto write = asked_of(request, call.engine);
  if (!write) return call.refuse(write.error());
  const auto elements = elements_of(request, call);
  if (!elements) return;
  BatchReader reader(call.engine, json::thread_reader().overflowed());
  reader.read(*elements);
  if (!reader.faults().empty()) return tell_again_or_refuse(std::move(call), *write, *elements, reader.faults());
  write->several = std::move(reader.commands());
  if (write->dry_run) {
    for (engine::KeyCommand& one : write->several) leave_hidden(call.engine.model(one.model), one.command);
  }
  platform::Executor& home = *call.home;
  engine::Writer& writer = call.engine.writer();
  Batch batch{std::move(call), std::move(reader.operations()), write->dry_run};
  writer.submit(*std::move(write), home, [batch = std::move(batch)](const Result<engine::Receipt>& receipt) mutable {
    batch.call.promise(receipt);
    send_batch(std::move(batch), receipt);
  });
}

}  // namespace annals::http
