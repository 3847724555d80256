// `annals export`: names with values, in order of names, from a server, or from a store that no server holds.

#include <algorithm>
#include <map>

#include "engine/queries.hpp"
#include "http/client.hpp"
#include "http/request.hpp"
#include "json/reader.hpp"
#include "platform/logging.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/import_target.hpp"
#include "server/commands/named_store.hpp"
#include "server/commands/output.hpp"
#include "server/commands/progress.hpp"
#include "server/commands/remote.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

constexpr std::size_t names_at_once = 500'000;  // kept in memory while a store is read; more take another pass
constexpr std::size_t output_bytes = 64u << 10;
constexpr std::size_t page_rows_max = 1000;
constexpr std::size_t page_bytes_wanted = 4u << 20;

/// Writes entries to standard output.
class Output {
 public:
  Output(EntryFormat format, std::string prefix) : format_(format), prefix_(std::move(prefix)) {}

  [[nodiscard]] Result<> add(std::string_view name, std::string_view value) {
    ++names_;
    if (auto held = append_entry(format_, text_, name.substr(prefix_.size()), value); !held) {
      const std::uint64_t line = names_;
      TRY(flush());
      return fail(held.error().kind,
                  "entry " + std::to_string(line) + ": " + held.error().message + "; what is printed ends before it");
    }
    progress_.count();
    return text_.size() < output_bytes ? Result<>() : flush();
  }

  [[nodiscard]] Result<> finish() {
    TRY(flush());
    progress_.finish(names_, "");
    return {};
  }

 private:
  [[nodiscard]] Result<> flush() {
    TRY(print(text_));
    text_.clear();
    return {};
  }

  const EntryFormat format_;
  const std::string prefix_;
  std::string text_;
  std::uint64_t names_ = 0;
  Progress progress_{"exported", "name"};
};

/// Names, each with the version that its stream had at the moment of the export.
using Versions = std::map<std::string, StreamVersion, std::less<>>;

/// The first names after `after` that begin with the prefix, of all that ever were up to `end`.
Result<Versions> names_after(const EventStore& store, const model::Model& model, const std::string& prefix,
                             const std::string& after, Position end) {
  Versions names;
  for (Position place{}; place < end;) {
    const EventPage page = TRY(store.read_all(place, Horizon::flushed, PageLimit{}));
    if (page.events().empty()) break;
    place = page.events().back().position;
    for (const EventView& event : page.events()) {
      if (event.position > end) break;
      if (!model.owns_stream(event.stream)) continue;
      const std::string_view name = key_of(event.stream);
      if (!name.starts_with(prefix) || name <= after) continue;
      if (const auto found = names.find(name); found != names.end()) {
        found->second = event.version;
        continue;
      }
      if (names.size() == names_at_once && name > names.rbegin()->first) continue;
      names.emplace(name, event.version);
      if (names.size() > names_at_once) names.erase(std::prev(names.end()));
    }
  }
  return names;
}

/// So that two exports of one time are the same. Who may only read cannot keep servers from recording at that time.
Result<> settle(EventStore& store, Instant at) {
  auto settled = store.settle(at);
  if (settled) return settled;
  Error error = std::move(settled).error();
  error.message = "it cannot be made sure that nothing is recorded any more at or before " + at.to_text() +
                  ", so the export may differ from the next one of that time: " + error.message;
  return std::unexpected(std::move(error));
}

Result<> export_from_store(const ExportRequest& request, const Settings& settings, const model::Model& model,
                           std::optional<Instant> at, Output& output) {
  const auto log = platform::make_json_logger(LogLevel::warning);
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  const std::string used = TRY(name_of_store(request.store, settings));
  const auto store = TRY(open_named_store_to_read(used, settings, platform));
  // Servers may write to the same database: what they record from now on is of a later time.
  if (at) TRY(settle(*store, *at));
  const Position end = at ? TRY(store->position_at(*at)) : store->status().flushed;
  std::string after;  // before every name, because none is empty
  while (true) {
    const Versions names = TRY(names_after(*store, model, request.prefix, after, end));
    for (const auto& [name, version] : names) {
      const auto record = TRY(engine::record_at_version({*store, model}, name, version));
      if (record.exists()) TRY(output.add(name, *record.value));
    }
    if (names.size() < names_at_once) return {};
    after = names.rbegin()->first;
  }
}

/// The objects of an array of objects, one after another.
class ArrayWalk {
 public:
  explicit ArrayWalk(std::string_view array) : rest_(array) {}

  /// The next object's text; empty at the end.
  [[nodiscard]] std::string_view next() {
    const std::size_t begin = rest_.find('{');
    if (begin == std::string_view::npos) return {};
    bool in_text = false;
    std::size_t depth = 0;
    for (std::size_t place = begin; place < rest_.size(); ++place) {
      const char character = rest_[place];
      if (in_text) {
        if (character == '\\') ++place;
        if (character == '"') in_text = false;
      } else if (character == '"') {
        in_text = true;
      } else if (character == '{') {
        ++depth;
      } else if (character == '}' && --depth == 0) {
        const std::string_view object = rest_.substr(begin, place + 1 - begin);
        rest_.remove_prefix(place + 1);
        return object;
      }
    }
    return {};
  }

 private:
  std::string_view rest_;
};

/// What the server's clock says, so that all pages can be asked for as of one time.
Result<std::string> time_of_server(http::Client& client, const std::string& base) {
  // Its health does not matter: what is read back can be exported from a server that takes no writes.
  const auto reply = client.get(base + "/health");
  if (!reply) return std::unexpected(no_reply(base, reply.error()));
  const auto health = json::thread_reader().read_object(reply->body);
  const std::string_view* time = health ? health->text("timestamp") : nullptr;
  if (time == nullptr || !Instant::from_text(*time)) return std::unexpected(refusal(base, *reply));
  return std::string(*time);
}

Result<> export_from_server(const ExportRequest& request, const model::Model& model, Output& output) {
  const std::string base = TRY(server_address(request.url));
  http::Client client(trusted_authorities());
  const std::string at = request.at.empty() ? TRY(time_of_server(client, base)) : request.at;
  std::string filter = base + model.paths.front() + "?at=" + http::percent_encode(at) + "&";
  if (!request.prefix.empty()) filter += "prefix=" + http::percent_encode(request.prefix) + "&";
  std::size_t limit = 16;
  std::string after = "0";
  while (true) {
    const auto reply = client.get(filter + "limit=" + std::to_string(limit) + "&after=" + after);
    if (!reply) return std::unexpected(no_reply(base, reply.error()));
    if (reply->status != 200) return std::unexpected(refusal(base, *reply));
    ArrayWalk rows(reply->body);
    for (std::string_view row = rows.next(); !row.empty(); row = rows.next()) {
      const auto object = json::thread_reader().read_object(row);
      const std::string_view* name = object ? object->text("name") : nullptr;
      const std::string_view* value = object ? object->text("value") : nullptr;
      if (name == nullptr || value == nullptr || !name->starts_with(request.prefix)) {
        return fail(ErrorKind::input_output,
                    base + " answered with a list as no Annals server gives it; look at what --url names");
      }
      TRY(output.add(*name, *value));
    }
    const std::size_t token = reply->next.find("after=");
    if (token == std::string::npos) return {};
    after = reply->next.substr(token + 6);
    // Values may be large; pages grow as long as they are not.
    if (reply->body.size() > page_bytes_wanted) limit = std::max<std::size_t>(limit / 2, 1);
    if (reply->body.size() < page_bytes_wanted / 4) limit = std::min(limit * 2, page_rows_max);
  }
}

Result<> export_all(const ExportRequest& request, const Settings& settings) {
  const EntryFormat format = TRY(entry_format(request.format));
  const model::Model& model = settings.models()[TRY(place_of_model(settings, request.model))];
  std::optional<Instant> at;
  if (!request.at.empty()) {
    at = Instant::from_text(request.at);
    if (!at) {
      return fail(ErrorKind::usage, "--at is " + in_quotes(request.at) +
                                        "; expected a time with a time zone, such as 2026-02-12T10:00:00Z");
    }
  }
  Output output(format, request.prefix);
  TRY(request.url.empty() ? export_from_store(request, settings, model, at, output)
                          : export_from_server(request, model, output));
  return output.finish();
}

}  // namespace

int export_entries(const ExportRequest& request, const Settings& settings) {
  const auto exported = export_all(request, settings);
  return exported ? static_cast<int>(done) : report(exported.error());
}

}  // namespace annals::server
