#include "server/settings.hpp"

#include <gtest/gtest.h>

#include <set>

#include "server/wiring.hpp"

namespace annals::server {
namespace {

class SettingsTest : public testing::Test {
 protected:
  Result<Settings> resolve() {
    return Settings::resolve(
        flags,
        [this](const char* name) -> const char* {
          const auto found = environment.find(name);
          return found == environment.end() ? nullptr : found->second.c_str();
        },
        file, models);
  }
  /// What is said when the key has this value.
  std::string refusal(const std::string& key, const std::string& value) {
    file = {{key, Given{value, "annals.toml:3:8"}}};
    const auto settings = resolve();
    if (settings) return "(taken as " + settings->text(key) + ")";
    EXPECT_EQ(settings.error().kind, ErrorKind::usage);
    return settings.error().message;
  }

  GivenSettings flags;
  std::map<std::string, std::string> environment;
  GivenSettings file;
  std::vector<model::Model> models;
};

TEST_F(SettingsTest, a_flag_goes_before_the_environment_before_the_file_before_the_default) {
  const auto effective = [&] {
    const auto settings = resolve();
    return settings ? settings->text("store.directory") + " from " + settings->value("store.directory").source
                    : settings.error().message;
  };
  EXPECT_EQ(effective(), "annals-data from default");
  file["store.directory"] = {"f", "annals.toml:3:8"};
  EXPECT_EQ(effective(), "f from annals.toml:3:8");
  environment["ANNALS_STORE_DIRECTORY"] = "e";
  EXPECT_EQ(effective(), "e from environment ANNALS_STORE_DIRECTORY");
  flags["store.directory"] = {"g", "flag --data"};
  EXPECT_EQ(effective(), "g from flag --data");
}

TEST_F(SettingsTest, every_setting_of_the_catalogue_has_a_good_default_and_its_own_names) {
  ASSERT_TRUE(resolve().has_value());
  std::set<std::string> names;
  for (const Setting& setting : settings_catalogue()) {
    EXPECT_TRUE(names.insert(std::string(setting.key)).second) << setting.key;
    EXPECT_TRUE(names.insert(std::string(setting.flag)).second) << setting.flag;
    EXPECT_TRUE(names.insert(environment_name(setting)).second);
    EXPECT_TRUE(setting.flag.starts_with("--")) << setting.flag;
    EXPECT_TRUE(setting.sentence.ends_with('.')) << setting.sentence;
    EXPECT_EQ(resolve()->value(setting.key).source, "default");
  }
}

TEST_F(SettingsTest, the_settings_of_s4_are_there_under_their_names) {
  environment = {{"ANNALS_SERVER_WORKER_THREADS", "4"},
                 {"ANNALS_SERVER_CONNECTIONS_MAX", "7"},
                 {"ANNALS_SERVER_REQUEST_TIMEOUT", "1m"},
                 {"ANNALS_STORE_BATCH_SIZE", "9"},
                 {"ANNALS_STORE_SYNC", "periodic"}};
  const auto settings = resolve();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->number("server.worker_threads"), 4u);
  EXPECT_EQ(settings->number("server.connections_max"), 7u);
  EXPECT_EQ(settings->duration("server.request_timeout"), std::chrono::seconds(60));
  EXPECT_EQ(settings->number("store.batch_size"), 9u);
  EXPECT_EQ(settings->text("store.sync"), "periodic");
}

TEST_F(SettingsTest, a_value_of_the_wrong_form_is_refused_with_its_place_and_what_was_expected) {
  EXPECT_EQ(refusal("store.batch_size", "many"),
            "annals.toml:3:8: store.batch_size is \"many\"; expected a whole number from 1 to 10000");
  EXPECT_EQ(refusal("store.sync", "often"),
            "annals.toml:3:8: store.sync is \"often\"; expected one of group, periodic, memory");
  EXPECT_EQ(refusal("store.sync", "perodic"),
            "annals.toml:3:8: store.sync is \"perodic\"; expected one of group, periodic, memory; did you mean "
            "\"periodic\"?");
  EXPECT_EQ(refusal("server.insecure", "yes"), "annals.toml:3:8: server.insecure is \"yes\"; expected true or false");
  EXPECT_EQ(refusal("server.drain_timeout", "soon"),
            "annals.toml:3:8: server.drain_timeout is \"soon\"; expected a time with its unit (us, ms, s, m, h, d), "
            "from 0s to 1h, such as 250ms, 30s or 24h");
  EXPECT_EQ(refusal("kv.value_bytes_max", "big"),
            "annals.toml:3:8: kv.value_bytes_max is \"big\"; expected a size from 1 to 1MiB, such as 512KiB or 64MiB");
  EXPECT_EQ(refusal("store.directory", ""),
            "annals.toml:3:8: store.directory is \"\"; expected text that is not empty");
}

TEST_F(SettingsTest, numbers_sizes_and_times_are_taken_within_their_bounds_only) {
  for (const char* good : {"1", "10000", "0512"})
    EXPECT_EQ(refusal("store.batch_size", good), "(taken as " + std::string(good) + ")");
  for (const char* bad :
       {"", "0", "10001", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "99999999999999999999", "1KiB"}) {
    EXPECT_NE(refusal("store.batch_size", bad).find("expected a whole number"), std::string::npos) << bad;
  }
  for (const char* good : {"65536", "64KiB", "1GiB", "1048576B"})
    EXPECT_EQ(refusal("store.segment_bytes", good), "(taken as " + std::string(good) + ")");
  for (const char* bad : {"", "65535", "63KiB", "2GiB", "64kb", "64 KiB", "-64KiB", "KiB", "9223372036854775807GiB"}) {
    EXPECT_NE(refusal("store.segment_bytes", bad).find("expected a size from 64KiB to 1GiB"), std::string::npos) << bad;
  }
  EXPECT_EQ(refusal("store.sync_interval", "1000us"), "(taken as 1ms)");
  EXPECT_EQ(refusal("server.drain_timeout", "0"), "(taken as 0s)");
  for (const char* bad : {"", "2", "999us", "11s", "-1s", "1 s", "1week"}) {
    EXPECT_NE(
        refusal("store.sync_interval", bad).find("expected a time with its unit (us, ms, s, m, h, d), from 1ms to 10s"),
        std::string::npos)
        << bad;
  }
  for (const char* bad : {"", "group|periodic", "|", "Group", "group "}) {
    EXPECT_NE(refusal("store.sync", bad).find("expected one of"), std::string::npos) << bad;
  }
}

TEST_F(SettingsTest, a_variable_of_the_environment_is_named_when_its_value_is_refused) {
  environment["ANNALS_LOG_LEVEL"] = "loud";
  EXPECT_EQ(resolve().error().message,
            "environment ANNALS_LOG_LEVEL: log.level is \"loud\"; expected one of debug, info, warning, error");
  environment["ANNALS_LOG_LEVEL"] = std::string(500, 'x');
  EXPECT_LT(resolve().error().message.size(), 250u) << "what is said stays short";
}

TEST_F(SettingsTest, database_url_asks_for_postgres_unless_something_else_names_a_store) {
  environment["DATABASE_URL"] = "postgres://user:password@host/db";
  const auto shown = resolve();
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->text("store.kind"), "postgres");
  EXPECT_EQ(shown->value("store.kind").source, "environment DATABASE_URL");
  EXPECT_EQ(shown->text("store.database_url"), "postgres://user:password@host/db");

  flags["store.kind"] = {"memory", "flag --store"};
  EXPECT_EQ(resolve()->text("store.kind"), "memory");
  flags.clear();
  environment["DATABASE_URL"] = "";
  EXPECT_EQ(resolve()->text("store.kind"), "embedded");
}

TEST_F(SettingsTest, a_database_that_is_named_goes_before_database_url_and_asks_for_postgres_too) {
  environment["DATABASE_URL"] = "postgres://one/db";
  flags["store.database_url"] = {"postgres://two/db", "flag --database-url"};
  EXPECT_EQ(resolve()->text("store.database_url"), "postgres://two/db");
  EXPECT_EQ(resolve()->value("store.kind").text, "postgres");
  EXPECT_EQ(resolve()->value("store.kind").source, "flag --database-url");
}

TEST_F(SettingsTest, secrets_are_shown_without_what_is_secret) {
  environment["DATABASE_URL"] = "postgres://user:secret@host/db";
  environment["ANNALS_STORE_PASSWORD"] = "secret";
  const auto settings = resolve();
  ASSERT_TRUE(settings);
  for (const Setting& setting : settings_catalogue()) {
    EXPECT_EQ(settings->shown(setting).find("secret"), std::string::npos) << setting.key;
  }
}

TEST_F(SettingsTest, without_a_declared_model_there_is_the_configuration_service) {
  file["kv.value_bytes_max"] = {"1KiB", "annals.toml:1:1"};
  environment["ANNALS_EVENT_TYPE_PREFIX"] = "Elixir.";
  const auto settings = resolve();
  ASSERT_EQ(settings->models().size(), 1u);
  EXPECT_EQ(settings->models()[0].paths, (std::vector<std::string>{"/config", "/v1/config"}));
  EXPECT_EQ(settings->models()[0].event_type_prefix, "Elixir.");
  EXPECT_EQ(settings->models()[0].value_bytes_max, 1024u);
}

TEST_F(SettingsTest, a_model_keeps_its_own_bound_of_values_and_takes_the_general_one_otherwise) {
  models = {model::Model::kv("a", {"/a"}), model::Model::kv("b", {"/b"})};
  models[0].value_bytes_max = 0;
  models[1].value_bytes_max = 5;
  file["kv.value_bytes_max"] = {"7", "annals.toml:1:1"};
  const auto settings = resolve();
  ASSERT_EQ(settings->models().size(), 2u);
  EXPECT_EQ(settings->models()[0].value_bytes_max, 7u);
  EXPECT_EQ(settings->models()[1].value_bytes_max, 5u);
}

// --- Addresses
// -------------------------------------------------------------------------------------------------------------

TEST(address, a_host_and_a_port_are_read_and_written) {
  for (const char* text :
       {"127.0.0.1:4000", "localhost:0", "[::1]:4000", "[::]:65535", "example.org:80", "0.0.0.0:1"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->url(), "http://" + std::string(text));
  }
  EXPECT_EQ(parse_address("[::1]:4000")->host, "::1");
  for (const char* text : {"", ":", "4000", ":4000", "localhost", "localhost:", "localhost:x", "localhost:-1",
                           "localhost:+1", "localhost:65536", "localhost: 80", "localhost:80 ", "::1:4000", "::1",
                           "[::1]", "[::1]4000", "[]:4000", "[::1:4000", "::1]:4000"}) {
    const auto address = parse_address(text);
    EXPECT_FALSE(address) << text << " was taken as " << address->host;
    EXPECT_TRUE(address || address.error().kind == ErrorKind::usage) << text;
  }
}

TEST(address, loopback_is_what_nobody_else_can_reach) {
  const auto loopback = [](const char* host) { return Address{host, 1}.loopback(); };
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) EXPECT_TRUE(loopback(host)) << host;
  for (const char* host : {"0.0.0.0", "::", "192.168.0.1", "127.evil.example", "127.0.0.1.example.org",
                           "localhost.example.org", "1127.0.0.1", "example.org", ""}) {
    EXPECT_FALSE(loopback(host)) << host;
  }
}

TEST_F(SettingsTest, beyond_loopback_it_listens_only_when_told_that_it_may) {
  flags["server.listen"] = {"0.0.0.0:4000", "flag --listen"};
  const auto refused = listen_address(*resolve());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_NE(refused.error().message.find("--insecure"), std::string::npos);
  flags["server.insecure"] = {"true", "flag --insecure"};
  EXPECT_EQ(listen_address(*resolve())->host, "0.0.0.0");
  flags = {{"server.listen", {"[::1]:0", "flag --listen"}}};
  EXPECT_EQ(listen_address(*resolve())->url(), "http://[::1]:0");
}

}  // namespace
}  // namespace annals::server
