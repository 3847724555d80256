#pragma once
// Numbers in sentences. Pure.
//
// A name that a user chose has no article before it: nobody but its reader knows whether it is "a" or "an".

#include <cstdint>
#include <string>
#include <string_view>

namespace annals {

/// The word that goes with a number of things: "is" or "are", "entry" or "entries".
[[nodiscard]] inline std::string_view for_number(std::uint64_t number, std::string_view one, std::string_view several) {
  return number == 1 ? one : several;
}

/// "1 event", "2 events": of a thing whose plural has an s.
[[nodiscard]] inline std::string counted(std::uint64_t number, std::string_view thing) {
  return std::to_string(number).append(1, ' ').append(thing).append(for_number(number, "", "s"));
}

}  // namespace annals
