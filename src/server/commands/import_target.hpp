#pragma once
// Where `annals import` puts entries: a server that runs, or a store that no server holds. A chunk is recorded as one
// group, whole or not at all.
//
// Lanes: the chunks of one lane are written one after another, so that of several entries for one name the last one
// counts; the lanes are written side by side, so that one flush carries a group of each. `write` may be called from any
// thread, with one chunk a lane at a time.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "server/entries/entries.hpp"
#include "server/settings.hpp"

namespace annals::server {

struct ImportRequest {
  std::string file;
  std::string format;  ///< empty: what the file's name says
  std::string store;   ///< as in EventsRequest
  std::string url;
  std::string model;  ///< empty: the first that is declared
  std::string prefix;
  bool one_group = false;
};

class ImportTarget {
 public:
  using Done = std::move_only_function<void(Result<>)>;
  virtual ~ImportTarget() = default;

  /// Records the chunk; `done` is called on another thread, once it is durable. Errors: too_large, invalid or
  /// unprocessable, when these entries cannot be recorded together or at all: nothing was; any other ends the import.
  virtual void write(std::size_t lane, std::vector<Entry> chunk, Done done) = 0;
};

inline constexpr std::size_t import_lanes = 8;

/// Errors: usage; those of opening the store.
[[nodiscard]] Result<std::unique_ptr<ImportTarget>> open_import_target(const ImportRequest& request,
                                                                       const Settings& settings);

/// The model of this name, or the first one when it is empty. Errors: usage.
[[nodiscard]] Result<std::size_t> place_of_model(const Settings& settings, const std::string& name);

}  // namespace annals::server
