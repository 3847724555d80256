#pragma once
// TextHash: the hash of a text in the tables of this process. Clients choose names, keys and values, and whoever could
// choose many with one hash could make a table of them slow; so it has a seed that they do not know. It differs from
// process to process, and must not be written to a file.
//
// Thread-safe.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace annals {

[[nodiscard]] std::uint64_t hash_text(std::string_view text) noexcept;

/// Tables with it and std::equal_to<> are searched with a std::string_view, without a copy.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return hash_text(text); }
};

/// `Text`: std::string, or std::string_view of what outlives the table.
template <class Text, class Value>
using TextMap = std::unordered_map<Text, Value, TextHash, std::equal_to<>>;
template <class Text>
using TextSet = std::unordered_set<Text, TextHash, std::equal_to<>>;

}  // namespace annals
