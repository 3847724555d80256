#include "base/instant.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace annals {
namespace {

// The years that a text of ours can name, in seconds since 1970.
constexpr std::int64_t first_second = -62'167'219'200;  // 0000-01-01T00:00:00Z
constexpr std::int64_t last_second = 253'402'300'799;   // 9999-12-31T23:59:59Z

/// Reads exactly `count` decimal digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (char character : text.substr(0, count)) {
    if (character < '0' || character > '9') return std::nullopt;
    number = number * 10 + (character - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

bool take_either(std::string_view& text, char lower, char upper) {
  return take(text, lower) || take(text, upper);
}

/// "00" to "99", one after another.
constexpr auto two_digits = [] {
  std::array<char, 200> digits{};
  for (std::size_t number = 0; number < 100; ++number) {
    digits[2 * number] = static_cast<char>('0' + number / 10);
    digits[2 * number + 1] = static_cast<char>('0' + number % 10);
  }
  return digits;
}();

void write_two(char* at, unsigned number) {
  std::memcpy(at, two_digits.data() + std::size_t{2} * number, 2);
}

}  // namespace

void Instant::append_text(std::string& out) const {
  using namespace std::chrono;
  const sys_time<Duration> time{
      Duration{std::clamp(microseconds, first_second * 1'000'000, last_second * 1'000'000 + 999'999)}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const auto of_day = static_cast<std::uint64_t>((time - day).count());  // microseconds
  const auto second = static_cast<unsigned>(of_day / 1'000'000);
  std::array<char, 27> text{"0000-00-00T00:00:00.000000"};
  const auto year_number = static_cast<unsigned>(static_cast<int>(date.year()));
  write_two(text.data(), year_number / 100);
  write_two(text.data() + 2, year_number % 100);
  write_two(text.data() + 5, static_cast<unsigned>(date.month()));
  write_two(text.data() + 8, static_cast<unsigned>(date.day()));
  write_two(text.data() + 11, second / 3600);
  write_two(text.data() + 14, second / 60 % 60);
  write_two(text.data() + 17, second % 60);
  const auto fraction = static_cast<unsigned>(of_day % 1'000'000);
  write_two(text.data() + 20, fraction / 10'000);
  write_two(text.data() + 22, fraction / 100 % 100);
  write_two(text.data() + 24, fraction % 100);
  text.back() = 'Z';
  out.append(text.data(), text.size());
}

std::string Instant::to_text() const {
  std::string text;
  append_text(text);
  return text;
}

std::optional<Instant> Instant::from_text(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = take_digits(text, 4);
  if (!year_number || !take(text, '-')) return std::nullopt;
  const auto month_number = take_digits(text, 2);
  if (!month_number || !take(text, '-')) return std::nullopt;
  const auto day_number = take_digits(text, 2);
  if (!day_number || !take_either(text, 't', 'T')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;

  std::int64_t fraction = 0;
  if (take(text, '.')) {
    std::size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      if (digits < 6) fraction = fraction * 10 + (text.front() - '0');
      ++digits;
      text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) fraction *= 10;
  }

  int offset_minutes = 0;
  if (!take_either(text, 'z', 'Z')) {
    const bool east = !text.empty() && text.front() == '+';
    if (!east && (text.empty() || text.front() != '-')) return std::nullopt;
    text.remove_prefix(1);
    const auto offset_hour = take_digits(text, 2);
    if (!offset_hour || *offset_hour > 23 || !take(text, ':')) return std::nullopt;
    const auto offset_minute = take_digits(text, 2);
    if (!offset_minute || *offset_minute > 59) return std::nullopt;
    offset_minutes = (*offset_hour * 60 + *offset_minute) * (east ? 1 : -1);
  }
  if (!text.empty()) return std::nullopt;

  const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                            day{static_cast<unsigned>(*day_number)}};
  if (!date.ok()) return std::nullopt;
  std::int64_t seconds_of_day = *hour * 3600 + *minute * 60 + *second;
  if (*second == 60) {
    seconds_of_day -= 1;
    fraction = 999'999;
  }
  const std::int64_t days_since_epoch = sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days_since_epoch * 86'400 + seconds_of_day - offset_minutes * 60;
  // An offset can carry the moment out of the years that a text of ours can name.
  if (seconds < first_second || seconds > last_second) return std::nullopt;
  return Instant{seconds * 1'000'000 + fraction};
}

std::optional<Duration> duration_from_text(std::string_view text) {
  std::int64_t number = 0;
  if (text.starts_with('-')) return std::nullopt;  // from_chars would take "-0"
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  std::int64_t scale = 0;
  if (unit == "us") scale = 1;
  if (unit == "ms") scale = 1'000;
  if (unit == "s" || (unit.empty() && number == 0)) scale = 1'000'000;
  if (unit == "m") scale = 60'000'000;
  if (unit == "h") scale = 3'600'000'000;
  if (unit == "d") scale = 86'400'000'000;
  constexpr std::int64_t hundred_years = 36'525 * 86'400'000'000;
  if (scale == 0 || number > hundred_years / scale) return std::nullopt;
  return Duration{number * scale};
}

std::string to_text(Duration duration) {
  struct Unit {
    std::int64_t microseconds;
    const char* name;
  };
  constexpr std::int64_t one_day = 86'400'000'000;
  constexpr std::array<Unit, 6> units{
      {{one_day, "d"}, {3'600'000'000, "h"}, {60'000'000, "m"}, {1'000'000, "s"}, {1'000, "ms"}, {1, "us"}}};
  if (duration.count() == 0) return "0s";
  for (const Unit& unit : units) {
    const bool is_single_day = unit.microseconds == one_day && duration.count() == one_day;
    if (duration.count() % unit.microseconds == 0 && !is_single_day)
      return std::to_string(duration.count() / unit.microseconds) + unit.name;
  }
  return std::to_string(duration.count()) + "us";
}

}  // namespace annals
