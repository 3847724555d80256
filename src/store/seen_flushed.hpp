#pragma once
// What is known from elsewhere of the events that a store must have. A value; no thread rule.

#include <optional>
#include <string>

#include "base/uuid.hpp"
#include "event/cursor.hpp"

namespace annals::store {

/// What somebody who was told of flushed events only has made durable: a checkpoint.
struct SeenFlushed {
  std::string path;  ///< of the file that says so
  Cursor cursor;
  std::optional<Uuid> event{};  ///< the id of the event at the cursor, where the file names it
};

}  // namespace annals::store
