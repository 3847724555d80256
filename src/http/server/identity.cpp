#include "http/server/identity.hpp"

#include <bit>
#include <chrono>
#include <cstring>

#include "http/characters.hpp"

namespace annals::http {
namespace {

constexpr std::size_t request_id_bytes_max = 128;

bool is_lower_hex(std::string_view text) {
  for (char character : text) {
    if (hex_digit_value(character) < 0 || (character >= 'A' && character <= 'F')) return false;
  }
  return true;
}

bool is_all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

/// The 16 bytes that 32 hex digits stand for.
Uuid uuid_from_hex(std::string_view text) {
  Uuid uuid;
  for (std::size_t byte = 0; byte < uuid.bytes.size(); ++byte) {
    uuid.bytes[byte] =
        static_cast<std::uint8_t>(hex_digit_value(text[byte * 2]) * 16 + hex_digit_value(text[byte * 2 + 1]));
  }
  return uuid;
}

void write_two_digits(char* at, unsigned number) {
  at[0] = static_cast<char>('0' + number / 10);
  at[1] = static_cast<char>('0' + number % 10);
}

}  // namespace

bool is_sane_request_id(std::string_view text) {
  if (text.empty() || text.size() > request_id_bytes_max) return false;
  for (char character : text) {
    const char lower = to_lower(character);
    const bool sane = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '.' ||
                      lower == '_' || lower == '-';
    if (!sane) return false;
  }
  return true;
}

std::string_view trace_id_of(std::string_view traceparent) {
  constexpr std::size_t size_of_version_00 = 55;  // 00-<32>-<16>-<2>
  if (traceparent.size() < size_of_version_00) return {};
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace_id = traceparent.substr(3, 32);
  const std::string_view parent_id = traceparent.substr(36, 16);
  const std::string_view flags = traceparent.substr(53, 2);
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  if (!is_lower_hex(version) || !is_lower_hex(trace_id) || !is_lower_hex(parent_id) || !is_lower_hex(flags)) return {};
  if (version == "ff" || is_all_zero(trace_id) || is_all_zero(parent_id)) return {};
  // A later version may have more to say, after another hyphen.
  if (traceparent.size() > size_of_version_00 && (version == "00" || traceparent[size_of_version_00] != '-')) return {};
  return trace_id;
}

IdentitySource::IdentitySource(platform::Random& random) {
  for (std::uint64_t& word : state_) word = random.next();
  state_[0] |= 1;  // the generator cannot leave the state of all zeros
}

std::uint64_t IdentitySource::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void IdentitySource::identify(Request& request) {
  std::optional<std::string_view> request_id;
  std::string_view trace_id;
  for (const Field& field : request.fields) {
    if (field.name.size() == 12 && !request_id && equal_ignoring_case(field.name, "x-request-id"))
      request_id = field.value;
    if (field.name.size() == 11 && trace_id.empty() && equal_ignoring_case(field.name, "traceparent"))
      trace_id = trace_id_of(field.value);
  }
  // One UUID serves for all that the caller has not named.
  const Uuid made = Uuid::version_7(request.received_at, next(), next());
  request.correlation_id = made;
  if (request_id && is_sane_request_id(*request_id)) {
    request.request_id.assign(*request_id);
    const auto uuid = Uuid::from_text(*request_id);
    if (uuid && *uuid != Uuid{}) request.correlation_id = *uuid;
  } else {
    request.request_id.clear();
    made.append_text(request.request_id);
  }
  if (!trace_id.empty()) request.correlation_id = uuid_from_hex(trace_id);
  request.trace.id = request.correlation_id;  // so that records of the log and events are found together
  request.trace.span = next() | 1;            // never all zeros, which would be none
}

std::string_view DateText::at(Instant now) {
  using namespace std::chrono;
  constexpr std::string_view day_names = "SunMonTueWedThuFriSat";
  constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::string_view text(text_.data(), text_.size());
  const auto second = floor<seconds>(sys_time<microseconds>(microseconds(now.microseconds)));
  if (second.time_since_epoch().count() == second_) return text;
  second_ = second.time_since_epoch().count();

  const auto day = floor<days>(second);
  const year_month_day date(day);
  const hh_mm_ss time(second - day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  std::memcpy(text_.data(), "ddd, 00 mmm 0000 00:00:00 GMT", text_.size());
  std::memcpy(text_.data(), day_names.data() + weekday(day).c_encoding() * 3, 3);
  write_two_digits(text_.data() + 5, static_cast<unsigned>(date.day()));
  std::memcpy(text_.data() + 8, month_names.data() + (static_cast<unsigned>(date.month()) - 1) * 3, 3);
  write_two_digits(text_.data() + 12, year / 100 % 100);
  write_two_digits(text_.data() + 14, year % 100);
  write_two_digits(text_.data() + 17, static_cast<unsigned>(time.hours().count()));
  write_two_digits(text_.data() + 20, static_cast<unsigned>(time.minutes().count()));
  write_two_digits(text_.data() + 23, static_cast<unsigned>(time.seconds().count()));
  return text;
}

}  // namespace annals::http
