#include "server/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/did_you_mean.hpp"
#include "base/invariant.hpp"
#include "base/sizes.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

constexpr std::int64_t millisecond = 1000;
constexpr std::int64_t second = 1000 * millisecond;
constexpr std::int64_t hour = 3600 * second;
constexpr std::int64_t day = 24 * hour;

using enum SettingType;

constexpr std::array catalogue{
    Setting{"server.listen", "--listen", text, "127.0.0.1:4000",
            "Address and port to serve on; port 0 takes a free one."},
    Setting{"server.insecure", "--insecure", boolean, "false",
            "Allows listening beyond loopback although clients need not say who they are."},
    Setting{"server.tls_certificate", "--tls-certificate", text, "",
            "File with the certificate to serve HTTPS with, and those that lead to one the clients know, as PEM; read "
            "anew on SIGHUP. With it goes tls_key."},
    Setting{"server.tls_key", "--tls-key", text, "",
            "File with the key of tls_certificate, as PEM without a password; read anew on SIGHUP."},
    Setting{"server.worker_threads", "--worker-threads", number, "0",
            "Threads that serve connections; 0: one less than there are processors, and at least one.", 0, 256},
    Setting{"server.connections_max", "--connections-max", number, "1000",
            "Connections at a time (Lithair's connection_pool); one more takes the place of the one that is idle, or "
            "without a "
            "whole header, for longest, and gets 503 where all are busy. Fewer where the limit of open files is lower.",
            1, 1'000'000},
    Setting{"server.request_timeout", "--request-timeout", duration, "30s",
            "How long a body may take to arrive, a request to be answered, a client to take its reply.",
            10 * millisecond, hour},
    Setting{"server.header_timeout", "--header-timeout", duration, "10s",
            "From the first byte of a request to the end of its header; also for a TLS handshake.", 10 * millisecond,
            hour},
    Setting{"server.idle_timeout", "--idle-timeout", duration, "75s",
            "How long a connection may stay without a request.", 10 * millisecond, day},
    Setting{"server.drain_timeout", "--drain-timeout", duration, "10s", "At a stop: how long what has begun may take.",
            0, hour},
    Setting{"server.header_bytes_max", "--header-bytes-max", bytes, "32KiB", "Request line and header fields together.",
            kib, mib},
    Setting{"server.bodies_bytes_max", "--bodies-bytes-max", bytes, "256MiB",
            "What the bodies of requests under way may take of memory together, beyond the first 64 KiB of each; one "
            "more gets 503.",
            8 * mib, 64 * gib},
    Setting{"server.min_position_timeout", "--min-position-timeout", duration, "5s",
            "How long a read waits for min_position.", 0, hour},
    Setting{"server.waits_max", "--waits-max", number, "500",
            "Reads that wait for a change (`wait`) at a time; one more gets 503.", 0, 1'000'000},
    Setting{"server.cache_bytes_max", "--cache-bytes-max", bytes, "64MiB",
            "What lists of models that declare `cache` may take of memory, as they were written out; 0: none are kept.",
            0, 64 * gib},
    Setting{"server.reads_max", "--reads-max", number, "500",
            "With store.kind = postgres: reads of the past that wait for a connection to the database at a time; one "
            "more gets 503.",
            1, 1'000'000},
    Setting{"store.kind", "--store", choice, "embedded", "Where events live.", 0, 0, "embedded|memory|postgres"},
    Setting{"store.directory", "--data", text, "annals-data",
            "The directory of the embedded store, and of checkpoints; made when it is not there."},
    Setting{
        "store.sync", "--sync", choice, "group",
        "When a success is reported: group: once the events survive the loss of power; periodic: once the operating "
        "system has them, flushed every "
        "sync_interval; memory: as periodic, flushed once a second.",
        0, 0, "group|periodic|memory"},
    Setting{"store.sync_interval", "--sync-interval", duration, "10ms",
            "Time between flushes with sync = periodic, and until that of a model's writes whose durability is memory.",
            millisecond, 10 * second},
    Setting{"store.segment_bytes", "--segment-bytes", bytes, "64MiB",
            "Size of one file of the log; bounds what one request can record, and a value to less than half of it.",
            64 * kib, gib},
    Setting{"store.batch_size", "--batch-size", number, "1024", "Commands that are made durable by one flush, at most.",
            1, 10'000},
    Setting{"store.node_id", "--node-id", number, "1", "The number of this server, recorded with each event.", 1,
            4'294'967'295},
    Setting{
        "store.database_url", "--database-url", text, "",
        "With store.kind = postgres: postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=..., or libpq's other form. "
        "What it leaves open is taken from the settings below, then from libpq's environment. DATABASE_URL in the "
        "environment counts when this is not given.",
        0, 0, "", true},
    Setting{"store.hostname", "--database-hostname", text, "",
            "With store.kind = postgres: the host of the database, or the directory of its socket."},
    Setting{"store.port", "--database-port", number, "0", "With store.kind = postgres: its port; 0: the usual, 5432.",
            0, 65'535},
    Setting{"store.username", "--database-username", text, "", "With store.kind = postgres: who connects."},
    Setting{"store.password", "--database-password", text, "",
            "With store.kind = postgres: the password. Others can see a flag: rather name it in the file, in the "
            "environment, or in libpq's ~/.pgpass.",
            0, 0, "", true},
    Setting{"store.database", "--database", text, "", "With store.kind = postgres: the name of the database."},
    Setting{"store.schema", "--database-schema", text, "public",
            "With store.kind = postgres: the schema within the database."},
    Setting{"store.pool_size", "--pool-size", number, "10", "With store.kind = postgres: connections at a time.", 3,
            1000},
    Setting{"store.init", "--init", boolean, "false",
            "With store.kind = postgres: makes the tables when there are none."},
    Setting{"writer.queue_max", "--queue-max", number, "10000", "Writes that wait, at most; one more gets 503 at once.",
            1, 10'000'000},
    Setting{"writer.queue_bytes_max", "--queue-bytes-max", bytes, "64MiB",
            "What waiting writes take together, at most.", mib, 64 * gib},
    Setting{"idempotency.retention", "--idempotency-retention", duration, "24h",
            "How long an Idempotency-Key is remembered.", second, 365 * day},
    Setting{"idempotency.keys_max", "--idempotency-keys-max", number, "1000000",
            "Idempotency keys that are remembered, at most.", 1, 1'000'000'000},
    Setting{"kv.value_bytes_max", "--value-bytes-max", bytes, "1MiB", "The largest value; a model may set its own.", 1,
            mib},
    Setting{"event_type_prefix", "--event-type-prefix", text, "",
            "Put before event types in what the API shows, such as Elixir.ConfigApi.Events."},
    Setting{
        "secrets.key_file", "--secrets-key-file", text, "",
        "File with the keys for secret fields, which nobody but its owner may read: lines of an id and what `openssl "
        "rand -base64 32` prints. The first key encrypts, all of them decrypt."},
    Setting{"audit.values", "--audit-values", boolean, "false", "Shows values in the audit log instead of ****."},
    Setting{"log.level", "--log-level", choice, "info", "The least important records that are logged.", 0, 0,
            "debug|info|warning|error"},
};

/// What to say to whom it is a name all the same; begins with "; " or is empty.
std::string advice_on(const Setting& setting, const std::string& text) {
  if (setting.key != "store.database" && setting.key != "store.username") return advice_on_paths(text);
  return advice_on_paths(text).empty() ? "" : "; a name that is so goes there too, with : as %3A and @ as %40";
}

/// A directory, a host or a name is no address, and nothing but what is secret has a password in it. Errors: usage.
Result<> check_is_no_address(const Setting& setting, const Settings::Value& value) {
  if (setting.secret) return {};
  const std::string is = value.source + ": " + std::string(setting.key) + " is ";
  const std::string hint =
      "; that of a database is given as store.database_url (--database-url)" + advice_on(setting, value.text);
  if (is_database_address(value.text) || (setting.key.starts_with("store.") && is_address(value.text))) {
    return fail(ErrorKind::usage, is + "the address " + in_quotes(value.text) + hint);
  }
  if (!has_password(value.text)) return {};
  return fail(ErrorKind::usage, is + in_quotes(value.text) + ", in which there is a password" + hint);
}

std::vector<std::string> choices_of(const Setting& setting) {
  std::vector<std::string> choices(1);
  for (const char character : setting.choices) {
    if (character == '|') {
      choices.emplace_back();
    } else {
      choices.back() += character;
    }
  }
  return choices;
}

Result<std::string> check(const Setting& setting, const Settings::Value& value) {
  const std::string& given = value.text;
  bool good = true;
  std::string normal = given;
  switch (setting.type) {
    // What has a default cannot be meant to be empty: a variable of the environment that was set to nothing is a slip.
    case text:
      good = !given.empty() || setting.default_text.empty();
      TRY(check_is_no_address(setting, value));
      break;
    case choice: {
      const std::vector<std::string> choices = choices_of(setting);
      good = std::ranges::find(choices, given) != choices.end();
      break;
    }
    case boolean: good = given == "true" || given == "false"; break;
    case number: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
      good =
          error == std::errc{} && end == given.data() + given.size() && number >= setting.min && number <= setting.max;
      break;
    }
    case bytes: {
      const auto count = bytes_from_text(given);
      good = count && *count >= setting.min && *count <= setting.max;
      break;
    }
    case duration: {
      const auto time = duration_from_text(given);
      good = time && time->count() >= setting.min && time->count() <= setting.max;
      if (good) normal = to_text(*time);
      break;
    }
  }
  if (good) return normal;
  return fail(ErrorKind::usage, value.source + ": " + std::string(setting.key) + " is " +
                                    (setting.secret ? "\"****\"" : in_quotes(given)) + "; expected " +
                                    expected_form(setting) +
                                    (setting.type == choice ? did_you_mean(given, choices_of(setting)) : ""));
}

/// The error with the line of the file that the value was taken from; but not with one that may hold a secret.
Error with_line(const Setting& setting, const Settings::Value& value, const GivenSettings& file, Error error) {
  const auto given = file.find(setting.key);
  const bool is_from_file = given != file.end() && given->second.where == value.source && given->second.place;
  if (!is_from_file || setting.secret || setting.type == text) return error;
  const std::string what = error.message.substr(value.source.size() + 2);  // without the place before it
  return model::refuse_harmless(*given->second.place, what).error();
}

}  // namespace

std::span<const Setting> settings_catalogue() {
  return catalogue;
}

std::string environment_name(const Setting& setting) {
  std::string name = "ANNALS_";
  for (char character : setting.key) {
    name += character == '.'                       ? '_'
            : character >= 'a' && character <= 'z' ? static_cast<char>(character - 'a' + 'A')
                                                   : character;
  }
  return name;
}

std::string expected_form(const Setting& setting) {
  switch (setting.type) {
    case text: return setting.default_text.empty() ? "text" : "text that is not empty";
    case choice: {
      std::string all;
      for (const std::string& one : choices_of(setting)) all += (all.empty() ? "one of " : ", ") + one;
      return all;
    }
    case boolean: return "true or false";
    case number: return "a whole number from " + std::to_string(setting.min) + " to " + std::to_string(setting.max);
    case bytes:
      return "a size from " + bytes_to_text(setting.min) + " to " + bytes_to_text(setting.max) +
             ", such as 512KiB or 64MiB";
    case duration:
      return "a time with its unit (us, ms, s, m, h, d), from " + to_text(Duration{setting.min}) + " to " +
             to_text(Duration{setting.max}) + ", such as 250ms, 30s or 24h";
  }
  return "text";
}

Result<Settings> Settings::resolve(const GivenSettings& flags,
                                   const std::function<const char*(const char*)>& environment,
                                   const GivenSettings& file, std::vector<model::Model> models) {
  Settings settings;
  for (const Setting& setting : settings_catalogue()) {
    Value value{std::string(setting.default_text), "default"};
    const std::string variable = environment_name(setting);
    if (const auto flag = flags.find(setting.key); flag != flags.end()) {
      value = {flag->second.text, flag->second.where};
    } else if (const char* text = environment(variable.c_str())) {
      value = {text, "environment " + variable};
    } else if (const auto given = file.find(setting.key); given != file.end()) {
      value = {given->second.text, given->second.where};
    }
    auto checked = check(setting, value);
    if (!checked) return std::unexpected(with_line(setting, value, file, std::move(checked).error()));
    value.text = *std::move(checked);
    settings.values_.emplace(setting.key, std::move(value));
  }
  settings.take_database_url(environment);
  if (models.empty()) {
    models.push_back(model::Model::kv("config", {"/config", "/v1/config"}));
    models.back().value_bytes_max = 0;
  }
  for (model::Model& model : models) {
    model.event_type_prefix = settings.text("event_type_prefix");
    if (model.value_bytes_max == 0)
      model.value_bytes_max = static_cast<std::size_t>(settings.number("kv.value_bytes_max"));
  }
  settings.models_ = std::move(models);
  return settings;
}

void Settings::give_cipher(const std::shared_ptr<const model::SecretCipher>& cipher) {
  for (model::Model& model : models_) {
    if (model.has_secrets()) model.cipher = cipher;
  }
}

/// DATABASE_URL says where the database is when nothing else does; and a database that is named, that it is to be used.
void Settings::take_database_url(const std::function<const char*(const char*)>& environment) {
  Value& url = values_.find("store.database_url")->second;
  const char* const given = environment("DATABASE_URL");
  if (url.source == "default" && given != nullptr && *given != '\0') url = {given, "environment DATABASE_URL"};
  Value& store = values_.find("store.kind")->second;
  if (store.source == "default" && !url.text.empty()) store = {"postgres", url.source};
}

std::string Settings::shown(const Setting& setting) const {
  const std::string& text = value(setting.key).text;
  if (!setting.secret || text.empty()) return shown_name(text);
  return setting.key == "store.database_url" ? without_password(text) : "****";
}

const Settings::Value& Settings::value(std::string_view key) const {
  const auto found = values_.find(key);
  INVARIANT(found != values_.end(), "every setting that is asked for is in the catalogue");
  return found->second;
}

std::uint64_t Settings::number(std::string_view key) const {
  const auto number = bytes_from_text(text(key));
  INVARIANT(number.has_value(), "numbers were checked when they were resolved");
  return static_cast<std::uint64_t>(*number);
}

Duration Settings::duration(std::string_view key) const {
  const auto duration = duration_from_text(text(key));
  INVARIANT(duration.has_value(), "durations were checked when they were resolved");
  return *duration;
}

}  // namespace annals::server
