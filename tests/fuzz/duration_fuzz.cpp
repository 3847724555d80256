// duration_from_text: whatever it accepts lies within its limits and comes back from its own text.

#include "base/instant.hpp"
#include "base/invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace annals;
  constexpr std::int64_t hundred_years = 36'525 * std::int64_t{86'400'000'000};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto duration = duration_from_text(text);
  if (!duration) return 0;
  INVARIANT(duration->count() >= 0 && duration->count() <= hundred_years, "a duration lies within its limits");
  INVARIANT(text.front() >= '0' && text.front() <= '9', "a duration begins with a digit: it has no sign");
  INVARIANT(duration_from_text(to_text(*duration)) == duration, "a duration comes back from its own text");
  return 0;
}
