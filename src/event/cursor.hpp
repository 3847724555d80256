#pragma once
// Cursor: an opaque token that says how far a reader got in one store: a position, and the epoch it was given out in.
//
// A store begins a new epoch whenever it may have lost events that somebody saw (an unclean stop), and remembers the
// last position that survived of each epoch. So a cursor into a lost tail is recognised (410) although other events
// may by now stand at its position; and so is a cursor of another store, because an epoch's number is drawn by chance.
//
// Text: `0` for the start, else base64url of the epoch (4 bytes, little-endian) and the position (as many bytes as it
// needs, least significant first). Clients must not look inside. Immutable value; no thread rule.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/number.hpp"

namespace annals {

struct Cursor {
  std::uint32_t epoch = 0;  ///< 0 only for the start
  Position position;

  auto operator<=>(const Cursor&) const = default;
  [[nodiscard]] bool is_start() const { return position.value == 0; }

  [[nodiscard]] std::string to_text() const;
  /// nullopt when it cannot have come from to_text.
  [[nodiscard]] static std::optional<Cursor> from_text(std::string_view text);
};

}  // namespace annals
