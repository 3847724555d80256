#pragma once
// Where an event is, in one word. A value; no thread rule.

#include <compare>
#include <cstdint>

#include "base/invariant.hpp"
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

  /// As stored in files.
  [[nodiscard]] std::uint64_t bits() const { return bits_; }
  [[nodiscard]] static Address from_bits(std::uint64_t bits) {
    Address address;
    address.bits_ = bits;
    return address;
  }

 private:
  static constexpr int segment_bits = 21;
  static constexpr int offset_bits = 29;  // in steps of 8 bytes
  static constexpr int number_bits = 14;
  static_assert(group_events_max <= (1u << number_bits));
  static_assert(log::segment_bytes_max <= (std::uint64_t{8} << offset_bits));

  std::uint64_t bits_ = 0;
};

}  // namespace annals::store
