#pragma once
// How what somebody gave (an argument, a setting, a variable, a line of a file) is quoted in a message: without what
// may be a password, wherever it was put by mistake. Every message that quotes such a thing takes it from here, and
// `report`, by which all errors of the command line leave, looks once more. Pure functions.

#include <string>
#include <string_view>

namespace annals::server {

/// Whether it looks like `scheme://...`, which no name of a file or a host does.
[[nodiscard]] bool is_address(std::string_view text);

/// Whether it looks like the address of a database, whatever it was given as.
[[nodiscard]] bool is_database_address(std::string_view text);

/// Whether it looks like the address of a server that is asked over HTTP.
[[nodiscard]] bool is_server_address(std::string_view text);

/// The address of a database with `****` for what may be a password.
[[nodiscard]] std::string without_password(std::string_view url);

/// A text in which there may be addresses, with `****` for the password of each (`scheme://user:password@...`), and for
/// the value of whatever is called a password (`password=...`). Of the addresses of servers nothing goes.
[[nodiscard]] std::string without_passwords(std::string_view text);

/// Whether a password was found by that.
[[nodiscard]] bool has_password(std::string_view text);

/// What was given, in quotes: without passwords, and its beginning only when it is long.
[[nodiscard]] std::string in_quotes(std::string_view given);

}  // namespace annals::server
