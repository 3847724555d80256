#pragma once
// The embedded event store: the log of one directory, indexes of its streams beside it, and one writer. The default.
//
// Appends of several threads are joined: while one flush runs, what arrives waits, and shares the next. Reads wait for
// no flush. See event/event_store.hpp for what every store promises and log/log.hpp for what the disk is asked to do.
//
// Thread-safe, as every EventStore.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "event/event_store.hpp"
#include "log/log.hpp"
#include "platform/platform.hpp"
#include "store/seen_flushed.hpp"

namespace annals::store {

/// When an append is a success that asks for nothing else (AskedDurability). One that asks for `local` is always as
/// with `group`; with `group`, one that asks for `memory` is as with `periodic`.
enum class Sync : std::uint8_t {
  group,     ///< its events survive the loss of power
  periodic,  ///< the operating system has them (they survive a crash of the process); flushed every sync_interval
  memory,    ///< the same, flushed once a second
};

struct EmbeddedOptions {
  std::string directory;
  std::uint64_t segment_bytes = 64u << 20;  ///< 64 KiB to 2 GiB; a group must fit one
  Sync sync = Sync::group;
  Duration sync_interval = std::chrono::milliseconds{10};
  std::uint32_t node_id = 1;
  std::vector<SeenFlushed> seen{};  ///< the log must not end before any of these, as far as they are of its last epoch
};

/// Opens the store, which is made when the directory holds none. The platform and `background`, where segments are
/// prepared, indexes are written and periodic flushes run, outlive the store. Closing it leaves the mark of a clean
/// stop.
///
/// Errors: usage, for options out of range; conflict, when another process has the directory open; corrupt, naming the
/// file and byte of the first damage, or what is missing at the end of the log ("segment_missing", "events_missing");
/// unsupported ("format_version"); input_output.
[[nodiscard]] Result<std::unique_ptr<EventStore>> open_embedded_store(EmbeddedOptions options,
                                                                      platform::Platform platform,
                                                                      platform::Executor& background);

/// Opens an existing store under its lock and changes nothing: append answers unavailable.
/// Errors: not_found; otherwise those of open_embedded_store.
[[nodiscard]] Result<std::unique_ptr<EventStore>> open_embedded_store_to_read(const std::string& directory,
                                                                              platform::Platform platform);

/// An event and its hash, which stands for it and for all events before it: whoever wrote the two down elsewhere can
/// tell later whether the log is still the one that it was.
struct Anchor {
  Position position;
  log::Hash hash{};
  bool operator==(const Anchor&) const = default;

  /// `POSITION:HASH`, the hash as 64 digits of hex.
  [[nodiscard]] std::string to_text() const;
  /// nullopt for anything else; positions begin with 1. Capital digits will do.
  [[nodiscard]] static std::optional<Anchor> from_text(std::string_view text);
};

struct VerifyOptions {
  std::vector<Anchor> expected{};   ///< that the chain of hashes must pass through
  std::vector<SeenFlushed> seen{};  ///< as in EmbeddedOptions
  log::OnProgress on_progress{};
};

/// Walks the whole log and checks everything, events and the versions of streams included; and compares the indexes
/// with it, which is no error but in the report. Changes nothing. Errors: as open_embedded_store_to_read; corrupt
/// ("anchor_missed"), when the log does not have what is expected.
[[nodiscard]] Result<log::VerifyReport> verify_embedded_store(const std::string& directory, platform::FileSystem& files,
                                                              const VerifyOptions& options = {});

}  // namespace annals::store
