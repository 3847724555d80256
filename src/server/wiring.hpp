#pragma once
// Wiring: builds the whole server, from the ground up, by hand, and takes it down in the opposite order. The only place
// that knows every concrete name. Made and destroyed on the main thread.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delivery/audit.hpp"
#include "engine/engine.hpp"
#include "http/api.hpp"
#include "http/server.hpp"
#include "platform/platform.hpp"
#include "server/place_watch.hpp"
#include "server/settings.hpp"
#include "store/store_catalogue.hpp"

namespace annals::server {

/// What `server.listen` says.
struct Address {
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  bool encrypted = false;

  [[nodiscard]] bool loopback() const;
  /// "http://127.0.0.1:4000", or https; brackets around an IPv6 address.
  [[nodiscard]] std::string url() const;
};

/// Reads "127.0.0.1:4000", "[::1]:4000", "localhost:0". Errors: usage.
[[nodiscard]] Result<Address> parse_address(const std::string& text);

/// Errors: usage, when the settings ask for what must not be (to listen beyond loopback without --insecure).
[[nodiscard]] Result<Address> listen_address(const Settings& settings);

/// What becomes of a pipe where a file may be read: a start can wait until somebody has filled it, a server that runs
/// would not hear of anything else meanwhile.
enum class Pipes { waited_for, refused };

/// The pair for TLS that the settings name, if they do. Errors: usage, when only one is named, a file cannot be read,
/// or nothing can be served with the two.
[[nodiscard]] Result<std::optional<http::TlsPair>> tls_pair(const Settings& settings, const platform::FileSystem& files,
                                                            Pipes pipes);

class Application {
 public:
  /// Opens the store and listens; `ready(url)` is called once, on some thread, when the tables have caught up.
  /// Errors: usage, conflict (locked), corrupt, input_output (busy port, files).
  [[nodiscard]] static Result<std::unique_ptr<Application>> open(const Settings& settings,
                                                                 std::function<void(const std::string& url)> ready);
  ~Application();

  /// Reads the TLS certificate and its key anew, for the connections that come from now on. What is wrong with them is
  /// logged; then the old ones stay.
  void reload();

  /// Stops accepting, finishes what has begun, closes everything. Call once; the destructor does it otherwise.
  /// Errors: unavailable, when the store could not be closed as it should.
  [[nodiscard]] Result<> stop();

 private:
  explicit Application(const Settings& settings);

  void finish_audit();
  [[nodiscard]] Result<http::ServerOptions> make_server_options(const Address& address);
  void tell_of_tls(const http::TlsPair& pair);
  void make_readers(http::ApiOptions& options, engine::EngineOptions& engine_options);
  void end_readers();
  [[nodiscard]] std::unique_ptr<platform::Executor> end_reads_soon();
  [[nodiscard]] Result<> build(const Address& address, std::function<void(const std::string& url)> ready);

  const Settings settings_;
  // In the order in which they are made.
  std::unique_ptr<Logger> log_;
  std::unique_ptr<platform::Executor> background_;  // segments made ahead, indexes
  std::unique_ptr<platform::Executor> tables_;      // read tables, which wait for no index, and checkpoints
  std::unique_ptr<platform::Executor> delivery_;    // the audit log
  std::unique_ptr<platform::Executor> writer_;      // the writer, while many wait; null when it never flushes
  std::unique_ptr<EventStore> store_;
  std::vector<std::unique_ptr<platform::Executor>> readers_;  // for reads that may wait for another machine
  std::unique_ptr<platform::Executor> probe_;                 // asks such a store how it is; null for others
  std::unique_ptr<PlaceWatch> place_watch_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<delivery::Audit> audit_;
  std::unique_ptr<projection::Runner> audit_runner_;
  std::unique_ptr<http::Server> server_;
  std::atomic<const http::Server*> serving_{nullptr};  // for its own I/O threads: server_, once it is there
  bool stopped_ = false;
};

/// Where checkpoints lie in the directory of the embedded store, and whether a file of this name there is one of them.
inline constexpr std::string_view checkpoints_folder = "checkpoints";
/// True for the names of checkpoints, of snapshots, and of files of rows that are not in memory.
[[nodiscard]] bool lies_with_checkpoints(std::string_view name);

/// What is wrong with the checkpoints in the directory of an embedded store, a text for each: what is damaged is made
/// anew from the log at the next start.
[[nodiscard]] std::vector<std::string> checkpoint_faults(const platform::FileSystem& files,
                                                         const std::string& directory);

/// What the checkpoints in a store's directory say had been flushed.
[[nodiscard]] std::vector<store::SeenFlushed> seen_flushed(const platform::FileSystem& files,
                                                           const std::string& directory);

/// The options of the stores that the settings ask for, `seen` excepted.
[[nodiscard]] store::StoreOptions store_options(const Settings& settings);

}  // namespace annals::server
