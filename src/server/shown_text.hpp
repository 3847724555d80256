#pragma once
// How what somebody gave (an argument, a setting, a variable, a line of a file) is quoted in a message: without what
// may be a password, wherever it was put by mistake. Every message that quotes such a thing takes it from here, and
// `report`, by which all errors of the command line leave, looks once more. Pure functions.
//
// What may be a password is told by its shape and not by what stands before it, because a slip in that is as likely as
// any other: `postgres//u:secret@h`, `postgres:/u:secret@h`, `u:secret@h`.
// So whatever stands between a `:` and the last `@` of one word is masked.
// A path may have that shape too: it is masked where it is shown, which harms nobody, and
// opened where it is written as a path is, with `/`, `./` or `../` before it; without that it is refused, because a
// directory would be made, or a host be looked up, that is called after a password.

#include <string>
#include <string_view>

namespace annals::server {

/// Whether it looks like an address, `scheme://...`, or like one in which a slip was made, and is not written as a
/// path: no name of a file, a directory, a host or a user is taken for one that looks so.
[[nodiscard]] bool is_address(std::string_view text);

/// Whether there is a password in a name or the value of a setting; a path is taken for one, as above.
[[nodiscard]] bool has_password(std::string_view text);

/// Whether it is not the name of a file, a directory, a host or the like: an address, or it has a password in it.
[[nodiscard]] bool is_no_name(std::string_view text);

/// Whether it looks like the address of a database, whatever it was given as.
[[nodiscard]] bool is_database_address(std::string_view text);

/// Whether it looks like the address of a server that is asked over HTTP.
[[nodiscard]] bool is_server_address(std::string_view text);

/// The address of a database with `****` for what may be a password.
[[nodiscard]] std::string without_password(std::string_view url);

/// A text in which there may be addresses, with `****` for the password of each (`user:password@...`), and for the
/// value of whatever is called a password (`password=...`). Of the addresses of servers nothing goes.
[[nodiscard]] std::string without_passwords(std::string_view text);

/// The name of a store or a file, or the value of a setting, which is one word whatever is in it.
[[nodiscard]] std::string shown_name(std::string_view name);

/// What to say to whom `text` is a path all the same, where is_no_name has it refused; begins with "; " or is empty.
[[nodiscard]] std::string advice_on_paths(std::string_view text);

/// What was given, in quotes: without passwords, and its beginning only when it is long.
[[nodiscard]] std::string in_quotes(std::string_view given);

}  // namespace annals::server
