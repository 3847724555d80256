#pragma once
// A run of appends, the store that takes them, and what must be true of a store afterwards.
//
// Every group of a workload is accepted when it comes in turn, so what a store may hold is always the first so many
// groups of the workload: at least all that were acknowledged, never a part of one.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "log/test_world.hpp"
#include "store/embedded_store.hpp"

namespace annals::fault {

/// One event as the workload wants it to be, or as a store gave it back.
struct Recorded {
  std::string stream;
  std::uint64_t version = 0;
  Uuid id;
  std::string type;
  std::string data;
  std::string metadata;
  std::optional<Uuid> causation_id;
  bool operator==(const Recorded&) const = default;
};

struct Workload {
  std::vector<std::vector<Group>> appends;    ///< each one call
  std::vector<std::vector<Recorded>> groups;  ///< of all calls, in order
};

/// Groups of one to four streams and one to five events; most are small, some fill a good part of a segment.
[[nodiscard]] Workload make_workload(std::uint64_t seed, std::size_t appends);

/// The numbers from `first` up to `end`, every `every`-th. With ANNALS_FAULT_STRIDE=N only each N-th of those, from
/// another one on in each run: under a sanitizer each costs many times as much.
[[nodiscard]] std::vector<std::uint64_t> sampled(std::uint64_t first, std::uint64_t end, std::uint64_t every = 1);

/// The N of ANNALS_FAULT_STRIDE, or 1.
[[nodiscard]] std::uint64_t stride();

/// What was read of a store: its events in the order of positions.
struct Content {
  std::vector<Recorded> events;
  std::vector<Instant> times;
};

/// Reads everything, both ways, and checks that what all reads say fits together. A failed check is reported as a
/// failure of the test; nullopt then.
[[nodiscard]] std::optional<Content> read_everything(const EventStore& store);

/// The number of groups of the workload that the content is; nullopt when it is not the first so many groups, whole.
[[nodiscard]] std::optional<std::size_t> groups_in(const Content& content, const Workload& workload);

/// One life of the store: appends from group `begin` of the workload until the workload ends or the store fails.
class Session {
 public:
  explicit Session(log::TestWorld& world, store::Sync sync = store::Sync::group);

  [[nodiscard]] bool is_open() const { return store_ != nullptr; }
  [[nodiscard]] const Error& open_error() const { return *open_error_; }
  [[nodiscard]] EventStore& store() { return *store_; }

  /// Appends the calls that come after the first `groups` groups (which must be the end of a call, or inside one: then
  /// the rest of that call goes first). Stops after `calls_max` calls. The number of groups that are now acknowledged,
  /// all those before included. Checks that nothing succeeds after something failed.
  std::size_t run(const Workload& workload, std::size_t groups, std::size_t calls_max = SIZE_MAX);
  [[nodiscard]] bool failed() const { return failed_; }
  /// The last call was refused because there was no room for it, again and again.
  [[nodiscard]] bool out_of_room() const { return out_of_room_; }

  /// Lets go of the store, cleanly if it can be.
  void close() { store_.reset(); }

 private:
  /// The number of groups that were acknowledged.
  std::size_t append(std::span<const Group> groups);

  log::TestWorld& world_;
  std::unique_ptr<EventStore> store_;
  std::optional<Error> open_error_;
  bool failed_ = false;
  bool out_of_room_ = false;
};

/// Opens the store after something happened to it, and checks all that recovery promises: every acknowledged group is
/// there, none by half, appends go on, and after a clean stop the whole log verifies and reads the same. The number of
/// groups.
std::size_t expect_recovery(log::TestWorld& world, const Workload& workload, std::size_t acknowledged);

inline constexpr std::uint64_t segment_bytes = 64u << 10;
[[nodiscard]] store::EmbeddedOptions options(store::Sync sync = store::Sync::group);

}  // namespace annals::fault
