#include "server/shown_text.hpp"

#include <gtest/gtest.h>

#include <map>

namespace annals::server {
namespace {

TEST(shown_text, no_part_of_a_database_url_that_may_be_a_password_is_shown) {
  for (const auto& [url, shown] : std::map<std::string, std::string>{
           {"postgres://user:secret@host:5432/db", "postgres://user:****@host:5432/db"},
           {"postgres://user:se:cret@host/db", "postgres://user:****@host/db"},
           {"postgres://user:se/cret@host/db", "postgres://****"},
           {"postgres://user:se?cret@host/db", "postgres://****"},
           {"postgres://user:hunter2secret", "postgres://user:****"},
           {"postgres://user:se@cret@host/db", "postgres://user:****@host/db"},
           {"postgres://user@host/db", "postgres://user@host/db"},
           {"postgres://host/db", "postgres://host/db"},
           {"postgres://host/db?user=u&password=secret", "postgres://host/db?****"},
           {"postgres://user:secret@host?sslpassword=secret", "postgres://user:****@host?****"},
           {"postgres:///db?password=se@cret", "postgres://****"},
           {"host=h password=secret", "****"},
           {"", "****"}}) {
    EXPECT_EQ(without_password(url), shown) << url;
  }
}

TEST(shown_text, in_a_text_every_password_is_masked_and_nothing_else) {
  for (const auto& [text, shown] : std::map<std::string, std::string>{
           {"postgres://u:secret@h/x cannot be opened: No such file",
            "postgres://u:****@h/x cannot be opened: No such file"},
           {"\"postgres://u:se@cret@h/x\" and http://a:secret@b", "\"postgres://u:****@h/x\" and http://a:****@b"},
           {"postgres://u:secr", "postgres://u:****"},
           {"--file: postgres://h/x?password=secret&sslmode=require",
            "--file: postgres://h/x?password=****&sslmode=require"},
           {"host=h Password = 'se\\' cret' dbname=x", "host=h Password = **** dbname=x"},
           {"sslpassword=secret, PGPASSWORD=secret", "sslpassword=**** PGPASSWORD=****"},
           {"look whether a server runs at http://127.0.0.1:4000; or https://[::1]:4000/-/x?after=0",
            "look whether a server runs at http://127.0.0.1:4000; or https://[::1]:4000/-/x?after=0"},
           {"it is to be postgres://USER:PASSWORD@HOST:PORT/DATABASE, no password supplied",
            "it is to be postgres://USER:PASSWORD@HOST:PORT/DATABASE, no password supplied"},
           {"\"127.0.0.1:70000\"; expected a time, such as 2026-02-12T10:00:00Z",
            "\"127.0.0.1:70000\"; expected a time, such as 2026-02-12T10:00:00Z"},
           {"1 | password = \"sec\\\"ret\" x\n  |            ^", "1 | password = **** x\n  |            ^"},
           {"1 | PASSWORD = \"secret\n  |            ^", "1 | PASSWORD = ****\n  |            ^"},
           {"1 | password \"secret\"", "1 | password ****"},
           {"1 | password = { type = \"string\", password = \"secret\" }",
            "1 | password = { type = \"string\", password = **** }"},
           {"1 | a = { password = ****, b = [****] }", "1 | a = { password = ****, b = [****] }"},
           {"password = {secret} x", "password = **** x"},
           {"there is no setting \"store.pasword\"; did you mean \"store.password\"? it is text",
            "there is no setting \"store.pasword\"; did you mean \"store.password\"? it is text"},
           {"", ""}}) {
    EXPECT_EQ(without_passwords(text), shown);
    EXPECT_EQ(without_passwords(shown), shown);
    EXPECT_EQ(has_password(text), text != shown);
  }
}

TEST(shown_text, what_is_quoted_is_masked_before_it_is_cut) {
  const std::string many(95, 'x');
  EXPECT_EQ(in_quotes("postgres://" + many + ":secret@h").find("sec"), std::string::npos);
  EXPECT_EQ(in_quotes("postgres://u:se \"cret@h/x"), "\"postgres://u:****@h/x\"");
  EXPECT_EQ(in_quotes("u:secret@h/x"), "\"u:****@h/x\"") << "the scheme was forgotten";
  EXPECT_EQ(in_quotes(std::string(1000, 'y')), "\"" + std::string(100, 'y') + "\"");
  EXPECT_EQ(in_quotes("127.0.0.1:4000"), "\"127.0.0.1:4000\"");
}

}  // namespace
}  // namespace annals::server
