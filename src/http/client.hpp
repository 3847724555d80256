#pragma once
// A small HTTP client for the command line: one GET after another, on one connection. Blocking; confined to one thread.
// Source: libcurl.

#include <memory>
#include <string>

#include "base/result.hpp"

namespace annals::http {

struct ClientReply {
  int status = 0;
  std::string position;  ///< the value of Annals-Position, if any
  std::string body;
};

class Client {
 public:
  Client();
  ~Client();

  /// Errors: usage, for what is no URL; input_output, when there is no reply.
  [[nodiscard]] Result<ClientReply> get(const std::string& url);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace annals::http
