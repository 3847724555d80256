#pragma once
// A small HTTP client for the command line: one request after another, on one connection. Blocking; confined to one
// thread. Source: libcurl.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace annals::http {

/// The code of an error of a server whose certificate is not trusted.
inline constexpr std::string_view certificate_not_trusted = "certificate_not_trusted";

struct ClientReply {
  int status = 0;
  std::string position;  ///< the value of Annals-Position, if any
  std::string next;      ///< the target of `Link: <...>; rel="next"`, if any
  std::string body;
};

class Client {
 public:
  /// `authorities`: a file (PEM) of whose certificates are trusted; empty: those that the system trusts.
  explicit Client(std::string authorities = {});
  ~Client();

  /// Errors: usage, for what is no URL; input_output, when there is no reply (certificate_not_trusted).
  [[nodiscard]] Result<ClientReply> get(const std::string& url);
  /// `fields`: each `Name: value`. Errors: as get; then it is not known whether the request took effect.
  [[nodiscard]] Result<ClientReply> post(const std::string& url, const std::string& body,
                                         const std::vector<std::string>& fields);

 private:
  struct Handle;
  [[nodiscard]] Result<ClientReply> send(const std::string& url);
  const std::string authorities_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace annals::http
