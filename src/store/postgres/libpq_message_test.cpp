#include "store/postgres/libpq_message.hpp"

#include <gtest/gtest.h>

#include "store/postgres/connection.hpp"

namespace annals::store {
namespace {

struct Example {
  std::string_view said;
  std::string_view line;
  ConnectFailure failure;
};

// As libpq 15 and its server said them.
constexpr Example examples[] = {
    {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n",
     "connection to server at \"127.0.0.1\", port 1 failed: Connection refused", ConnectFailure::unreachable},
    {"connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: No such file or directory\n"
     "\tIs the server running locally and accepting connections on that socket?\n",
     "connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: No such file or directory",
     ConnectFailure::unreachable},
    {"connection to server on socket \"/tmp/closed/.s.PGSQL.5432\" failed: Permission denied\n"
     "\tIs the server running locally and accepting connections on that socket?\n",
     "connection to server on socket \"/tmp/closed/.s.PGSQL.5432\" failed: Permission denied",
     ConnectFailure::unreachable},
    {"could not translate host name \"nowhere.invalid\" to address: Name or service not known\n",
     "could not translate host name \"nowhere.invalid\" to address: Name or service not known",
     ConnectFailure::unreachable},
    {"connection to server at \"localhost\" (::1), port 9 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n"
     "connection to server at \"localhost\" (127.0.0.1), port 9 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n",
     "connection to server at \"localhost\" (::1), port 9 failed: Connection refused; connection to server at "
     "\"localhost\" (127.0.0.1), port 9 failed: Connection refused",
     ConnectFailure::unreachable},
    {"connection to server at \"10.0.0.1\", port 5432 failed: timeout expired\n",
     "connection to server at \"10.0.0.1\", port 5432 failed: timeout expired", ConnectFailure::unreachable},
    {"server closed the connection unexpectedly\n"
     "\tThis probably means the server terminated abnormally\n"
     "\tbefore or while processing the request.\n",
     "server closed the connection unexpectedly", ConnectFailure::unreachable},
    {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  the database system is starting up\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: FATAL: the database system is starting up",
     ConnectFailure::unreachable},
    {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  password authentication failed for user "
     "\"ann\"\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: FATAL: password authentication failed for user \"ann\"",
     ConnectFailure::refused},
    {"connection to server at \"127.0.0.1\", port 5432 failed: fe_sendauth: no password supplied\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: fe_sendauth: no password supplied",
     ConnectFailure::refused},
    {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  no pg_hba.conf entry for host \"127.0.0.1\", "
     "user \"ann\", database \"shop\", SSL encryption\n"
     "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  no pg_hba.conf entry for host \"127.0.0.1\", "
     "user \"ann\", database \"shop\", no encryption\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: FATAL: no pg_hba.conf entry for host \"127.0.0.1\", "
     "user "
     "\"ann\", database \"shop\", SSL encryption; connection to server at \"127.0.0.1\", port 5432 failed: FATAL: no "
     "pg_hba.conf entry for host \"127.0.0.1\", user \"ann\", database \"shop\", no encryption",
     ConnectFailure::refused},
    {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  permission denied for database \"shop\"\n"
     "DETAIL:  User does not have CONNECT privilege.\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: FATAL: permission denied for database \"shop\"; DETAIL: "
     "User does not have CONNECT privilege",
     ConnectFailure::refused},
    {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  database \"shop\" does not exist\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: FATAL: database \"shop\" does not exist",
     ConnectFailure::missing},
    {"connection to server at \"127.0.0.1\", port 5432 failed: SSL error: certificate verify failed\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: SSL error: certificate verify failed",
     ConnectFailure::untrusted},
    {"connection to server at \"localhost\" (127.0.0.1), port 5432 failed: server certificate for \"127.0.0.1\" does "
     "not match host name \"localhost\"\n",
     "connection to server at \"localhost\" (127.0.0.1), port 5432 failed: server certificate for \"127.0.0.1\" does "
     "not match host name \"localhost\"",
     ConnectFailure::untrusted},
    {"connection to server at \"127.0.0.1\", port 5432 failed: server does not support SSL, but SSL was required\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: server does not support SSL, but SSL was required",
     ConnectFailure::untrusted},
    {"connection to server at \"127.0.0.1\", port 5432 failed: root certificate file \"/home/ann/ca.pem\" does not "
     "exist\n"
     "Either provide the file or change sslmode to disable server certificate verification.\n",
     "connection to server at \"127.0.0.1\", port 5432 failed: root certificate file \"/home/ann/ca.pem\" does not "
     "exist; either provide the file or change sslmode to disable server certificate verification",
     ConnectFailure::wrong_option},
    {"invalid sslmode value: \"nonsense\"\n", "invalid sslmode value: \"nonsense\"", ConnectFailure::wrong_option},
    {"could not match 2 port numbers to 3 hosts\n", "could not match 2 port numbers to 3 hosts",
     ConnectFailure::wrong_option},
};

TEST(libpq_message, what_is_said_becomes_one_line_with_host_port_and_cause) {
  for (const Example& example : examples) EXPECT_EQ(one_line(example.said), example.line);
}

TEST(libpq_message, why_there_is_no_connection_is_told_from_the_line) {
  for (const Example& example : examples) EXPECT_EQ(connect_failure_of(example.line), example.failure) << example.line;
}

TEST(libpq_message, what_is_said_twice_or_is_nothing_is_left_out) {
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line("\n\n \n"), "");
  EXPECT_EQ(one_line("a\nb.\na\nThe end.\n"), "a; b; the end");
  EXPECT_EQ(one_line("tab\there\r\nand\x01there"), "tab here; and there");
}

// Nobody listens anywhere: what libpq refuses, it refuses before it looks.
TEST(libpq_message, an_option_that_libpq_refuses_is_a_mistake_of_usage) {
  for (const char* const option :
       {"sslmode=nonsense", "connect_timeout=soon", "port=99999", "target_session_attrs=any-one",
        "channel_binding=perhaps", "gssencmode=x", "ssl_min_protocol_version=TLSv9",
        "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2", "keepalives=often", "keepalives_idle=x",
        "tcp_user_timeout=x", "hostaddr=127.0.0.1,127.0.0.2", "service=none_of_that_name"}) {
    PostgresOptions options;
    options.url = std::string("postgres://ann@127.0.0.1:1/shop?") + option;
    if (options.url.find("port=") != std::string::npos) options.url.replace(options.url.find(":1/"), 3, "/");
    const auto destination = Destination::read(options);
    ASSERT_TRUE(destination) << option;
    const auto connection = Connection::open(*destination, {});
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind, ErrorKind::usage) << option << ": " << connection.error().message;
    EXPECT_EQ(connection.error().code, "database_options") << option << ": " << connection.error().message;
    EXPECT_EQ(connection.error().message.find_first_of("\t\n"), std::string::npos) << connection.error().message;
  }
}

TEST(libpq_message, silence_is_what_no_server_and_no_machine_has_answered) {
  const std::string where =
      "cannot connect to the database shop: connection to server at \"10.0.0.1\", port 5432 failed: ";
  for (const std::string_view said :
       {"timeout expired", "Connection timed out", "No route to host", "Network is unreachable"}) {
    EXPECT_TRUE(tells_of_silence(where + std::string(said))) << said;
  }
  for (const std::string_view said :
       {"Connection refused", "FATAL: sorry, too many clients already",
        "FATAL: canceling authentication due to timeout", "FATAL: connection to the directory failed: timeout expired",
        "server closed the connection unexpectedly"}) {
    EXPECT_FALSE(tells_of_silence(where + std::string(said))) << said;
  }
}

TEST(libpq_message, a_server_that_is_not_there_is_told_in_one_line) {
  PostgresOptions options;
  options.url = "postgres://ann@127.0.0.1:1/shop";
  const auto connection = Connection::open(Destination::read(options).value(), {});
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().message,
            "cannot connect to the database shop at 127.0.0.1: connection to server at \"127.0.0.1\", port 1 failed: "
            "Connection refused");
}

}  // namespace
}  // namespace annals::store
