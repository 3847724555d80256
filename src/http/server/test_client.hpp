#pragma once
// For tests: a client that sends exactly the bytes it is told to, a reader of replies, and a server to send them to.
// Confined to the test's thread, but for ServerUnderTest's notes of what its handler saw.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.hpp"

namespace annals::http {

[[nodiscard]] inline std::string get_request(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

[[nodiscard]] inline Response text_response(std::string body) {
  return {.status = 200, .content_type = "text/plain", .fields = {}, .body = std::move(body)};
}

/// A reply as it came.
struct Reply {
  int status = 0;
  std::string head;
  std::string body;  ///< de-chunked

  [[nodiscard]] std::optional<std::string> field(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const std::size_t begin = head.find(key);
    if (begin == std::string::npos) return std::nullopt;
    const std::size_t end = head.find("\r\n", begin + key.size());
    return head.substr(begin + key.size(), end - begin - key.size());
  }
};

class TestClient {
 public:
  explicit TestClient(std::uint16_t port, int receive_buffer = 0)
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    connect(port);
  }
  TestClient() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~TestClient() { close(); }
  TestClient(TestClient&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)) {}
  TestClient& operator=(TestClient&&) = delete;

  bool connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  /// False when the connection is broken.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void finish_sending() { ::shutdown(descriptor_, SHUT_WR); }

  /// Ends the connection at once: whatever is still sent to it is refused.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  /// Reads once. False at the end of the connection, or when nothing comes for `patience`.
  bool receive(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) != 1) return false;
    char bytes[16384];
    const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (count < 0) was_reset_ = true;
    if (count <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  /// All bytes up to the end of the connection, those received and not yet taken included.
  std::string receive_to_end() {
    while (receive()) continue;
    return std::exchange(received_, {});
  }

  /// True when the connection ends without another byte.
  bool ends() { return !receive() && received_.empty(); }

  /// True when nothing arrives for this long, and the connection stays.
  bool stays_silent(std::chrono::milliseconds patience) {
    pollfd waiting{descriptor_, POLLIN, 0};
    return received_.empty() && ::poll(&waiting, 1, static_cast<int>(patience.count())) == 0;
  }

  /// What has been received and not been taken.
  std::string take_received() { return std::exchange(received_, {}); }

  [[nodiscard]] bool was_reset() const { return was_reset_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// The next reply; status 0 when the connection ends before it is whole. `to_head`: a reply to HEAD has no body.
  Reply reply(bool to_head = false) {
    std::size_t head_end;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return {};
    }
    Reply reply;
    reply.head = received_.substr(0, head_end + 2);
    received_.erase(0, head_end + 4);
    const int status = std::atoi(reply.head.c_str() + reply.head.find(' '));
    const bool has_body = !to_head && status >= 200 && status != 204 && status != 304;
    if (has_body && reply.field("Transfer-Encoding")) {
      if (!take_chunks(reply.body)) return {};
    } else if (has_body && reply.field("Content-Length")) {
      if (!take(std::strtoul(reply.field("Content-Length")->c_str(), nullptr, 10), reply.body)) return {};
    } else if (has_body) {
      reply.body = receive_to_end();
    }
    reply.status = status;
    return reply;
  }

 private:
  bool take(std::size_t count, std::string& into) {
    while (received_.size() < count) {
      if (!receive()) return false;
    }
    into += received_.substr(0, count);
    received_.erase(0, count);
    return true;
  }

  bool take_chunks(std::string& into) {
    for (;;) {
      std::size_t line_end;
      while ((line_end = received_.find("\r\n")) == std::string::npos) {
        if (!receive()) return false;
      }
      const std::size_t size = std::strtoul(received_.c_str(), nullptr, 16);
      received_.erase(0, line_end + 2);
      std::string end;
      if (!take(size, into) || !take(2, end) || end != "\r\n") return false;
      if (size == 0) return true;
    }
  }

  int descriptor_;
  std::string received_;
  bool was_reset_ = false;
};

/// Keeps what is logged.
class KeepingLogger final : public Logger {
 public:
  [[nodiscard]] bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message, std::span<const LogField>) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::string(to_string(level)) + " " + std::string(message));
  }
  [[nodiscard]] bool has(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    for (const std::string& line : lines_) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// A server on a free port. Unless it is given another handler, it answers every request with 200 and its method,
/// target and body, and keeps a note of the target.
class ServerUnderTest {
 public:
  explicit ServerUnderTest(ServerOptions options = {}, Handler handler = {}) {
    options.port = 0;
    if (!handler) {
      handler = [](const Request& request, Responder responder) {
        Response response;
        response.content_type = "text/plain";
        response.body =
            std::string(request.method_text) + " " + std::string(request.target) + " " + std::string(request.body);
        responder.send(std::move(response));
      };
    }
    auto noting = [this, handler](const Request& request, Responder responder) {
      {
        const std::lock_guard lock(mutex_);
        targets_.emplace_back(request.target);
      }
      handler(request, std::move(responder));
    };
    const Handler handled(
        noting, [handler](const Request& request, Response& reply) { handler.mark(request, reply); },
        [handler](const Request& request) { return handler.look(request); });
    auto opened = Server::open(options, handled,
                               {platform::system_clock(), platform::system_random(), platform::posix_files(), log_});
    if (!opened) std::abort();
    server_ = *std::move(opened);
  }

  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  [[nodiscard]] TestClient connect(int receive_buffer = 0) { return TestClient(server_->port(), receive_buffer); }
  [[nodiscard]] KeepingLogger& log() { return log_; }
  void destroy() { server_.reset(); }

  /// The targets that the handler saw, in order.
  [[nodiscard]] std::vector<std::string> targets() {
    const std::lock_guard lock(mutex_);
    return targets_;
  }

  /// Waits until `condition` holds; false when it does not within a minute.
  template <class Condition>
  [[nodiscard]] static bool eventually(Condition condition) {
    for (int tries = 0; tries < 12'000; ++tries) {
      if (condition()) return true;
      ::usleep(5000);
    }
    return false;
  }

 private:
  KeepingLogger log_;
  std::mutex mutex_;
  std::vector<std::string> targets_;
  std::unique_ptr<Server> server_;  // last: its threads use the rest
};

}  // namespace annals::http
