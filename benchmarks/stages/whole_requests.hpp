#pragma once
// WholeRequests: POST, GET and a page through the API of a whole engine, from the bytes of the request to those of the
// reply, without sockets; and the audit log behind it. Confined to one thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/load_generator/records.hpp"
#include "benchmarks/stages/laps.hpp"
#include "delivery/audit.hpp"
#include "engine/engine.hpp"
#include "http/api.hpp"
#include "http/server/identity.hpp"
#include "http/server/request_parser.hpp"
#include "platform/simulated.hpp"

namespace annals::benchmarks {

class WholeRequests {
 public:
  /// All of it outlives this; the engine has started. `home` is where its requests' replies are given.
  /// `audit_checkpoint`: the file of the audit log's.
  WholeRequests(engine::Engine& engine, platform::SteppedExecutor& home, const ValueMaker& values,
                const std::string& audit_checkpoint, Laps& laps);

  /// A batch: POSTs of the numbers from `first` on, GETs of the same, pages. Errors: internal, for a reply that is not
  /// what it should be; those of the audit log.
  [[nodiscard]] Result<> run(std::uint64_t first);

 private:
  class Answer;

  [[nodiscard]] Result<> hand_in(std::size_t i, std::string_view text);
  [[nodiscard]] Result<> take(std::size_t i, int status);
  [[nodiscard]] Result<> audit_batch();

  engine::Engine& engine_;
  platform::SteppedExecutor& home_;
  Laps& laps_;
  const http::Handler api_;
  RecordRequests requests_;
  http::RequestParser parser_{http::ParserLimits{}};
  http::IdentitySource identities_;
  http::DateText date_;
  std::unique_ptr<platform::LineOutput> nowhere_;
  delivery::Audit audit_;
  std::vector<std::shared_ptr<Answer>> answers_;  // shared with the responders
  std::vector<std::string> texts_;
  std::string out_;
  Position audited_;
};

}  // namespace annals::benchmarks
