#include "base/sizes.hpp"

#include <charconv>
#include <system_error>

namespace annals {

std::optional<std::int64_t> bytes_from_text(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const std::int64_t scale = unit.empty() || unit == "B" ? 1
                             : unit == "KiB"             ? kib
                             : unit == "MiB"             ? mib
                             : unit == "GiB"             ? gib
                                                         : 0;
  if (scale == 0 || number > (std::int64_t{1} << 60) / scale) return std::nullopt;
  return number * scale;
}

std::string bytes_to_text(std::int64_t count) {
  if (count >= gib && count % gib == 0) return std::to_string(count / gib) + "GiB";
  if (count >= mib && count % mib == 0) return std::to_string(count / mib) + "MiB";
  if (count >= kib && count % kib == 0) return std::to_string(count / kib) + "KiB";
  return std::to_string(count);
}

std::uint64_t bytes_beside(const std::string& text) {
  static const std::size_t within = std::string().capacity();
  return text.capacity() > within ? text.capacity() + 1 : 0;
}

}  // namespace annals
