#pragma once
// The whole server but for its sockets, over the embedded store on a simulated disk, on one thread and from one seed.
// It can be stopped, killed, and lose power, and starts again on what is left. Confined to one thread.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/api.hpp"
#include "platform/simulated.hpp"
#include "store/embedded_store.hpp"
#include "tests/property/shape.hpp"

namespace annals::property {

struct Reply {
  int status = 0;
  std::string body;
  std::string fields;  ///< each `Name: value\r\n`

  /// Empty when there is none.
  [[nodiscard]] std::string field(std::string_view name) const;
};

/// An event as the store has it, its secrets opened.
struct StoredEvent {
  std::string type;
  std::string stream;
  std::uint64_t version = 0;
  Json data;
  std::int64_t created_at = 0;
  std::string id;
};

class ServerUnderTest {
 public:
  enum class End : std::uint8_t { stop, kill, power_loss };

  explicit ServerUnderTest(std::uint64_t seed, std::uint64_t segment_bytes);
  ~ServerUnderTest();

  /// Errors: those of what is declared, and usage when what is stored does not suit it.
  [[nodiscard]] Result<> start(const Shape& shape);
  /// Nothing happens when it does not run.
  void end(End how);

  [[nodiscard]] Reply ask(http::Method method, const std::string& target, std::string_view body = {},
                          const std::vector<std::pair<std::string, std::string>>& fields = {});
  /// What was recorded since this was last asked, but for what is the server's own.
  [[nodiscard]] std::vector<StoredEvent> new_events();
  /// Opens what is sealed in the data of an event, or in one of the objects of an audit's entry.
  void open_secrets(const std::string& stream, Json& data) const;

  [[nodiscard]] std::int64_t now() const { return clock_.now().microseconds; }
  void advance(Duration time);
  /// The errors that were logged, but for those of a server that was killed.
  [[nodiscard]] std::vector<std::string> errors() const;

 private:
  [[nodiscard]] platform::Platform platform() { return {clock_, random_, files_, *log_}; }
  std::size_t run();
  [[nodiscard]] Reply taken(http::Response response);

  const std::uint64_t segment_bytes_;
  platform::SimulatedClock clock_;
  platform::SimulatedRandom random_;
  platform::SimulatedRandom disk_dice_;
  platform::SimulatedFileSystem files_;
  std::unique_ptr<platform::CollectingLogger> log_ = std::make_unique<platform::CollectingLogger>();
  std::set<std::string> secrets_;  // model.field, of all declarations there were
  Position seen_;
  std::vector<std::string> errors_;  // of earlier lives

  // One life. Executors go last, with the tasks that are left.
  std::unique_ptr<platform::SteppedExecutor> background_;
  std::unique_ptr<platform::SteppedExecutor> home_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<engine::Engine> engine_;
  http::Handler api_;
};

}  // namespace annals::property
