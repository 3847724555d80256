#include <gtest/gtest.h>

#include "store/postgres/connection.hpp"

namespace annals::store {
namespace {

std::string address_of(const PostgresOptions& options) {
  const auto destination = Destination::read(options);
  EXPECT_TRUE(destination) << destination.error().message;
  return destination ? destination->address() : "";
}

TEST(postgres_destination, an_address_says_where_the_tables_are_and_not_who_asks) {
  const std::string expected = "host=db.example.org port=5433 dbname=shop schema=public";
  PostgresOptions whole;
  whole.url = "postgres://ann:secret@db.example.org:5433/shop?sslmode=require";
  EXPECT_EQ(address_of(whole), expected);
  PostgresOptions parts;
  parts.hostname = "db.example.org";
  parts.port = 5433;
  parts.username = "bob";
  parts.database = "shop";
  EXPECT_EQ(address_of(parts), expected) << "however it is given";
  parts.schema = "other";
  EXPECT_NE(address_of(parts), expected);
}

TEST(postgres_destination, an_address_is_one_line_of_words_and_no_two_look_the_same) {
  PostgresOptions options;
  options.hostname = "h";
  options.port = 1;
  options.database = "a schema=b\nc%";
  EXPECT_EQ(address_of(options), "host=h port=1 dbname=a%20schema=b%0Ac%25 schema=public");
}

TEST(postgres_destination, an_address_in_which_a_part_of_the_password_looks_like_something_else_is_refused_unshown) {
  for (const char* url :
       {"postgres://u:hunter2@secret@127.0.0.1:1/x", "postgres://u:hunter2/secret@127.0.0.1/x",
        "postgres://u:hunter2secret", "postgres://u:hunter2secret/x", "ecto://u:hunter2@secret@h/x",
        "host=h password=hunter2 secret", "u:hunter2secret@h/x", "postgres://h/xpassword=hunter2secret",
        "postgres://h/xuser=u&pasword=hunter2secret?sslmode=require"}) {
    PostgresOptions options;
    options.url = url;
    const auto read = Destination::read(options);
    ASSERT_FALSE(read) << url << " is " << read->text();
    EXPECT_EQ(read.error().kind, ErrorKind::usage);
    EXPECT_EQ(read.error().message.find("hunter2"), std::string::npos) << read.error().message;
    EXPECT_EQ(read.error().message.find("secret"), std::string::npos) << read.error().message;
  }
}

// PostgreSQL would take the first 63 bytes for all of it, and make, serve and drop the database that is called so.
TEST(postgres_destination, a_name_of_which_the_database_would_see_the_beginning_alone_is_refused) {
  PostgresOptions options;
  options.hostname = "h";
  options.database = std::string(63, 'x');
  EXPECT_TRUE(Destination::read(options));
  options.database += 'x';
  const auto refused = Destination::read(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_NE(refused.error().message.find("has 64 bytes"), std::string::npos) << refused.error().message;
}

TEST(postgres_destination, the_original_services_name_of_the_scheme_is_understood) {
  PostgresOptions options;
  options.url = "ecto://ann:secret@h:1/shop";
  EXPECT_EQ(address_of(options), "host=h port=1 dbname=shop schema=public");
}

}  // namespace
}  // namespace annals::store
