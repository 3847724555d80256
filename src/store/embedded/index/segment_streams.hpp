#pragma once
// SegmentStreams: where the events of each stream are within one segment, in memory.
// Guarded by whoever owns it; once the segment is sealed, immutable.

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/number.hpp"
#include "store/embedded/index/address.hpp"

namespace annals::store {

/// What one stretch of the log knows of a stream: consecutive versions, the first of which is `first`.
struct StreamStretch {
  StreamVersion first{1};
  std::vector<Address> addresses;
  [[nodiscard]] StreamVersion last() const { return StreamVersion{first.value + addresses.size() - 1}; }
};

/// The same for all forms of text.
struct StreamNameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return absl::HashOf(name); }
};

class SegmentStreams {
 public:
  /// Every append looks its stream up here, and mostly waits for memory: so there are no nodes to go along.
  using Streams = absl::flat_hash_map<std::string, StreamStretch, StreamNameHash, std::equal_to<>>;

  /// Null for a stream without events in the segment. Borrowed until the next `add`.
  [[nodiscard]] const StreamStretch* find(std::string_view stream) const {
    const auto found = streams_.find(stream);
    return found == streams_.end() ? nullptr : &found->second;
  }

  /// False when the version does not follow the one before it.
  [[nodiscard]] bool add(std::string_view stream, StreamVersion version, Address address) {
    auto found = streams_.find(stream);
    if (found == streams_.end()) {
      found = streams_.try_emplace(std::string(stream)).first;
      found->second.first = version;
      bytes_ += sizeof(Streams::value_type) * 3 / 2 + stream.size();
    } else if (version != found->second.last().next()) {
      return false;
    }
    std::vector<Address>& addresses = found->second.addresses;
    const std::size_t before = addresses.capacity();
    addresses.push_back(address);
    bytes_ += (addresses.capacity() - before) * sizeof(Address);
    return true;
  }

  [[nodiscard]] const Streams& streams() const { return streams_; }
  /// What it takes of memory, more or less: a table is half full, or nearly full, or between.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  Streams streams_;
  std::uint64_t bytes_ = 0;
};

}  // namespace annals::store
