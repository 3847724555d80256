#pragma once
// What is sent: which keys, which values, and the bytes of the requests.
//
// A value is told by its key and its sequence number alone, and differs from every other of its run:
//
//     00000042-00000000000003e8-kT9x...      key, sequence in hexadecimal, filling drawn from the seed
//
// so a worker need remember one number a key to know, to the byte, what the server must hold, and a value read tells
// whether it is older than one that had been acknowledged.
//
// ValueMaker is immutable and may be shared; RequestMaker is confined to one thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace annals::benchmarks {

inline constexpr std::size_t key_digits = 8;
inline constexpr std::uint64_t keys_max = 100'000'000;
inline constexpr std::size_t value_bytes_min = 32;

/// SplitMix64: small, quick, and the same from the same seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }
  /// Below `bound`, which is at least 1 and below 2^32.
  std::uint64_t below(std::uint64_t bound) { return ((next() >> 32) * bound) >> 32; }

 private:
  std::uint64_t state_;
};

/// The last `digits` of a number.
void write_decimal(char* out, std::size_t digits, std::uint64_t number);
void write_hexadecimal(char* out, std::size_t digits, std::uint64_t number);

class ValueMaker {
 public:
  /// `value_bytes` is at least value_bytes_min.
  ValueMaker(std::size_t value_bytes, std::uint64_t seed);

  [[nodiscard]] std::size_t size() const { return value_bytes_; }
  /// Writes size() bytes, none of which needs an escape in JSON.
  void write(char* out, std::uint64_t key, std::uint64_t sequence) const;
  [[nodiscard]] std::string value(std::uint64_t key, std::uint64_t sequence) const;
  /// The sequence in a value read for `key`; nullopt when it has another size, another key, or none.
  [[nodiscard]] std::optional<std::uint64_t> sequence_in(std::string_view value, std::uint64_t key) const;

 private:
  std::size_t value_bytes_;
  std::string filling_;
};

/// A GET of a path, as RequestMaker makes them.
[[nodiscard]] std::string get_request(const std::string& path, const std::string& host);

/// Makes requests in place in two prepared texts.
class RequestMaker {
 public:
  /// `base` is what keys are appended to, such as "/config/".
  RequestMaker(const ValueMaker& values, const std::string& host, const std::string& base);

  /// Borrowed until the next call.
  [[nodiscard]] std::string_view put(std::uint64_t key, std::uint64_t sequence);
  [[nodiscard]] std::string_view get(std::uint64_t key);

 private:
  const ValueMaker& values_;
  std::string put_text_;
  std::string get_text_;
  std::size_t put_key_at_ = 0;
  std::size_t get_key_at_ = 0;
  std::size_t value_at_ = 0;
};

}  // namespace annals::benchmarks
