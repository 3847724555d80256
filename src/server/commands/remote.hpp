#pragma once
// What commands that ask a running server have in common. Pure functions.

#include <string>

#include "base/result.hpp"
#include "http/client.hpp"

namespace annals::server {

/// The address without the slashes at its end. Errors: usage.
[[nodiscard]] Result<std::string> server_address(const std::string& url);

/// Whom `--url https://...` trusts: the file that SSL_CERT_FILE in the environment names, as with OpenSSL's own
/// programs; empty without it, and then whom the system trusts.
[[nodiscard]] std::string trusted_authorities();

/// What a server answered instead of what was asked for, in its own words when it is one of ours.
[[nodiscard]] Error refusal(const std::string& base, const http::ClientReply& reply);

/// What to say where there was no reply at all.
[[nodiscard]] Error no_reply(const std::string& base, const Error& error);

}  // namespace annals::server
