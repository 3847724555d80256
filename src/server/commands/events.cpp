// `annals events`: events as JSON lines, of a store that no server holds or of a server that runs.

#include <cstdio>

#include "engine/event_feed.hpp"
#include "engine/event_json.hpp"
#include "http/client.hpp"
#include "http/request.hpp"
#include "platform/logging.hpp"
#include "server/commands/commands.hpp"
#include "store/embedded_store.hpp"

namespace annals::server {
namespace {

Result<> print(const std::string& lines) {
  if (std::fwrite(lines.data(), 1, lines.size(), stdout) != lines.size() || std::fflush(stdout) != 0) {
    return fail(ErrorKind::input_output, "standard output cannot be written to");
  }
  return {};
}

const model::Model* model_of(const std::vector<model::Model>& models, std::string_view stream) {
  for (const model::Model& model : models) {
    if (model.owns_stream(stream)) return &model;
  }
  return nullptr;
}

Result<> print_from_directory(const EventsRequest& request, const std::vector<model::Model>& models) {
  const auto log = platform::make_json_logger(LogLevel::warning);
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  const auto store = TRY(store::open_embedded_store_to_read(request.directory, platform));
  const auto cursor = Cursor::from_text(request.after);
  if (!cursor)
    return fail(ErrorKind::usage,
                "--after " + request.after + " is not a cursor; take one from Annals-Position, or 0 for the start");
  Position after = TRY(store->resolve(*cursor));
  while (true) {
    const EventPage page = TRY(engine::read_events(*store, request.stream, after, PageLimit{}));
    if (page.events().empty()) return {};
    std::string lines;
    for (const EventView& event : page.events()) {
      engine::append_event_json(lines, event, model_of(models, event.stream));
      lines += '\n';
    }
    TRY(print(lines));
    after = page.events().back().position;
  }
}

Result<> print_from_server(const EventsRequest& request) {
  http::Client client;
  std::string after = request.after;
  std::string base = request.url;
  while (base.ends_with('/')) base.pop_back();
  while (true) {
    std::string url = base + "/-/events?limit=1000&after=" + http::percent_encode(after);
    if (request.stream) url += "&stream=" + http::percent_encode(*request.stream);
    if (request.follow) url += "&wait=20s";
    const http::ClientReply reply = TRY(client.get(url));
    if (reply.status != 200) {
      return fail(reply.status == 400 ? ErrorKind::usage : ErrorKind::input_output,
                  base + " answered with status " + std::to_string(reply.status) + ": " + reply.body);
    }
    if (reply.position.empty())
      return fail(ErrorKind::input_output, base + " is not an Annals server: its reply has no Annals-Position");
    TRY(print(reply.body));
    if (reply.body.empty() && !request.follow) return {};
    after = reply.position;
  }
}

}  // namespace

int print_events(const EventsRequest& request, const Settings& settings) {
  const auto printed =
      request.url.empty() ? print_from_directory(request, settings.models()) : print_from_server(request);
  return printed ? static_cast<int>(done) : report(printed.error());
}

}  // namespace annals::server
