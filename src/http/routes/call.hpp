#pragma once
// Call: one request on its way through a route: what it asks, and how to answer it. Moved along, from the I/O thread to
// one that reads (http/routes/reading.hpp) too; confined to one thread at a time.

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/throttle.hpp"
#include "engine/engine.hpp"
#include "http/api.hpp"
#include "http/problem.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "http/routes/readers.hpp"
#include "http/routes/reply_cache.hpp"
#include "http/routes/turns.hpp"

namespace annals::http {

/// The field of a reply that is to be asked for again each time.
inline constexpr std::string_view never_fresh = "Cache-Control: no-cache\r\n";

/// What all calls share. Thread-safe.
struct CallsShared {
  CallsShared(const ApiOptions& options, Logger& log)
      : replies(options.cache_bytes_max), readers(options.readers, options.reads_max, log) {}

  std::atomic<std::size_t> waits{0};                  ///< reads that wait for a key to change
  Throttle unavailable_log{std::chrono::seconds(1)};  ///< of the lines about a store that is unavailable
  ReplyCache replies;                                 ///< lists as they were written out
  Turns turns;                                        ///< of long reads on I/O threads
  Readers readers;                                    ///< for those that may wait for another machine
};

struct Call {
  engine::Engine& engine;
  const ApiOptions& options;
  CallsShared& shared;
  std::size_t model = 0;  ///< the model's place in the engine; for routes of a model
  std::string key;        ///< decoded and checked; for routes of a key
  std::string argument;   ///< decoded; the timestamp of `/at/:timestamp`, the name of a projection
  Asker asker;
  platform::Executor* home;
  Responder responder;
  bool is_write = false;                       ///< replies then say how durable a success is
  std::uint8_t route = 0;                      ///< for counting: its place in the catalogue, from 1
  std::optional<Cursor> position;              ///< what a reply of a model reflects; none where there is no model
  bool behind_store = false;                   ///< Engine::behind_store, before any table was looked at
  Durability durability = Durability::memory;  ///< of a success, of a write

  [[nodiscard]] const model::Model& the_model() const { return engine.model(model); }
  [[nodiscard]] projection::ReadTable& table() const { return engine.feed(model).table(); }
  [[nodiscard]] engine::Past past() const { return engine.past(model); }

  void send(Response&& response) {
    if (position) response.add("Annals-Position", position->to_text());
    if (is_write) response.add("Annals-Durability", to_string(durability));
    response.route = route;
    responder.send(std::move(response));
  }
  /// Sends the problem; what of it is not for the client is logged.
  void refuse(const Error& error);

  /// True when, at the beginning of the call, the store had not been heard from since the start, or the tables and the
  /// writer had not caught up with it; then this has refused.
  [[nodiscard]] bool refuse_behind_store();

  /// True when the read table of the call's model, or of one of these, fails (TableFeed::check); then this has refused.
  /// To be asked before the table is, whenever that is asked for the present.
  [[nodiscard]] bool refuse_failing(std::span<const std::size_t> models = {});

  /// The field `Cache-Control` of a success of this operation, with its line's end.
  [[nodiscard]] std::string cache_control(model::ApiOperation operation) const;
  void append_cache_control(std::string& fields, model::ApiOperation operation) const;

  /// The entity tag of a record of the model at this version, with its quotes.
  [[nodiscard]] std::string entity_tag(StreamVersion version) const;

  /// Takes over how durable it is what a receipt tells of.
  void promise(const Result<engine::Receipt>& receipt) {
    if (receipt && receipt->durability) durability = *receipt->durability;
  }

  [[nodiscard]] Cursor position_of_table() const { return engine.store().cursor(table().progress().position()); }
};

/// A route's work. `request` is valid until it returns, and no longer when the answer comes later.
using Action = void (*)(const Request& request, Call call);

// The work of each route, by its file.
void list_records(const Request& request, Call call);
void get_record(const Request& request, Call call);
void get_record_at(const Request& request, Call call);
void put_record(const Request& request, Call call);
void create_resource(const Request& request, Call call);
void list_resources(const Request& request, Call call);
void replace_resource(const Request& request, Call call);
void patch_resource(const Request& request, Call call);
void delete_record(const Request& request, Call call);
void post_batch(const Request& request, Call call);
void roll_back_record(const Request& request, Call call);
void get_difference(const Request& request, Call call);
void roll_back_records(const Request& request, Call call);
void import_records(const Request& request, Call call);
void get_audit(const Request& request, Call call);
void get_history(const Request& request, Call call);
void get_health(const Request& request, Call call);
void get_liveness(const Request& request, Call call);
void get_readiness(const Request& request, Call call);
void get_events(const Request& request, Call call);
void get_metrics(const Request& request, Call call);
void refresh_projection(const Request& request, Call call);

}  // namespace annals::http
