#include "log/segment/blemish.hpp"

#include <algorithm>
#include <bit>

namespace annals::log {
namespace {

/// What a crash can leave of a write is some of its sectors, or its beginning up to some byte; a frame begins with
/// eight bytes of checksum, which are never all zero.
constexpr std::uint64_t frame_checksum_bytes = 8;

}  // namespace

Result<std::optional<Blemish>> find_blemish(Window& window, std::uint64_t end, std::uint64_t size,
                                            std::string_view stop_mark) {
  std::uint64_t bits_set = 0;
  std::uint64_t last_set = end;  // where the last byte that is not zero stands
  std::uint64_t bytes_wrong = 0;
  std::uint64_t last_wrong = end;  // where the last byte stands that is not the mark's, or behind the mark not zero
  const bool has_room = stop_mark.size() <= size - end;
  for (std::uint64_t offset = end; offset < size;) {
    const std::string_view bytes =
        TRY(window.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(size - offset, 1u << 20))));
    if (bytes.empty()) break;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const std::uint64_t place = offset + at - end;
      const char expected = has_room && place < stop_mark.size() ? stop_mark[static_cast<std::size_t>(place)] : '\0';
      if (bytes[at] != 0) {
        bits_set += static_cast<std::uint64_t>(std::popcount(static_cast<unsigned char>(bytes[at])));
        last_set = offset + at;
      }
      if (bytes[at] != expected) {
        ++bytes_wrong;
        last_wrong = offset + at;
      }
    }
    offset += bytes.size();
  }
  if (bits_set == 1 && last_set >= end + frame_checksum_bytes) {
    return Blemish{last_set,
                   "a bit is set among the zeros behind the end of the log, and no crash leaves such a thing"};
  }
  // With zeros from the wrong byte on it could be the beginning of a mark that was being written.
  if (has_room && bytes_wrong == 1 && last_set >= last_wrong) {
    return Blemish{last_wrong,
                   "one byte of the mark of a clean stop is not what was written, and no crash leaves such a "
                   "thing"};
  }
  return std::nullopt;
}

}  // namespace annals::log
