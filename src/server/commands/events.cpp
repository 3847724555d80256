// `annals events`: events as JSON lines, of a store that no server holds or of a server that runs.

#include <algorithm>
#include <cstdio>

#include "engine/event_feed.hpp"
#include "engine/event_json.hpp"
#include "http/client.hpp"
#include "http/request.hpp"
#include "platform/logging.hpp"
#include "platform/process.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/named_store.hpp"
#include "server/commands/output.hpp"
#include "server/commands/remote.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

const model::Model* model_of(const std::vector<model::Model>& models, std::string_view stream) {
  for (const model::Model& model : models) {
    if (model.owns_stream(stream)) return &model;
  }
  return nullptr;
}

Result<> print_from_store(const EventsRequest& request, const Cursor& cursor, const Settings& settings) {
  const auto log = platform::make_json_logger(LogLevel::warning);
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  const std::string name = TRY(name_of_store(request.store, settings));
  const auto store = TRY(open_named_store_to_read(name, settings, platform));
  Position after = TRY(store->resolve(cursor));
  while (true) {
    const EventPage page = TRY(engine::read_events(*store, request.stream, after, PageLimit{}));
    if (page.events().empty()) return {};
    std::string lines;
    for (const EventView& event : page.events()) {
      engine::append_event_json(lines, event, model_of(settings.models(), event.stream));
      lines += '\n';
    }
    TRY(print(lines));
    after = page.events().back().position;
  }
}

/// The time in which a server that is followed does not answer, or only that it cannot: told once, as it begins and as
/// it ends, with growing pauses between two questions.
class Outage {
 public:
  static constexpr Duration pause_min = std::chrono::milliseconds(250);
  static constexpr Duration pause_max = std::chrono::seconds(5);

  explicit Outage(std::string base) : base_(std::move(base)) {}

  void wait(const Error& why) {
    if (!lasts_) say(why.message + "; it is asked again until it answers, and the events go on where they ended");
    lasts_ = true;
    platform::pause(pause_);
    pause_ = std::min(pause_ * 2, pause_max);
  }

  void end() {
    if (lasts_) say(base_ + " answers again");
    lasts_ = false;
    pause_ = pause_min;
  }

 private:
  static void say(const std::string& what) { std::fprintf(stderr, "annals: %s\n", without_passwords(what).c_str()); }

  const std::string base_;
  bool lasts_ = false;
  Duration pause_ = pause_min;
};

/// Whether the server, or what stands before it, says that it does not answer now; or is silent, having answered
/// before.
bool may_come_back(const Result<http::ClientReply>& answered, bool has_answered) {
  if (answered) return answered->status == 502 || answered->status == 503 || answered->status == 504;
  return has_answered && answered.error().kind == ErrorKind::input_output &&
         answered.error().code != http::certificate_not_trusted;
}

Result<> print_from_server(const EventsRequest& request) {
  const std::string base = TRY(server_address(request.url));
  http::Client client(trusted_authorities());
  Outage outage(base);
  bool has_answered = false;
  std::string after = request.after;
  while (true) {
    std::string url = base + "/-/events?limit=1000&after=" + http::percent_encode(after);
    if (request.stream) url += "&stream=" + http::percent_encode(*request.stream);
    if (request.follow) url += "&wait=20s";
    const auto answered = client.get(url);
    const bool comes_back = request.follow && may_come_back(answered, has_answered);
    has_answered = has_answered || answered;
    if (comes_back) {
      outage.wait(answered ? refusal(base, *answered) : no_reply(base, answered.error()));
      continue;
    }
    if (!answered) return std::unexpected(no_reply(base, answered.error()));
    const http::ClientReply& reply = *answered;
    if (reply.status != 200) return std::unexpected(refusal(base, reply));
    if (reply.position.empty()) {
      return fail(ErrorKind::input_output,
                  base + " is no Annals server: its reply has no Annals-Position; look at what --url names");
    }
    outage.end();
    TRY(print(reply.body));
    if (reply.body.empty() && !request.follow) return {};
    after = reply.position;
  }
}

Result<> print_all(const EventsRequest& request, const Settings& settings) {
  const auto cursor = Cursor::from_text(request.after);
  if (!cursor) {
    return fail(ErrorKind::usage,
                "--after is " + in_quotes(request.after) +
                    ", which is no cursor; take one from a reply's Annals-Position, or 0 for the start");
  }
  return request.url.empty() ? print_from_store(request, *cursor, settings) : print_from_server(request);
}

}  // namespace

int print_events(const EventsRequest& request, const Settings& settings) {
  const auto printed = print_all(request, settings);
  return printed ? static_cast<int>(done) : report(printed.error());
}

}  // namespace annals::server
