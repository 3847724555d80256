#include "store/postgres/parameters.hpp"

namespace annals::store {
namespace {

constexpr std::int64_t year_2000 = 946'684'800'000'000;  // in microseconds since 1970
// Of timestamptz: 4713 BC, in microseconds since 2000. Its end, 294276 AD, is beyond that of Instant.
constexpr std::int64_t earliest = -211'813'488'000'000'000;
constexpr std::int64_t latest_named = 253'402'300'799'999'999;  // 9999-12-31T23:59:59.999999Z, since 1970

}  // namespace

std::int64_t to_database_time(Instant time) {
  if (time.microseconds < earliest + year_2000) return INT64_MIN;
  return time.microseconds - year_2000;
}

Instant from_database_time(std::int64_t microseconds) {
  if (microseconds == INT64_MIN) return {INT64_MIN};
  if (microseconds > latest_named - year_2000) return latest_of_others;
  return {microseconds + year_2000};
}

std::string ArrayParameter::encoded() && {
  std::string header;
  put_big_endian(header, std::int32_t{count_ == 0 ? 0 : 1});  // dimensions
  put_big_endian(header, std::int32_t{has_null_ ? 1 : 0});
  put_big_endian(header, static_cast<std::uint32_t>(element_));
  if (count_ > 0) {
    put_big_endian(header, count_);
    put_big_endian(header, std::int32_t{1});  // the first place
  }
  body_.insert(0, header);
  return std::move(body_);
}

}  // namespace annals::store
