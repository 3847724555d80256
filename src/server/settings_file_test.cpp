#include <gtest/gtest.h>

#include <map>

#include "server/settings.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

/// A folder without files.
Result<std::string> no_file(const std::string& path) {
  return fail(ErrorKind::not_found, path + " is not there");
}

std::string refusal(std::string_view text) {
  const auto contents = read_settings_file(text, "annals.toml", no_file);
  if (contents) return "(taken)";
  EXPECT_EQ(contents.error().kind, ErrorKind::usage);
  return contents.error().message;
}

#define EXPECT_REFUSED(text, place, part)                                   \
  do {                                                                      \
    const std::string message = refusal(text);                              \
    EXPECT_TRUE(message.starts_with("annals.toml:" place ": ")) << message; \
    EXPECT_NE(message.find(part), std::string::npos) << message;            \
  } while (false)

TEST(settings_file, settings_are_read_with_the_place_they_stand_at) {
  const auto contents = read_settings_file(
      "event_type_prefix = \"Elixir.\"\n[server]\nlisten = \"127.0.0.1:1\"\ninsecure = true\nworker_threads = 2\n"
      "request_timeout = 5\nidle_timeout = \"5m\"\n[store]\nsegment_bytes = 65536\n",
      "annals.toml", no_file);
  ASSERT_TRUE(contents) << contents.error().message;
  const auto text = [&](const char* key) { return contents->settings.at(key).text; };
  EXPECT_EQ(text("event_type_prefix"), "Elixir.");
  EXPECT_EQ(text("server.listen"), "127.0.0.1:1");
  EXPECT_EQ(contents->settings.at("server.listen").where, "annals.toml:3:10");
  EXPECT_EQ(text("server.insecure"), "true");
  EXPECT_EQ(text("server.worker_threads"), "2");
  EXPECT_EQ(text("server.request_timeout"), "5");
  EXPECT_EQ(text("server.idle_timeout"), "5m");
  EXPECT_EQ(text("store.segment_bytes"), "65536");
  EXPECT_TRUE(contents->models.empty());
  EXPECT_TRUE(read_settings_file("", "annals.toml", no_file).has_value());
}

TEST(settings_file, what_is_not_toml_is_refused_at_its_place) {
  EXPECT_REFUSED("[server]\nlisten = \n", "2:10", "not TOML");
  EXPECT_REFUSED("[&]\nx = 1\n", "1:2", "not TOML");
  EXPECT_REFUSED("serv\xcb\x8f = 1\n", "1:5", "not TOML");
  EXPECT_REFUSED("[server]\nlisten = \"a:1\"\nlisten = \"b:1\"\n", "3:10", "not TOML");
}

TEST(settings_file, a_value_of_the_wrong_form_is_shown_with_its_line) {
  const auto resolved = [](const std::string& text) {
    const auto contents = read_settings_file(text, "annals.toml", no_file);
    const auto nothing = [](const char*) -> const char* { return nullptr; };
    const auto settings = Settings::resolve({}, nothing, contents.value().settings, {});
    return settings ? std::string("(taken)") : settings.error().message;
  };
  EXPECT_EQ(resolved("[store]\nsync = \"perodic\"\n"),
            "annals.toml:2:8: store.sync is \"perodic\"; expected one of group, periodic, memory; did you mean "
            "\"periodic\"?\n"
            "  2 | sync = \"perodic\"\n"
            "    |        ^");
  EXPECT_NE(resolved("[server]\nrequest_timeout = 30\n").find("expected a time with its unit"), std::string::npos);
  EXPECT_EQ(refusal("[server]\nworker_threads = \"2\"  # threads\n"),
            "annals.toml:2:18: server.worker_threads is of type string; expected a whole number from 0 to 256\n"
            "  2 | worker_threads = \"2\"  #****\n"
            "    |                  ^");
  EXPECT_EQ(refusal("[server]\nlisten = 4000\n"),
            "annals.toml:2:10: server.listen is of type integer; expected text that is not empty in quotes\n"
            "  2 | listen = 4000\n"
            "    |          ^");
  const std::string secret = resolved("[store]\ndatabase_url = \"\"\npassword = \"hunter2\"\nschema = \"\"\n");
  EXPECT_EQ(secret.find("hunter2"), std::string::npos) << secret;
}

TEST(settings_file, what_may_be_a_password_is_in_no_line_that_is_shown) {
  for (const auto& [text, line] : {
           std::pair{"pasword = \"hunter2\"\n", "  1 | pasword = ****\n    | ^"},
           {"[store]\ndatabse_url = \"postgres://u:hunter2@h/db\"\n", "  2 | databse_url = ****\n    | ^"},
           {"username = \"u:hunter2\"\n", "  1 | username = ****\n    | ^"},
           {"[server]\npassword = \"hunter2\"\n", "  2 | password = ****\n    | ^"},
           {"store.pasword = \"hunter2\"\n", "  1 | store.pasword = ****\n    |       ^"},
           {"store = { password = \"hunter2\", lisen = \"x\" }\n",
            "  1 | store = { password = ****, lisen = **** }\n    |                            ^"},
           {"[store]\npasword = \"\"\"\nhunter2\"\"\"\n", "  2 | pasword = ****\n    | ^"},
           {"[store]\npassword = hunter2\n", "  2 | password = ****\n    |            ^"},
           {"[store]\npassword = 'hunter2' 'hunter2'\n", "  2 | password = **** ****\n    |                 ^"},
           {"[store]\npassword = thunter2\n", "  2 | password = ****\n    |            ^"},
           {"[store]\npassword = 99999999999999999999999999\n", "  2 | password = ****\n    |            ^"},
           {"[store]\npassword = 1\npassword = 'hunter2'\n", "  3 | password = ****\n    |            ^"},
           {"[store]\nusername = 'u:hunter2'\n[store.schema]\n", "  3 | [store.schema]\n    | ^"},
           {"[model.a]\npath = \"/a\"\nprofile = \"kv\"\npassword = \"hunter2\"\n", "  4 | password = ****\n    | ^"},
           {"[model.a]\npath = \"/a\"\n[model.a.fields]\npassword = { type = \"strin\", default = \"x\" }\n",
            "  4 | password = { type = \"strin\", default = \"x\" }\n    |                     ^"},
       }) {
    const std::string message = refusal(text);
    EXPECT_TRUE(message.starts_with("annals.toml:")) << message;
    EXPECT_TRUE(message.ends_with(line)) << message;
    EXPECT_EQ(message.find("hunter"), std::string::npos) << message;
    EXPECT_EQ(message.find("thu"), std::string::npos) << message;
    EXPECT_EQ(message.find("9999"), std::string::npos) << message;
    EXPECT_EQ(without_passwords(message), message) << "so the caret stays where it is";
  }
}

TEST(settings_file, what_may_be_a_password_is_shown_by_no_slip_of_one_character) {
  const std::vector<std::string> files{
      "[store]\nkind = \"postgres\"\npassword = \"hunter2\"\nport = 5432 # hunter2\nusername = 'u:hunter2'\n",
      "store = { pasword = 'hunter2', database_url = \"postgres://u:hunter2@h/db\" }\n",
      "store.password = \"\"\"\nhunter2\"\"\"\n[secrets]\nkey_file = '''hunter2'''\n",
      "[model.a]\npath = \"/a\"\nmethods = [\"GET\"]\npassword = \"hunter2\"\n[model.a.fields]\nid = { type = "
      "\"uuid\", primary_key = true }\npin = { type = \"string\", default = \"hunter2\", secret = true }\n"};
  std::size_t refused = 0;
  const auto look = [&](const std::string& text) {
    const std::string message = refusal(text);
    if (message == "(taken)") return;
    ++refused;
    EXPECT_EQ(message.find("hunter"), std::string::npos) << text << "\n" << message;
  };
  for (const std::string& file : files) {
    for (std::size_t place = 0; place <= file.size(); ++place) {
      for (const char character : std::string_view("\"'=#[]{},.\n\\ x1:")) {
        look(file.substr(0, place) + character + file.substr(place));
        if (place < file.size()) look(file.substr(0, place) + character + file.substr(place + 1));
      }
      look(file.substr(0, place));
      if (place < file.size()) look(file.substr(0, place) + file.substr(place + 1));
    }
  }
  EXPECT_GT(refused, 1000u);
}

TEST(settings_file, an_unknown_key_is_refused_with_a_suggestion) {
  EXPECT_REFUSED("[store]\ndirectry = \"x\"\n", "2:1",
                 "\"store.directry\" is not a setting; did you mean \"store.directory\"?");
  EXPECT_REFUSED("\n[sever]\nlisten = \"x\"\n", "2:2", "\"sever\" is not a setting; did you mean \"server\"?");
  EXPECT_REFUSED("[store.directory]\nx = 1\n", "1:1", "store.directory is of type table");
  EXPECT_REFUSED("server = 1\n", "1:10", "server is a table of settings, not integer");
}

TEST(settings_file, a_value_of_the_wrong_type_is_refused_with_what_was_expected) {
  EXPECT_REFUSED("[server]\nlisten = 4000\n", "2:10",
                 "server.listen is of type integer; expected text that is not empty in quotes");
  EXPECT_REFUSED("[server]\ninsecure = \"true\"\n", "2:12", "expected true or false");
  EXPECT_REFUSED("[server]\nworker_threads = \"2\"\n", "2:18", "expected a whole number");
  EXPECT_REFUSED("[server]\nworker_threads = 2.5\n", "2:18", "is of type floating-point");
  EXPECT_REFUSED("[server]\nrequest_timeout = true\n", "2:19", "expected a time");
  EXPECT_REFUSED("[modle.a]\npath = \"/a\"\n", "1:2", "\"modle\" is not a setting; did you mean \"model\"?");
  EXPECT_REFUSED("[server]\nsync = \"group\"\n", "2:1", "did you mean \"store.sync\"?");
  EXPECT_REFUSED("[store]\ndir = \"a\"\n", "2:1", "did you mean \"store.directory\"?");
  EXPECT_REFUSED("lisen = \"127.0.0.1:1\"\n", "1:1", "did you mean \"server.listen\"?");
  EXPECT_REFUSED("listen = \"127.0.0.1:1\"\n", "1:1", "did you mean \"server.listen\"?");
  EXPECT_REFUSED("[store]\nsync = [\"group\"]\n", "2:8", "expected one of group, periodic, memory in quotes");
  EXPECT_REFUSED("[store]\nsegment_bytes = 1979-05-27\n", "2:17", "expected a size");
}

TEST(settings_file, models_are_read_whole) {
  const auto contents = read_settings_file(
      "[model.flags]\nprofile = \"kv\"\npath = [\"/flags\", \"/v1/flags\"]\nconsistency = \"restart\"\nrefresh_every = "
      "\"30s\"\nvalue_bytes_max = \"1KiB\"\n"
      "[model.other]\nprofile = \"kv\"\npath = \"/other\"\nconsistency = \"eventual\"\nvalue_bytes_max = 5\n"
      "[model.third]\nprofile = \"kv\"\npath = \"/third\"\n",
      "annals.toml", no_file);
  ASSERT_TRUE(contents) << contents.error().message;
  ASSERT_EQ(contents->models.size(), 3u);
  const model::Model& flags = contents->models[0];
  EXPECT_EQ(flags.name, "flags");
  EXPECT_EQ(flags.paths, (std::vector<std::string>{"/flags", "/v1/flags"}));
  EXPECT_EQ(flags.consistency, model::Consistency::restart);
  EXPECT_EQ(flags.refresh_every, std::chrono::seconds(30));
  EXPECT_EQ(flags.value_bytes_max, 1024u);
  EXPECT_EQ(contents->models[1].consistency, model::Consistency::eventual);
  EXPECT_EQ(contents->models[1].value_bytes_max, 5u);
  EXPECT_EQ(contents->models[2].consistency, model::Consistency::live);
  EXPECT_EQ(contents->models[2].value_bytes_max, 0u) << "the general setting";
}

TEST(settings_file, a_model_that_does_not_hold_together_is_refused) {
  EXPECT_REFUSED("model = 1\n", "1:9", "declare a model as [model.NAME]");
  EXPECT_REFUSED("[model]\na = 1\n", "2:5", "a table is expected");
  EXPECT_REFUSED("[model.Big]\nprofile = \"kv\"\npath = \"/b\"\n", "1:8", "[a-z][a-z0-9_]*");
  EXPECT_REFUSED("[model.a]\npath = \"/a\"\n", "1:8", "model.a has no fields");
  EXPECT_REFUSED("[model.a]\nprofile = \"kv\"\n", "1:8", "model.a has no path; write path = \"/a\"");
  EXPECT_REFUSED("[model.a]\nprofile = \"sql\"\npath = \"/a\"\n", "2:11", "expected \"kv\" or \"resource\"");
  EXPECT_REFUSED("[model.a]\nprofile = \"kv\"\npath = \"/a\"\nconsistency = \"soon\"\n", "4:15",
                 "\"live\", \"eventual\" or \"restart\"");
  EXPECT_REFUSED("[model.a]\nprofile = \"kv\"\npath = \"/a\"\nconsistency = \"restart\"\nrefresh_every = \"1ms\"\n",
                 "5:17", "10ms at least");
  EXPECT_REFUSED("[model.a]\nprofile = \"kv\"\npath = \"/a\"\nrefresh_every = \"1s\"\n", "4:17",
                 "goes with consistency = \"restart\" only");
  EXPECT_REFUSED("[model.a]\nprofile = \"kv\"\npath = \"/a\"\nvalue_bytes_max = \"2MiB\"\n", "4:19", "from 1 to 1MiB");
  EXPECT_REFUSED("[model.a]\nprofile = \"kv\"\npath = \"/a\"\nvalue_bytes_max = 0\n", "4:19", "from 1 to 1MiB");
  EXPECT_REFUSED("[model.a]\nprofile = \"kv\"\npaths = \"/a\"\n", "3:1", "did you mean \"path\"?");
}

TEST(settings_file, paths_are_plain_and_lie_apart) {
  const auto with_path = [](const std::string& path) {
    return refusal("[model.a]\nprofile = \"kv\"\npath = " + path + "\n");
  };
  for (const char* good : {"\"/a\"", "\"/a/b-c_d.e~f\"", "[\"/a\", \"/ab\"]", "\"/metrics2\"", "\"/v1/config\"",
                           "\"/v1/metrics\"", "\"/.well-known\"", "\"/a/...\"", "\"/-a\""})
    EXPECT_EQ(with_path(good), "(taken)") << good;
  for (const char* bad : {"\"a\"", "\"/\"", "\"/a/\"", "\"/a//b\"", "\"/a b\"", "\"/a?b\"", "\"/ä\"", "\"/:a\"", "\"\"",
                          "\"/health\"", "\"/v1/health/x\"", "\"/-\"", "\"/-/x\"", "1", "[]", "[1]", "[\"/a\", \"/a\"]",
                          "[\"/a\", \"/a/b\"]", "[\"/a/b\", \"/a\"]"}) {
    EXPECT_TRUE(with_path(bad).starts_with("annals.toml:3:")) << bad << ": " << with_path(bad);
  }
  for (const char* own : {"\"/health\"", "\"/health/x\"", "\"/v1\"", "\"/v1/health\"", "\"/livez\"", "\"/readyz\"",
                          "\"/metrics\"", "\"/metrics/x\"", "\"/-\"", "\"/-/models\"", "\"/-/x\""}) {
    EXPECT_NE(with_path(own).find("which is the server's own"), std::string::npos) << own << ": " << with_path(own);
  }
  for (const char* dots : {"\"/..\"", "\"/.\"", "\"/a/../b\"", "\"/./a\""}) {
    EXPECT_NE(with_path(dots).find("has a segment . or .."), std::string::npos) << dots << ": " << with_path(dots);
  }
  const auto of_two = [](const std::string& one, const std::string& other) {
    return refusal("[model.a]\nprofile = \"kv\"\npath = \"" + one + "\"\n[model.b]\nprofile = \"kv\"\npath = \"" +
                   other + "\"\n");
  };
  EXPECT_EQ(of_two("/a", "/ab"), "(taken)");
  for (const auto& [one, other] : {std::pair{"/a", "/a"}, {"/a", "/a/b"}, {"/a/b", "/a"}}) {
    EXPECT_TRUE(of_two(one, other).starts_with("annals.toml:4:8: model b is at")) << of_two(one, other);
  }
}

TEST(settings_file, what_is_included_is_read_as_if_it_stood_there) {
  const std::map<std::string, std::string> files{
      {"conf/shop.toml", "include = [\"deeper/more.toml\"]\n[model.a]\nprofile = \"kv\"\npath = \"/a\"\n"},
      {"conf/deeper/more.toml", "[model.b]\nprofile = \"kv\"\npath = \"/b\"\n"},
      {"/etc/store.toml", "[store]\nsync = \"periodic\"\n"},
      {"conf/again.toml", "include = \"shop.toml\"\n"},
      {"conf/other.toml", "[store]\n[server]\n\nlisten = \"127.0.0.1:2\"\n"},
      {"conf/a.toml", "[model.a]\nprofile = \"kv\"\npath = \"/other\"\n"},
      {"conf/b.toml", "[model.c]\nprofile = \"kv\"\npath = \"/a/b\"\n"},
      {"conf/bad.toml", "[model.a]\nprofil = 1\n"},
  };
  const auto read = [&](const std::string& path) -> Result<std::string> {
    const auto file = files.find(path);
    return file == files.end() ? no_file(path) : file->second;
  };
  const auto contents =
      read_settings_file("include = [\"shop.toml\", \"/etc/store.toml\"]\n", "conf/annals.toml", read);
  ASSERT_TRUE(contents) << contents.error().message;
  ASSERT_EQ(contents->models.size(), 2u);
  EXPECT_EQ(contents->models[0].name, "a");
  EXPECT_EQ(contents->models[1].name, "b");
  EXPECT_EQ(contents->settings.at("store.sync").where, "/etc/store.toml:2:8");

  for (const auto& [text, message] : {
           std::pair{"include = 3\n", "conf/annals.toml:1:11: include is the path of a file"},
           std::pair{"include = \"none.toml\"\n", "conf/annals.toml:1:11: the file cannot be included: conf/none.toml"},
           std::pair{"include = \"postgres://u:hunter2@h/db\"\n",
                     "conf/annals.toml:1:11: include is \"postgres://u:****@h/db\"; expected the name of a file\n  1 | "
                     "include = ****\n    |           ^"},
           std::pair{"include = \"u:hunter2@h/db\"\n",
                     "conf/annals.toml:1:11: include is \"u:****@h/db\"; expected the name of a file; a path that is "
                     "called so begins with /, ./ or ../\n  1 | include = ****\n"},
           std::pair{"include = \"./u:hunter2@h/db\"\n",
                     "conf/annals.toml:1:11: the file cannot be included: conf/./u:****@h/db"},
           std::pair{"include = [\"annals.toml\"]\n", "conf/annals.toml:1:12: conf/annals.toml is read already"},
           std::pair{"include = [\"shop.toml\", \"again.toml\"]\n",
                     "conf/again.toml:1:11: conf/shop.toml is read already"},
           std::pair{"include = \"other.toml\"\n[server]\nlisten = \"127.0.0.1:1\"\n",
                     "conf/other.toml:4:10: server.listen is set at conf/annals.toml:3:10 already"},
           std::pair{"include = [\"shop.toml\", \"a.toml\"]\n",
                     "conf/a.toml:1:8: model a is declared at conf/shop.toml:2:8 already"},
           std::pair{"include = [\"shop.toml\", \"b.toml\"]\n", "conf/b.toml:1:8: model c is at \"/a/b\""},
           std::pair{"include = \"bad.toml\"\n", "conf/bad.toml:"},
       }) {
    const auto refused = read_settings_file(text, "conf/annals.toml", read);
    ASSERT_FALSE(refused) << text;
    EXPECT_TRUE(refused.error().message.starts_with(message)) << refused.error().message;
  }
}

}  // namespace
}  // namespace annals::server
