// Cursor: no two texts are the same cursor, and every cursor comes back from its text, which is fit for a URL.

#include "base/bytes.hpp"
#include "base/invariant.hpp"
#include "event/cursor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace annals;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto cursor = Cursor::from_text(text)) {
    INVARIANT(cursor->to_text() == text, "a cursor has one text only");
    INVARIANT(cursor->is_start() ? cursor->epoch == 0 : cursor->epoch != 0, "only the start has no epoch");
  }

  ByteReader bytes(text);
  const Cursor made{bytes.integer<std::uint32_t>(), Position{bytes.integer<std::uint64_t>()}};
  if (!bytes.ok() || made.epoch == 0 || made.is_start()) return 0;
  const std::string written = made.to_text();
  for (char character : written) {
    const bool fit = (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
                     (character >= 'A' && character <= 'Z') || character == '-' || character == '_';
    INVARIANT(fit, "a cursor's text needs no escape anywhere");
  }
  INVARIANT(Cursor::from_text(written) == made, "a cursor comes back from its text");
  return 0;
}
