#pragma once
// A proxy before PostgreSQL that breaks a connection at the worst moment: when a commit has gone to the server and its
// answer has not come back. Its controls may be used from any thread.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace annals::test {

class CuttingProxy {
 public:
  /// To the server's socket, `directory`/.s.PGSQL.`port`.
  CuttingProxy(std::string directory, std::string port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  enum class Cut : std::uint8_t {
    never,
    before_commit,  ///< the commit does not reach the server
    after_commit,   ///< the server has committed, and nobody hears of it
  };
  /// What happens at the next commit, and whether connections are taken after that.
  void cut_next(Cut cut, bool then_refuse);
  /// Cuts every connection off, and takes none.
  void refuse() { refusing_ = true; }
  /// Takes none any more, and leaves those that there are.
  void refuse_new() { refusing_new_ = true; }
  void accept_again() { refusing_ = refusing_new_ = false; }

  enum class Held : std::uint8_t {
    none,
    those_there,  ///< the connections that there are, and none that comes
    all,
  };
  /// Nothing goes by way of these connections for now, in either direction, and nothing is lost.
  void hold(Held held);
  /// How many connections have come.
  [[nodiscard]] std::size_t connections() const { return connections_.load(); }
  [[nodiscard]] bool has_cut() const { return cut_.load() == Cut::never; }

 private:
  void serve();
  void carry(int client, std::size_t number);

  std::string server_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<Cut> cut_{Cut::never};
  std::atomic<bool> then_refuse_{false};
  std::atomic<bool> refusing_{false};
  std::atomic<bool> refusing_new_{false};
  std::atomic<bool> closing_{false};
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> held_to_{0};  // the connections up to this one are held
  std::mutex mutex_;
  std::vector<std::thread> carriers_;  // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace annals::test
