#pragma once
// Parameters of a statement in PostgreSQL's binary form (the send and receive functions of its types). Values; confined
// to one thread.

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/uuid.hpp"

namespace annals::store {

/// Appends an integer, most significant byte first.
template <class T>
void put_big_endian(std::string& out, T number) {
  auto bits = static_cast<std::make_unsigned_t<T>>(number);
  for (std::size_t shift = sizeof(T) * 8; shift > 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint8_t>(bits >> (shift - 8)));
  }
}

/// What stands for a time beyond the year 9999, or for `infinity`, of an event that others recorded: 9999-01-01, so
/// that a year is left for those that come after it. As position_at.sql and adopt_stretches.sql have it.
inline constexpr Instant latest_of_others{253'370'764'800'000'000};

/// A timestamptz: microseconds since 2000. Times before those that PostgreSQL knows are its -infinity; what is beyond
/// the year 9999 there is latest_of_others here.
[[nodiscard]] std::int64_t to_database_time(Instant time);
[[nodiscard]] Instant from_database_time(std::int64_t microseconds);

/// A one-dimensional array, built element by element.
class ArrayParameter {
 public:
  enum class Element : std::uint32_t { bytes = 17, integer = 20, text = 25, time = 1184, uuid = 2950 };
  explicit ArrayParameter(Element element) : element_(element) {}

  void add(std::int64_t number) {
    put_big_endian(body_, std::int32_t{8});
    put_big_endian(body_, number);
    ++count_;
  }
  void add(Instant time) { add(to_database_time(time)); }
  void add(const Uuid& uuid) {
    add(std::string_view(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()));
  }
  void add(std::string_view bytes) {
    put_big_endian(body_, static_cast<std::int32_t>(bytes.size()));
    body_ += bytes;
    ++count_;
  }
  void add_null() {
    put_big_endian(body_, std::int32_t{-1});
    has_null_ = true;
    ++count_;
  }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::string encoded() &&;

 private:
  Element element_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  std::string body_;
};

/// All of a statement's, in order.
class Parameters {
 public:
  Parameters& add(std::int64_t number) {
    put_big_endian(values_.emplace_back(), number);
    return *this;
  }
  Parameters& add(std::uint64_t number) { return add(static_cast<std::int64_t>(number)); }
  Parameters& add(Instant time) { return add(to_database_time(time)); }
  Parameters& add(std::string_view text) {
    values_.emplace_back(text);
    return *this;
  }
  Parameters& add(const Uuid& uuid) {
    return add(std::string_view(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()));
  }
  Parameters& add(ArrayParameter&& array) {
    values_.push_back(std::move(array).encoded());
    return *this;
  }
  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

}  // namespace annals::store
