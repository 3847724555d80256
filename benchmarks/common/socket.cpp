#include "benchmarks/common/socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace annals::benchmarks {
namespace {

constexpr int waiting_connections_max = 4096;  // of the listening socket; the kernel has a limit of its own

std::string to_text(const Address& address) {
  return address.host + ":" + std::to_string(address.port);
}

Result<sockaddr_in> resolve(const Address& address) {
  sockaddr_in resolved{};
  resolved.sin_family = AF_INET;
  resolved.sin_port = htons(address.port);
  if (::inet_pton(AF_INET, address.host.c_str(), &resolved.sin_addr) != 1) {
    return fail(ErrorKind::usage, "the host " + address.host + " is not an IPv4 address in numbers");
  }
  return resolved;
}

}  // namespace

Error system_error(const std::string& tried) {
  return {ErrorKind::input_output, "tried to " + tried + ": " + std::strerror(errno)};
}

Result<Descriptor> listen_at(const Address& address) {
  const sockaddr_in resolved = TRY(resolve(address));
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return std::unexpected(system_error("make a socket"));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&resolved), sizeof resolved) != 0) {
    return std::unexpected(system_error("bind " + to_text(address)));
  }
  if (::listen(socket.get(), waiting_connections_max) != 0) {
    return std::unexpected(system_error("listen at " + to_text(address)));
  }
  return socket;
}

Result<std::uint16_t> port_of(const Descriptor& socket) {
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return std::unexpected(system_error("ask for a socket's port"));
  }
  return ntohs(bound.sin_port);
}

Result<Descriptor> connect_to(const Address& address) {
  const sockaddr_in resolved = TRY(resolve(address));
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return std::unexpected(system_error("make a socket"));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&resolved), sizeof resolved) != 0) {
    return std::unexpected(system_error("connect to " + to_text(address)));
  }
  send_without_delay(socket);
  return socket;
}

Result<> make_non_blocking(const Descriptor& socket) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return std::unexpected(system_error("make a socket non-blocking"));
  }
  return {};
}

void send_without_delay(const Descriptor& socket) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace annals::benchmarks
