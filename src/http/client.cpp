#include "http/client.hpp"

#include <curl/curl.h>

#include "base/invariant.hpp"
#include "http/request.hpp"

namespace annals::http {
namespace {

constexpr long connect_seconds_max = 10;
constexpr long reply_seconds_max = 60;
constexpr std::size_t body_bytes_max = 256u << 20;

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* reply) {
  std::string& body = static_cast<ClientReply*>(reply)->body;
  if (body.size() + count > body_bytes_max) return 0;  // curl then fails the transfer
  body.append(bytes, count);
  return count;
}

std::size_t take_field(char* bytes, std::size_t, std::size_t count, void* reply) {
  const std::string_view line(bytes, count);
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), "annals-position")) {
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    const std::size_t end = line.find_last_not_of(" \t\r\n");
    if (begin != std::string_view::npos && end >= begin)
      static_cast<ClientReply*>(reply)->position = line.substr(begin, end - begin + 1);
  }
  return count;
}

}  // namespace

struct Client::Handle {
  CURL* curl = curl_easy_init();
  ~Handle() { curl_easy_cleanup(curl); }
};

Client::Client() : handle_(std::make_unique<Handle>()) {
  INVARIANT(handle_->curl != nullptr, "libcurl starts");
}
Client::~Client() = default;

Result<ClientReply> Client::get(const std::string& url) {
  ClientReply reply;
  CURL* curl = handle_->curl;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds_max);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, reply_seconds_max);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_field);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
  const CURLcode outcome = curl_easy_perform(curl);
  if (outcome != CURLE_OK) {
    const bool wrong = outcome == CURLE_URL_MALFORMAT || outcome == CURLE_UNSUPPORTED_PROTOCOL;
    return fail(wrong ? ErrorKind::usage : ErrorKind::input_output,
                "no reply from " + url + ": " + curl_easy_strerror(outcome));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

}  // namespace annals::http
