#pragma once
// SegmentStreams: where the events of each stream are within one segment, in memory.
// Guarded by whoever owns it; once the segment is sealed, immutable.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/number.hpp"
#include "store/embedded/index/address.hpp"

namespace annals::store {

/// What one stretch of the log knows of a stream: consecutive versions, the first of which is `first`.
struct StreamStretch {
  StreamVersion first{1};
  std::vector<Address> addresses;
  [[nodiscard]] StreamVersion last() const { return StreamVersion{first.value + addresses.size() - 1}; }
};

class SegmentStreams {
 public:
  using Streams = std::unordered_map<std::string, StreamStretch, TransparentStringHash, std::equal_to<>>;

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
    } else if (version != found->second.last().next()) {
      return false;
    }
    found->second.addresses.push_back(address);
    return true;
  }

  [[nodiscard]] const Streams& streams() const { return streams_; }

 private:
  Streams streams_;
};

}  // namespace annals::store
