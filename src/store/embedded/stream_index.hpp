#pragma once
// StreamIndex: where the events of each stream are, eight bytes an event, in memory; built anew at every opening.
// Guarded by whoever owns it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/invariant.hpp"
#include "base/number.hpp"
#include "event/event.hpp"
#include "log/record.hpp"

namespace annals::store {

/// An event's frame and its number (from 0) in that frame's group, in one word that sorts as the log does.
class Address {
 public:
  constexpr Address() = default;
  Address(log::Place place, std::size_t number)
      : bits_((std::uint64_t{place.segment} << (offset_bits + number_bits)) |
              (std::uint64_t{place.offset / 8} << number_bits) | number) {
    INVARIANT(place.segment < (1u << segment_bits) && number < (1u << number_bits), "an address fits its word");
  }

  [[nodiscard]] log::Place place() const {
    return {static_cast<std::uint32_t>(bits_ >> (offset_bits + number_bits)),
            static_cast<std::uint32_t>(((bits_ >> number_bits) & ((1u << offset_bits) - 1)) * 8)};
  }
  [[nodiscard]] std::size_t number() const { return bits_ & ((1u << number_bits) - 1); }
  auto operator<=>(const Address&) const = default;

 private:
  static constexpr int segment_bits = 21;
  static constexpr int offset_bits = 29;  // in steps of 8 bytes
  static constexpr int number_bits = 14;
  static_assert(group_events_max <= (1u << number_bits));
  static_assert(log::segment_bytes_max <= (std::uint64_t{8} << offset_bits));

  std::uint64_t bits_ = 0;
};

class StreamIndex {
 public:
  /// The addresses of a stream's events, in order of version; none for an unknown stream. Borrowed until the next
  /// `add`.
  [[nodiscard]] std::span<const Address> find(std::string_view stream) const {
    const auto found = streams_.find(stream);
    return found == streams_.end() ? std::span<const Address>{} : std::span<const Address>(found->second);
  }

  [[nodiscard]] StreamVersion version(std::string_view stream) const { return StreamVersion{find(stream).size()}; }

  /// The list that the stream's next events are to be appended to. Borrowed until the next call with another stream.
  [[nodiscard]] std::vector<Address>& grow(std::string_view stream) {
    auto found = streams_.find(stream);
    if (found == streams_.end()) found = streams_.try_emplace(std::string(stream)).first;
    return found->second;
  }

 private:
  std::unordered_map<std::string, std::vector<Address>, TransparentStringHash, std::equal_to<>> streams_;
};

}  // namespace annals::store
