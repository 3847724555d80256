#include "benchmarks/load_generator/verify.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <string>

#include "benchmarks/load_generator/reply.hpp"

namespace annals::benchmarks {
namespace {

constexpr timeval reply_time_max{.tv_sec = 5, .tv_usec = 0};

struct Answer {
  int status = 0;
  std::string body;
};

Result<Answer> ask(const Descriptor& socket, std::string_view request) {
  while (!request.empty()) {
    const ssize_t sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0) return std::unexpected(system_error("send a GET to verify"));
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string received;
  for (;;) {
    char piece[8192];
    const ssize_t size = ::recv(socket.get(), piece, sizeof piece, 0);
    if (size < 0) return std::unexpected(system_error("read a value to verify"));
    if (size == 0) return fail(ErrorKind::input_output, "the server closed the connection that verified");
    received.append(piece, static_cast<std::size_t>(size));
    const Reply reply = read_reply(received);
    if (reply.state == Reply::State::malformed) return fail(ErrorKind::input_output, "a reply to verify was malformed");
    if (reply.state == Reply::State::whole) return Answer{reply.status, std::string(reply.body)};
  }
}

}  // namespace

Result<Verification> verify(const Options& options, Requests& requests,
                            const std::vector<std::pair<std::uint64_t, std::uint64_t>>& acknowledged) {
  const Descriptor socket = TRY(connect_to(options.server));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &reply_time_max, sizeof reply_time_max);

  Verification result;
  const std::uint64_t wanted = std::min<std::uint64_t>(options.verified_keys, acknowledged.size());
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const auto& [key, sequence] = acknowledged[i * acknowledged.size() / wanted];
    const Answer answer = TRY(ask(socket, requests.get(key)));
    ++result.checked;
    if (answer.status != 200 || answer.body != requests.body(key, sequence)) ++result.wrong;
  }
  return result;
}

}  // namespace annals::benchmarks
