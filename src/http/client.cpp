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
  const std::size_t begin = colon == std::string_view::npos ? colon : line.find_first_not_of(" \t", colon + 1);
  const std::size_t end = line.find_last_not_of(" \t\r\n");
  if (begin == std::string_view::npos || end < begin) return count;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = line.substr(begin, end - begin + 1);
  if (equal_ignoring_case(name, "annals-position")) static_cast<ClientReply*>(reply)->position = value;
  if (equal_ignoring_case(name, "link") && value.starts_with('<') && value.ends_with(">; rel=\"next\"")) {
    static_cast<ClientReply*>(reply)->next = value.substr(1, value.find('>') - 1);
  }
  return count;
}

}  // namespace

struct Client::Handle {
  CURL* curl = curl_easy_init();
  ~Handle() { curl_easy_cleanup(curl); }
};

Client::Client(std::string authorities) : authorities_(std::move(authorities)), handle_(std::make_unique<Handle>()) {
  INVARIANT(handle_->curl != nullptr, "libcurl starts");
}
Client::~Client() = default;

Result<ClientReply> Client::get(const std::string& url) {
  curl_easy_setopt(handle_->curl, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(handle_->curl, CURLOPT_HTTPHEADER, nullptr);
  return send(url);
}

Result<ClientReply> Client::post(const std::string& url, const std::string& body,
                                 const std::vector<std::string>& fields) {
  curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no wait for a 100 Continue
  for (const std::string& field : fields) list = curl_slist_append(list, field.c_str());
  curl_easy_setopt(handle_->curl, CURLOPT_POST, 1L);
  curl_easy_setopt(handle_->curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle_->curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle_->curl, CURLOPT_HTTPHEADER, list);
  auto reply = send(url);
  curl_easy_setopt(handle_->curl, CURLOPT_HTTPHEADER, nullptr);
  curl_slist_free_all(list);
  return reply;
}

Result<ClientReply> Client::send(const std::string& url) {
  ClientReply reply;
  CURL* curl = handle_->curl;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  if (!authorities_.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, authorities_.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds_max);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, reply_seconds_max);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_field);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
  const CURLcode outcome = curl_easy_perform(curl);
  if (outcome == CURLE_PEER_FAILED_VERIFICATION) {
    return fail(ErrorKind::input_output, certificate_not_trusted,
                "the certificate of " + url + " is not trusted: " + curl_easy_strerror(outcome) +
                    "; name the file of the authority that signed it in SSL_CERT_FILE");
  }
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
