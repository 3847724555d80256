#include "base/text_hash.hpp"

#include <xxhash.h>

namespace annals {

// The seed is where the program lies in memory, which the system chooses anew for each process.
std::uint64_t hash_text(std::string_view text) noexcept {
  static const char place_in_memory = 0;
  const auto seed = std::uint64_t{reinterpret_cast<std::uintptr_t>(&place_in_memory)} * 0x9e3779b97f4a7c15;
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace annals
