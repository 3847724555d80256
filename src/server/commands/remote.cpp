#include "server/commands/remote.hpp"

#include <algorithm>
#include <cstdlib>

#include "json/reader.hpp"
#include "server/shown_text.hpp"

namespace annals::server {

Result<std::string> server_address(const std::string& url) {
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  const bool good =
      scheme > 0 && url.find_first_of("/?#", scheme) > scheme && url.size() > scheme &&
      url.find_first_of("?#") == std::string::npos &&
      std::ranges::all_of(url, [](unsigned char character) { return character > 0x20 && character < 0x7F; });
  if (!good) {
    return fail(ErrorKind::usage,
                "--url is " + in_quotes(url) + "; expected the address of a server, such as http://127.0.0.1:4000" +
                    (is_database_address(url) ? "; that of a database is given as --database-url" : ""));
  }
  return url.substr(0, url.find_last_not_of('/') + 1);
}

std::string trusted_authorities() {
  const char* file = std::getenv("SSL_CERT_FILE");
  return file ? file : "";
}

Error refusal(const std::string& base, const http::ClientReply& reply) {
  const std::string answered = base + " answered with status " + std::to_string(reply.status);
  if (const auto problem = json::thread_reader().read_object(reply.body)) {
    if (const std::string_view* detail = problem->text("detail")) {
      return {reply.status == 400 ? ErrorKind::usage : ErrorKind::input_output, answered + ": " + std::string(*detail)};
    }
  }
  return {ErrorKind::input_output, answered + ", as no Annals server does; look at what --url names"};
}

Error no_reply(const std::string& base, const Error& error) {
  if (error.code == http::certificate_not_trusted) return error;
  return {error.kind, error.message + "; look whether a server runs at " + base};
}

}  // namespace annals::server
