// Instant::from_text: whatever it accepts is the moment that the C library finds too, and comes back from its own text.

#include <cstdlib>
#include <ctime>

#include "base/instant.hpp"
#include "base/invariant.hpp"

namespace {

int number_at(std::string_view text, std::size_t begin, std::size_t size) {
  return std::atoi(std::string(text.substr(begin, size)).c_str());
}

/// The moment by another road: fixed places of the text, and timegm. `text` is known to have been accepted.
std::int64_t microseconds_by_timegm(std::string_view text) {
  std::tm fields{};
  fields.tm_year = number_at(text, 0, 4) - 1900;
  fields.tm_mon = number_at(text, 5, 2) - 1;
  fields.tm_mday = number_at(text, 8, 2);
  fields.tm_hour = number_at(text, 11, 2);
  fields.tm_min = number_at(text, 14, 2);
  fields.tm_sec = number_at(text, 17, 2);
  std::string decimals;
  std::size_t place = 19;
  if (text[place] == '.') {
    for (++place; text[place] >= '0' && text[place] <= '9'; ++place) decimals += text[place];
  }
  decimals.resize(6, '0');
  if (fields.tm_sec == 60) {
    fields.tm_sec = 59;
    decimals = "999999";
  }
  std::int64_t seconds = ::timegm(&fields);
  if (text[place] == '+' || text[place] == '-') {
    const int offset = number_at(text, place + 1, 2) * 3600 + number_at(text, place + 4, 2) * 60;
    seconds -= text[place] == '+' ? offset : -offset;
  }
  return seconds * 1'000'000 + std::atoi(decimals.c_str());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using annals::Instant;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto instant = Instant::from_text(text);
  if (!instant) return 0;
  INVARIANT(instant->microseconds == microseconds_by_timegm(text), "two readers find the same moment");
  const std::string written = instant->to_text();
  INVARIANT(written.size() == 27 && written.back() == 'Z', "a moment is written in UTC with six decimals");
  INVARIANT(Instant::from_text(written) == instant, "a moment comes back from its own text");
  return 0;
}
