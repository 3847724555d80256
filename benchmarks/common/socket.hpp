#pragma once
// Sockets for the programs of benchmarks/: TCP over IPv4, an address in numbers, nothing else.
// No thread rule: every function stands alone.

#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace annals::benchmarks {

/// Owns an open file or socket; -1 owns nothing.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

struct Address {
  std::string host = "127.0.0.1";  ///< four numbers
  std::uint16_t port = 0;
};

/// input_output with errno's words: "tried to bind 127.0.0.1:80: Permission denied".
[[nodiscard]] Error system_error(const std::string& tried);

/// A non-blocking socket that listens. Port 0 means any free one.
[[nodiscard]] Result<Descriptor> listen_at(const Address& address);

/// The port that a socket is bound to.
[[nodiscard]] Result<std::uint16_t> port_of(const Descriptor& socket);

/// A blocking connection with Nagle's delay off.
[[nodiscard]] Result<Descriptor> connect_to(const Address& address);

[[nodiscard]] Result<> make_non_blocking(const Descriptor& socket);

/// Answers and requests are small and whole: waiting to merge them would only add delay.
void send_without_delay(const Descriptor& socket);

}  // namespace annals::benchmarks
