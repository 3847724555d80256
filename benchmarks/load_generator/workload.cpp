#include "benchmarks/load_generator/workload.hpp"

#include <cstring>

#include "base/invariant.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::size_t sequence_digits = 16;
constexpr std::size_t filling_begin = key_digits + 1 + sequence_digits + 1;
constexpr std::size_t filling_places = 65'536;  // of which a value begins at one

std::optional<std::uint64_t> read_hexadecimal(std::string_view text) {
  std::uint64_t number = 0;
  for (char letter : text) {
    number <<= 4;
    if (letter >= '0' && letter <= '9') {
      number |= static_cast<std::uint64_t>(letter - '0');
    } else if (letter >= 'a' && letter <= 'f') {
      number |= static_cast<std::uint64_t>(letter - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return number;
}

}  // namespace

void write_decimal(char* out, std::size_t digits, std::uint64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) out[i] = static_cast<char>('0' + number % 10);
}

void write_hexadecimal(char* out, std::size_t digits, std::uint64_t number) {
  for (std::size_t i = digits; i-- > 0; number >>= 4) out[i] = "0123456789abcdef"[number & 15];
}

ValueMaker::ValueMaker(std::size_t value_bytes, std::uint64_t seed) : value_bytes_(value_bytes) {
  INVARIANT(value_bytes >= value_bytes_min, "a value has room for its key and sequence");
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Dice dice(seed);
  filling_.resize(filling_places + value_bytes);
  for (char& letter : filling_) letter = letters[dice.below(letters.size())];
}

void ValueMaker::write(char* out, std::uint64_t key, std::uint64_t sequence) const {
  write_decimal(out, key_digits, key);
  out[key_digits] = '-';
  write_hexadecimal(out + key_digits + 1, sequence_digits, sequence);
  out[filling_begin - 1] = '-';
  const std::size_t place = (key * 31 + sequence * 97) % filling_places;
  std::memcpy(out + filling_begin, filling_.data() + place, value_bytes_ - filling_begin);
}

std::string ValueMaker::value(std::uint64_t key, std::uint64_t sequence) const {
  std::string made(value_bytes_, '\0');
  write(made.data(), key, sequence);
  return made;
}

std::optional<std::uint64_t> ValueMaker::sequence_in(std::string_view value, std::uint64_t key) const {
  char expected_key[key_digits];
  write_decimal(expected_key, key_digits, key);
  if (value.size() != value_bytes_ || !value.starts_with(std::string_view(expected_key, key_digits)))
    return std::nullopt;
  return read_hexadecimal(value.substr(key_digits + 1, sequence_digits));
}

std::string get_request(const std::string& path, const std::string& host) {
  return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}

RequestMaker::RequestMaker(const ValueMaker& values, const std::string& host, const std::string& base)
    : values_(values) {
  const std::string key = "key-" + std::string(key_digits, '0');
  const std::string body_begin = R"({"value":")";
  const std::string body_end = R"("})";
  const std::size_t body_bytes = body_begin.size() + values.size() + body_end.size();

  put_text_ = "PUT " + base + key;
  put_key_at_ = put_text_.size() - key_digits;
  put_text_ += " HTTP/1.1\r\nHost: " + host +
               "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n" +
               body_begin;
  value_at_ = put_text_.size();
  put_text_ += std::string(values.size(), '.') + body_end;

  get_text_ = get_request(base + key, host);
  get_key_at_ = get_text_.find(' ', 4) - key_digits;
}

std::string_view RequestMaker::put(std::uint64_t key, std::uint64_t sequence) {
  write_decimal(put_text_.data() + put_key_at_, key_digits, key);
  values_.write(put_text_.data() + value_at_, key, sequence);
  return put_text_;
}

std::string_view RequestMaker::get(std::uint64_t key) {
  write_decimal(get_text_.data() + get_key_at_, key_digits, key);
  return get_text_;
}

}  // namespace annals::benchmarks
