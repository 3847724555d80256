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
           {"POSTGRES://u:secret@h/db", "POSTGRES://u:****@h/db"},
           {"postgres//u:secret@h/db", "****"},
           {"postgres://h/dbuser=u&pasword=secret", "postgres://****"},
           {"postgres//u:secret://x@h/db", "****"},
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
           {"--file: postgres://h/x?password=secret&sslmode=require", "--file: postgres://h/x?****"},
           {"postgres://h:1/x?pasword=secret", "postgres://h:1/x?****"},
           {"postgres//u@h/x?passwo@rd=secret!", "postgres//u@h/x?****"},
           {"postgres://u:se?cret@h/x?a=b, http://h/x?after=0", "postgres://u:****@h/x?**** http://h/x?after=0"},
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
           {"postgres//u:secret@h/db cannot be opened", "postgres//u:****@h/db cannot be opened"},
           {"postgres:/u:secret@h/db/LOCK: No such file", "postgres:****@h/db/LOCK: No such file"},
           {"postgresql//u:se/c:r@et@h/db", "postgresql//u:****@h/db"},
           {"postgres:u:secret@h, postgres;//u:secret@h.", "postgres:****@h, postgres;//u:****@h."},
           {"POSTGRES://u:secret@h \"Ecto:\\\\u:secret@h\"", "POSTGRES://u:****@h \"Ecto:****@h\""},
           {"(u:secret@h/db)", "(u:****@h/db)"},
           {"u:sec://ret@h/db", "u:****@h/db"},
           {"postgres//u:secret and postgres;//u:secret", "postgres//u:**** and postgres;//u:****"},
           {"/srv/a:b@c is a path", "/srv/a:****@c is a path"},
           {"postgres: 12:30:01 x@y, user@h:5432/db", "postgres: 12:30:01 x@y, user@h:5432/db"},
           {"", ""}}) {
    EXPECT_EQ(without_passwords(text), shown);
    EXPECT_EQ(without_passwords(shown), shown);
  }
}

TEST(shown_text, what_is_quoted_is_masked_before_it_is_cut) {
  const std::string many(95, 'x');
  EXPECT_EQ(in_quotes("postgres://" + many + ":secret@h").find("sec"), std::string::npos);
  EXPECT_EQ(in_quotes("postgres://u:se \"cret@h/x"), "\"postgres://u:****@h/x\"");
  EXPECT_EQ(in_quotes("u:secret@h/x"), "\"u:****@h/x\"") << "the scheme was forgotten";
  EXPECT_EQ(in_quotes(std::string(1000, 'y')), "\"" + std::string(100, 'y') + "\"");
  EXPECT_EQ(in_quotes("postgres//u:se \"cret@h/x"), "\"postgres//u:****@h/x\"") << "the colon was forgotten";
  EXPECT_EQ(in_quotes("postgres://h\"/x?pass word=secret"), "\"postgres://h\"/x?****\"");
  EXPECT_EQ(in_quotes("127.0.0.1:4000"), "\"127.0.0.1:4000\"");
}

TEST(shown_text, what_looks_like_an_address_is_no_name_unless_it_is_written_as_a_path) {
  for (const char* const text :
       {"postgres://u:secret@h/db", "POSTGRES://u:secret@h/db", "postgres//u:secret@h/db", "postgres:/u:secret@h/db",
        "postgresql//u:secret@h/db", "postgres:u:secret@h", "postgres;//h/db", "Postgres//h/db", "ecto:u@h/db",
        "u:secret@h/db", "//u:secret@h/db", "a:b@c", "u:se cret@h", "http://h", "./postgres://h"}) {
    EXPECT_TRUE(is_address(text)) << text;
    EXPECT_TRUE(is_no_name(text)) << text;
  }
  for (const char* const text : {"/srv/a:b@c", "./a:b@c", "../a:b@c", "./postgres//x", "annals-data", "postgres",
                                 "postgres/data", "postgresql.d", "data@12:30", "a:b", "C:\\data", "user@h", ""}) {
    EXPECT_FALSE(is_no_name(text)) << text;
  }
  EXPECT_TRUE(is_no_name("host=h password=secret"));
  EXPECT_FALSE(is_address("host=h password=secret"));
  EXPECT_TRUE(has_password("u:secret@h"));
  EXPECT_FALSE(has_password("http://h:4000"));
  EXPECT_EQ(shown_name("/srv/a:b@c"), "/srv/a:****@c");
  EXPECT_NE(advice_on_paths("a:b@c"), "");
  EXPECT_EQ(advice_on_paths("postgres://h"), "") << "nothing is called so";
}

}  // namespace
}  // namespace annals::server
