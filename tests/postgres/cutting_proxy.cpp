#include "tests/postgres/cutting_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace annals::test {
namespace {

constexpr int tick_ms = 20;

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool is_readable(int descriptor, int wait_ms) {
  pollfd waited{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, wait_ms) > 0;
}

int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

/// The bytes of a Bind to the prepared statement "commit": the portal without a name, then the statement's.
constexpr std::string_view commit_bytes("\0commit\0", 8);
/// What the server says of a commit that was done.
constexpr std::string_view committed_bytes("COMMIT\0", 7);

}  // namespace

CuttingProxy::CuttingProxy(std::string directory, std::string port)
    : server_(std::move(directory) + "/.s.PGSQL." + std::move(port)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { serve(); });
}

CuttingProxy::~CuttingProxy() {
  closing_ = true;
  acceptor_.join();
  ::close(listener_);
  for (std::thread& carrier : carriers_) carrier.join();
}

void CuttingProxy::cut_next(Cut cut, bool then_refuse) {
  then_refuse_ = then_refuse;
  cut_ = cut;
}

void CuttingProxy::serve() {
  while (!closing_) {
    if (!is_readable(listener_, tick_ms)) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    const std::size_t number = ++connections_;
    carriers_.emplace_back([this, client, number] { carry(client, number); });
  }
}

void CuttingProxy::hold(Held held) {
  held_to_ = held == Held::none ? 0 : held == Held::all ? SIZE_MAX : connections_.load();
}

void CuttingProxy::carry(int client, std::size_t number) {
  const int server = refusing_ || refusing_new_ ? -1 : connect_to(server_);
  std::array<char, 65536> buffer{};
  bool waits_for_commit = false;
  std::string said;
  while (server >= 0 && !closing_ && !refusing_) {
    if (number <= held_to_) {
      std::this_thread::sleep_for(std::chrono::milliseconds{tick_ms});
      continue;
    }
    std::array<pollfd, 2> waited{
        {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}}};
    if (::poll(waited.data(), waited.size(), tick_ms) <= 0) continue;
    if (waited[0].revents != 0) {
      const ssize_t count = ::recv(client, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
      Cut cut = cut_;
      if (cut != Cut::never && bytes.find(commit_bytes) != std::string_view::npos &&
          cut_.compare_exchange_strong(cut, Cut::never)) {
        refusing_ = then_refuse_.load();
        if (cut == Cut::before_commit) break;
        waits_for_commit = true;
      }
      if (!write_all(server, bytes)) break;
    }
    if (waits_for_commit || waited[1].revents != 0) {
      if (waits_for_commit) {
        // Until it is certain that the server has committed.
        while (said.find(committed_bytes) == std::string::npos && !closing_) {
          if (!is_readable(server, tick_ms)) continue;
          const ssize_t count = ::recv(server, buffer.data(), buffer.size(), 0);
          if (count <= 0) break;
          said.append(buffer.data(), static_cast<std::size_t>(count));
        }
        break;
      }
      const ssize_t count = ::recv(server, buffer.data(), buffer.size(), 0);
      if (count <= 0 || !write_all(client, {buffer.data(), static_cast<std::size_t>(count)})) break;
    }
  }
  ::close(client);
  if (server >= 0) ::close(server);
}

}  // namespace annals::test
