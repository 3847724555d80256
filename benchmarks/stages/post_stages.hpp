#pragma once
// PostStages: the steps of a POST, from the bytes of the request to those of the reply, for a batch of records at a
// time. Confined to one thread.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/load_generator/records.hpp"
#include "benchmarks/stages/laps.hpp"
#include "engine/unique_claims.hpp"
#include "event/event_store.hpp"
#include "http/server/identity.hpp"
#include "http/server/request_parser.hpp"
#include "json/reader.hpp"
#include "log/segment/hasher.hpp"
#include "model/decider.hpp"
#include "platform/platform.hpp"
#include "projection/table_feed.hpp"

namespace annals::benchmarks {

/// The event of a new record, decided as a server does, but for the ids. Errors: those of its steps.
[[nodiscard]] Result<Group> group_of_new(const model::Model& model, const platform::Platform& platform,
                                         std::string_view record);

class PostStages {
 public:
  /// All of it outlives this. `flushing` is a store of its own, whose appends wait for the disk; the feed is that of
  /// `store`.
  PostStages(projection::TableFeed& feed, EventStore& store, EventStore& flushing, platform::Platform platform,
             const ValueMaker& values, Laps& laps);

  /// Records of the numbers from `first` on, which are not there yet. Errors: those of the steps.
  [[nodiscard]] Result<> run(std::uint64_t first);

 private:
  /// One record on its way.
  struct Item {
    std::string request;
    std::string_view body;  // of the request
    json::Reader reader;
    json::Object object;
    model::Command command;
    model::Record before;
    std::vector<model::Decision> decisions;
    model::Record after;
    engine::UniqueClaims::Draft claims;
    std::string encoded;
  };

  void prepare(std::uint64_t first);
  [[nodiscard]] Result<> read();
  [[nodiscard]] Result<> decide();
  [[nodiscard]] Result<> record();
  [[nodiscard]] Result<> reply();
  [[nodiscard]] std::vector<EventView> recorded_events() const;

  projection::TableFeed& feed_;
  const model::Model& model_;
  EventStore& store_;
  EventStore& flushing_;
  const platform::Platform platform_;
  Laps& laps_;
  RecordRequests requests_;
  http::RequestParser parser_{http::ParserLimits{}};
  http::IdentitySource identities_;
  http::DateText date_;
  log::Hasher hasher_;
  engine::UniqueClaims claims_;
  std::vector<Item> items_{stages_batch};
  std::vector<Group> groups_;
  std::vector<Appended> appended_;
};

}  // namespace annals::benchmarks
