// Changing many records of a model at once, all or nothing.

#include "http/routes/groups.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "engine/prefix_rollback.hpp"
#include "http/fields.hpp"
#include "http/routes/differences.hpp"
#include "http/routes/query_parameters.hpp"
#include "http/routes/reading.hpp"
#include "http/routes/writes.hpp"
#include "json/writer.hpp"
#include "model/model.hpp"

namespace annals::http {
namespace {

/// What a rollback's body asks.
struct PrefixRollbackTarget {
  std::string prefix;
  Instant at;
};

std::optional<PrefixRollbackTarget> prefix_rollback_target_of(const json::Object& body, Call& call) {
  Faults faults;
  PrefixRollbackTarget target;
  const auto text_of = [&](std::string_view name) -> const std::string_view* {
    const json::Value* value = body.find(name);
    const std::string pointer = "/" + std::string(name);
    if (value == nullptr) {
      faults.add({pointer, "required", "the member \"" + std::string(name) + "\" is missing"});
      return nullptr;
    }
    const auto* text = std::get_if<std::string_view>(value);
    if (text == nullptr) {
      faults.add({pointer, "wrong_type",
                  "\"" + std::string(name) + "\" is " + std::string(json::kind_of(*value)) + "; a string is expected"});
    }
    return text;
  };
  if (const auto* prefix = text_of("prefix")) {
    const auto checked = model::check_key_prefix(*prefix);
    if (!checked) faults.add({"/prefix", checked.error().code, checked.error().message});
    target.prefix = *prefix;
  }
  if (const auto* at = text_of("at")) {
    const auto time = parse_time(*at);
    if (time) {
      target.at = *time;
    } else {
      faults.add({"/at", time.error().code, time.error().message});
    }
  }
  add_unknown(faults, body, {"prefix", "at"});
  if (faults.empty()) return target;
  call.refuse(invalid_body("{\"prefix\": \"...\", \"at\": \"time\"}; the prefix \"\" is that of every name",
                           std::move(faults)));
  return std::nullopt;
}

void append_tally(std::string& body, std::uint64_t set, std::uint64_t deleted) {
  json::append_member(body, "set", set);
  json::append_member(body, "deleted", deleted);
}

/// What a rollback would change, as JSON in pieces: all the values may take as much as a group holds.
class ChangesBody final : public PieceSource {
 public:
  explicit ChangesBody(engine::PrefixRollback rollback) : rollback_(std::move(rollback)), change_(changes().begin()) {}

  [[nodiscard]] Result<std::string> next(const engine::Turn&) override {
    std::string out = change_ == changes().begin() ? head() : "";
    for (; change_ != changes().end() && out.size() < piece_bytes; ++change_) {
      if (std::exchange(any_, true)) out += ',';
      append_difference(out, change_->first, change_->second.to, change_->second.from);  // from now to then
    }
    ended_ = change_ == changes().end();
    if (ended_) out += "]}";
    return out;
  }
  [[nodiscard]] bool ended() const override { return ended_; }

 private:
  using Changes = std::map<std::string, engine::Difference::Row, std::less<>>;
  [[nodiscard]] const Changes& changes() const { return rollback_.changes(); }
  [[nodiscard]] std::string head() const {
    const auto set = static_cast<std::uint64_t>(
        std::ranges::count_if(changes(), [](const auto& change) { return change.second.from.exists(); }));
    std::string text = "{";
    append_tally(text, set, changes().size() - set);
    json::append_member(text, "changes");
    return text + '[';
  }

  engine::PrefixRollback rollback_;
  Changes::const_iterator change_;
  bool any_ = false;
  bool ended_ = false;
};

/// A rollback on its way, until the writer plans, which shares it.
struct Rollback final : LongRead, std::enable_shared_from_this<Rollback> {
  Rollback(Call the_call, engine::WriteRequest the_write, engine::PrefixRollback the_rollback, bool is_dry_run)
      : LongRead(std::move(the_call), From::store),
        write(std::move(the_write)),
        rollback(std::move(the_rollback)),
        dry_run(is_dry_run) {}

  [[nodiscard]] bool work(const engine::Turn& turn) override {
    const auto done = rollback.prepare(turn);
    if (done && !*done) return true;
    prepared(done ? Result<>() : std::unexpected(done.error()));
    return false;
  }
  void prepared(const Result<>& done) {
    if (!done && (dry_run || !write.idempotency)) return call.refuse(done.error());
    call.position = call.position_of_table();
    if (dry_run) return send_changes();
    if (done) {
      write.plan = [self = shared_from_this()] { return self->rollback.plan(); };
    } else {
      write.plan = refusal(done.error());
    }
    engine::Writer& writer = call.engine.writer();
    platform::Executor& home = *call.home;
    writer.submit(std::move(write), home, [self = shared_from_this()](const Result<engine::Receipt>& receipt) {
      send_tally(std::move(self->call), receipt);
    });
  }
  void send_changes() {
    if (const auto good = rollback.check(); !good) return call.refuse(good.error());
    Response response;
    response.content_type = "application/json";
    send_in_pieces(std::move(call), std::move(response), std::make_unique<ChangesBody>(std::move(rollback)),
                   From::memory, First::at_once);
  }

  engine::WriteRequest write;
  engine::PrefixRollback rollback;
  bool dry_run;
};

/// The commands of a body of JSON lines, or nothing after having refused; faults point at the line, from 0.
std::optional<std::vector<engine::KeyCommand>> commands_of(std::string_view body, Call& call) {
  std::vector<engine::KeyCommand> commands;
  std::size_t number = 0;
  const auto refuse = [&](std::string_view member, const Error& error) {
    call.refuse(Error(ErrorKind::unprocessable, "invalid_body",
                      "line " + std::to_string(number + 1) + " of the body: " + error.message,
                      {{"/" + std::to_string(number) + std::string(member), error.code, error.message}}));
    return std::nullopt;
  };
  for (; !body.empty(); ++number) {
    const std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto object = json::thread_reader().read_object(line);
    if (!object) return refuse("", object.error());
    const std::string_view* name = object->text("name");
    const std::string_view* value = object->text("value");
    if (name == nullptr || value == nullptr || object->members.size() != 2) {
      return refuse("", Error(ErrorKind::invalid, "invalid_line",
                              "an object of the form {\"name\":\"...\",\"value\":\"...\"} is expected"));
    }
    if (auto good = model::check_key(*name); !good) return refuse("/name", good.error());
    const std::size_t bytes_max = call.the_model().value_bytes_max;
    if (value->size() > bytes_max) {
      return refuse("/value", Error(ErrorKind::too_large, "value_too_large",
                                    "the value of \"" + std::string(*name) + "\" has " + std::to_string(value->size()) +
                                        " bytes; the most is " + std::to_string(bytes_max)));
    }
    // What cannot be recorded is not gathered either: a command takes more memory than its line.
    if (commands.size() == group_events_max) {
      call.refuse(Error(ErrorKind::too_large, "group_too_large",
                        "the body has more than " + std::to_string(group_events_max) +
                            " lines, which is what one group holds; nothing was recorded; send fewer at once"));
      return std::nullopt;
    }
    engine::KeyCommand& one = commands.emplace_back();
    one.model = call.model;
    one.command.key = *name;
    one.command.value = SharedText(*value);
  }
  return commands;
}

}  // namespace

bool enter_model(const Request& request, Call& call) {
  std::size_t place = 0;
  while (place < call.engine.models() && call.engine.model(place).name != call.key) ++place;
  if (place == call.engine.models()) {
    call.refuse(Error(ErrorKind::not_found, "not_found", "there is no model of this name"));
    return false;
  }
  call.model = place;
  if (call.the_model().profile != model::Profile::kv) {
    call.refuse(Error(ErrorKind::unprocessable, "wrong_profile",
                      "this route is for models of profile kv; \"" + call.key + "\" is a resource"));
    return false;
  }
  call.position = call.position_of_table();
  if (!call.engine.serving()) {
    call.refuse(Error(ErrorKind::unavailable, "starting", "the server is still reading its log; try again soon"));
    return false;
  }
  if (call.refuse_behind_store()) return false;
  if (request.field("if-match") || request.field("if-none-match")) {
    call.refuse(Error(ErrorKind::invalid, "invalid_precondition",
                      "If-Match and If-None-Match are about one record; leave them out here"));
    return false;
  }
  return true;
}

std::optional<bool> dry_run_of(const Request& request, Call& call) {
  const auto parameters = QueryParameters::parse(request.query, {"dry_run"});
  if (!parameters) {
    call.refuse(parameters.error());
    return std::nullopt;
  }
  const auto dry_run = dry_run_of(*parameters);
  if (dry_run) return *dry_run;
  call.refuse(dry_run.error());
  return std::nullopt;
}

void send_tally(Call call, const Result<engine::Receipt>& receipt) {
  if (!receipt) {
    call.position = call.position_of_table();
    return call.refuse(receipt.error());
  }
  // What recorded nothing has no position of its own.
  if (receipt->position.value > 0) call.position = call.engine.store().cursor(receipt->position);
  Response response;
  response.content_type = "application/json";
  std::string body = "{";
  append_tally(body, receipt->tally.set, receipt->tally.removed);
  response.body = body + "}";
  if (receipt->replayed) response.add("Idempotency-Replayed", "true");
  call.send(std::move(response));
}

void roll_back_records(const Request& request, Call call) {
  if (!enter_model(request, call)) return;
  const auto dry_run = dry_run_of(request, call);
  if (!dry_run) return;
  engine::WriteRequest write;
  auto idempotency = idempotency_of(request);
  if (!idempotency) return call.refuse(idempotency.error());
  write.idempotency = *idempotency;
  write.actor = anonymous;
  write.correlation_id = request.correlation_id;
  const auto body = body_of(request, call, "-d '{\"prefix\":\"app/\",\"at\":\"2026-02-12T10:00:00Z\"}'");
  if (!body) return;
  auto target = prefix_rollback_target_of(*body, call);
  if (!target) return;
  log_operation(request, call, "rollback");
  if (!*dry_run) {
    if (const auto before = answered_before(call, write.idempotency)) return send_tally(std::move(call), *before);
  }

  if (call.refuse_failing()) return;
  engine::Engine& engine = call.engine;
  platform::Executor& home = *call.home;
  const engine::Past past = call.past();
  const projection::ReadTable& table = call.table();
  const std::size_t place = call.model;
  const Instant at = target->at;
  auto rollback = std::make_shared<Rollback>(std::move(call), std::move(write),
                                             engine::PrefixRollback(past, place, table, at, std::move(target->prefix)),
                                             *dry_run);  // shared by its turns, and with the writer
  engine.settle(at, home, [rollback = std::move(rollback)](const Result<>& settled) mutable {
    if (!settled) return rollback->call.refuse(settled.error());
    take_turns(std::move(rollback));
  });
}

void import_records(const Request& request, Call call) {
  if (!enter_model(request, call)) return;
  if (const auto parameters = QueryParameters::parse(request.query, {}); !parameters) {
    return call.refuse(parameters.error());
  }
  engine::WriteRequest write;
  auto idempotency = idempotency_of(request);
  if (!idempotency) return call.refuse(idempotency.error());
  write.idempotency = *idempotency;
  write.actor = anonymous;
  write.correlation_id = request.correlation_id;
  if (!body_is_plain(request, call)) return;
  if (request.field("content-type") && !content_type_is(request, "application/x-ndjson") &&
      !content_type_is(request, "application/jsonl")) {
    return call.refuse(Error(ErrorKind::unsupported, "unsupported_media_type",
                             "send application/x-ndjson, as in: curl -H 'Content-Type: application/x-ndjson' "
                             "--data-binary @FILE"));
  }
  if (request.body_is_to_come) return;
  auto commands = commands_of(request.body, call);
  if (!commands) return;
  write.several = *std::move(commands);
  log_operation(request, call, "import");
  if (write.several.empty()) {
    if (!write.idempotency) return send_tally(std::move(call), engine::Receipt{});
    write.plan = [&store = std::as_const(call.engine.store())]() -> Result<engine::Plan> {
      return engine::Plan{{}, store.status().visible};
    };
  }
  platform::Executor& home = *call.home;
  engine::Writer& writer = call.engine.writer();
  writer.submit(std::move(write), home, [call = std::move(call)](const Result<engine::Receipt>& receipt) mutable {
    send_tally(std::move(call), receipt);
  });
}

}  // namespace annals::http
