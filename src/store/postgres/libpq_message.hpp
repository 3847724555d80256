#pragma once
// What libpq says when something fails: several lines, some of them questions and guesses, told apart by nothing but
// their text. Here they become one line, and a kind. Pure functions.
//
// Source: the messages of libpq 15 (fe-connect.c, fe-secure.c, fe-secure-openssl.c) and of its server.

#include <cstdint>
#include <string>
#include <string_view>

namespace annals::store {

/// The message on one line without control characters: each of its lines once, with "; " between them. Left out are the
/// lines that are indented, by which libpq only asks or guesses ("Is the server running on that host ...?").
[[nodiscard]] std::string one_line(std::string_view said);

/// Why there is no connection.
enum class ConnectFailure : std::uint8_t {
  wrong_option,  ///< libpq does not take an option (sslmode=nonsense), or cannot use a file that one names
  missing,       ///< the server has no such database, or no such user
  refused,       ///< the server does not let this user in
  untrusted,     ///< what the server shows of itself is not what the options ask for, such as its certificate
  unreachable,   ///< nobody was reached, or it cannot serve at present
};

/// Of what one_line gave.
[[nodiscard]] ConnectFailure connect_failure_of(std::string_view line);

/// Whether a failure to connect, as one_line or a sentence around it tells it, is that nobody said anything: neither a
/// server, which refuses in words of its own, nor the machine where none runs.
[[nodiscard]] bool tells_of_silence(std::string_view line);

}  // namespace annals::store
