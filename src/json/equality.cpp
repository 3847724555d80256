#include "json/equality.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace annals::json {
namespace {

using simdjson::dom::element_type;

/// 2 to this power is the first beyond the integers.
constexpr double beyond_signed = 9223372036854775808.0;
constexpr double beyond_unsigned = 18446744073709551616.0;

bool is_number(element_type type) {
  return type == element_type::INT64 || type == element_type::UINT64 || type == element_type::DOUBLE;
}

/// Whether a double is exactly the integer of the element. Of what lies within the integers the cast is exact.
bool is_integer(double number, simdjson::dom::element integer) {
  if (std::nearbyint(number) != number) return false;
  if (integer.type() == element_type::UINT64)
    return number >= 0 && number < beyond_unsigned && static_cast<std::uint64_t>(number) == std::uint64_t(integer);
  return number >= -beyond_signed && number < beyond_signed &&
         static_cast<std::int64_t>(number) == std::int64_t(integer);
}

bool same_number(simdjson::dom::element left, simdjson::dom::element right) {
  if (left.type() == element_type::DOUBLE && right.type() == element_type::DOUBLE) return double(left) == double(right);
  if (left.type() == element_type::DOUBLE) return is_integer(double(left), right);
  if (right.type() == element_type::DOUBLE) return is_integer(double(right), left);
  // What fits a std::int64_t is never told as a std::uint64_t.
  if (left.type() != right.type()) return false;
  return left.type() == element_type::INT64 ? std::int64_t(left) == std::int64_t(right)
                                            : std::uint64_t(left) == std::uint64_t(right);
}

bool same(simdjson::dom::element left, simdjson::dom::element right);

using Members = std::vector<std::pair<std::string_view, simdjson::dom::element>>;

/// In order of name.
Members members_of(simdjson::dom::object object) {
  Members members;
  members.reserve(object.size());
  for (auto [name, value] : object) members.emplace_back(name, value);
  std::ranges::sort(members, {}, &Members::value_type::first);
  return members;
}

bool same_objects(simdjson::dom::object left, simdjson::dom::object right) {
  return std::ranges::equal(members_of(left), members_of(right), [](const auto& one, const auto& other) {
    return one.first == other.first && same(one.second, other.second);
  });
}

bool same_arrays(simdjson::dom::array left, simdjson::dom::array right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), same);
}

/// As deep as the parser read.
bool same(simdjson::dom::element left, simdjson::dom::element right) {
  if (is_number(left.type()) && is_number(right.type())) return same_number(left, right);
  if (left.type() != right.type()) return false;
  switch (left.type()) {
    case element_type::STRING: return std::string_view(left) == std::string_view(right);
    case element_type::BOOL: return bool(left) == bool(right);
    case element_type::ARRAY: return same_arrays(left, right);
    case element_type::OBJECT: return same_objects(left, right);
    default: return true;  // null
  }
}

}  // namespace

bool same_value(std::string_view left, std::string_view right) {
  if (left == right) return true;
  // Parsers of this call's own: values that differ in their texts alone are rare, and may be large.
  simdjson::dom::parser of_left;
  simdjson::dom::parser of_right;
  simdjson::dom::element one;
  simdjson::dom::element other;
  if (of_left.parse(left.data(), left.size()).get(one) || of_right.parse(right.data(), right.size()).get(other))
    return false;
  return same(one, other);
}

}  // namespace annals::json
