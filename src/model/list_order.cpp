#include "model/list_order.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/invariant.hpp"
#include "model/record_text.hpp"
#include "model/value_order.hpp"

namespace annals::model {
namespace {

void invert(std::string& bytes, std::size_t begin) {
  for (std::size_t at = begin; at < bytes.size(); ++at) bytes[at] = static_cast<char>(~bytes[at]);
}

/// Of what a place depends on and what it is. FNV-1a, because it is to be the same in every process: this finds
/// mistakes, and whoever forges a place gets the list behind it.
std::uint64_t check_of(const Model& model, const Sort& sort, std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto take = [&](std::string_view text) {
    for (char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    hash = (hash ^ text.size()) * 0x100000001b3;
  };
  take(model.name);
  for (const SortKey& key : sort) {
    take(key.descending ? "-" : "+");
    take(model.fields[key.field].name);
    take(model.fields[key.field].type_text());
  }
  take(bytes);
  return hash;
}

std::size_t place_of(const std::vector<std::size_t>& wanted, std::size_t field) {
  return static_cast<std::size_t>(std::ranges::lower_bound(wanted, field) - wanted.begin());
}

}  // namespace

Result<Sort> read_sort(const Model& model, std::string_view value) {
  Sort sort;
  while (true) {
    const std::size_t end = std::min(value.find(','), value.size());
    std::string_view name = value.substr(0, end);
    const bool descending = name.starts_with('-');
    if (descending) name.remove_prefix(1);
    const SortKey key{TRY(find_field(model, "sort", name)), descending};
    const Field& field = model.fields[key.field];
    if (!has_order(field.type)) {
      return fail(ErrorKind::invalid, "invalid_sort",
                  "a list is not sorted by \"" + field.name + "\", which is of type " + field.type_text());
    }
    if (std::ranges::find(sort, key.field, &SortKey::field) != sort.end())
      return fail(ErrorKind::invalid, "invalid_sort", "sort names \"" + field.name + "\" twice");
    sort.push_back(key);
    if (end == value.size()) break;
    value.remove_prefix(end + 1);
  }
  if (sort.size() <= sort_keys_max) return sort;
  return fail(ErrorKind::invalid, "invalid_sort",
              "sort names " + std::to_string(sort.size()) + " fields; the most is " + std::to_string(sort_keys_max));
}

std::string ListPlace::first_order(const Sort& sort) const {
  INVARIANT(!sort.empty(), "there is a first field");
  std::string order = bytes.substr(0, first_bytes);
  if (sort.front().descending) invert(order, 0);
  return order;
}

std::string place_to_bytes(const Model& model, const Sort& sort, const ListPlace& place) {
  std::string content;
  put(content, static_cast<std::uint16_t>(place.first_bytes));
  put(content, static_cast<std::uint16_t>(place.key_at));
  content += place.bytes;
  std::string bytes;
  put(bytes, check_of(model, sort, content));
  return bytes + content;
}

std::optional<ListPlace> place_from_bytes(const Model& model, const Sort& sort, std::string_view bytes) {
  ByteReader reader(bytes);
  const auto check = reader.integer<std::uint64_t>();
  if (!reader.ok() || check != check_of(model, sort, bytes.substr(sizeof check))) return std::nullopt;
  ListPlace place;
  place.first_bytes = reader.integer<std::uint16_t>();
  place.key_at = reader.integer<std::uint16_t>();
  if (!reader.ok()) return std::nullopt;
  place.bytes = bytes.substr(sizeof check + 2 * sizeof(std::uint16_t));
  const bool good = place.first_bytes <= place.key_at && place.key_at < place.bytes.size() &&
                    (place.first_bytes == 0) == sort.empty();
  return good ? std::optional(std::move(place)) : std::nullopt;
}

ListLook::ListLook(const Model& model, const ListQuery& query) : model_(model), query_(query) {
  take_for_granted({}, false);
}

void ListLook::take_for_granted(std::span<const std::size_t> filters, bool order) {
  INVARIANT(!order || query_.sort.size() == 1, "the order of one field is that of the list");
  wanted_.clear();
  checks_.clear();
  sort_at_.clear();
  for (std::size_t place = 0; place < query_.filters.size(); ++place) {
    if (std::ranges::find(filters, place) == filters.end()) checks_.push_back({&query_.filters[place], 0});
  }
  for (const Check& check : checks_) wanted_.push_back(check.filter->field);
  const std::span<const SortKey> keys = order ? std::span<const SortKey>{} : query_.sort;
  for (const SortKey& key : keys) wanted_.push_back(key.field);
  std::ranges::sort(wanted_);
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  for (Check& check : checks_) check.at = place_of(wanted_, check.filter->field);
  for (const SortKey& key : keys) sort_at_.push_back(place_of(wanted_, key.field));
}

Result<FieldValue> ListLook::value(std::size_t wanted) const {
  return stored_value(model_.fields[wanted_[wanted]], texts_[wanted]);
}

Result<bool> ListLook::passes(std::string_view text) {
  TRY(values_at(model_, text, wanted_, texts_));
  for (const Check& check : checks_) {
    if (!model::passes(*check.filter, TRY(value(check.at)))) return false;
  }
  return true;
}

ListPlace ListLook::place(std::string_view key, std::string_view order) const {
  ListPlace place;
  place.bytes.reserve(order.size() + key.size());
  place.bytes += order;
  if (query_.sort.front().descending) invert(place.bytes, 0);
  place.first_bytes = place.key_at = order.size();
  place.bytes += key;
  return place;
}

Result<ListPlace> ListLook::place(std::string_view key) const {
  INVARIANT(sort_at_.size() == query_.sort.size(), "an order that is granted comes with the record");
  ListPlace place;
  for (std::size_t number = 0; number < query_.sort.size(); ++number) {
    const std::size_t begin = place.bytes.size();
    append_order(place.bytes, model_.fields[query_.sort[number].field].type, TRY(value(sort_at_[number])));
    if (query_.sort[number].descending) invert(place.bytes, begin);
    if (number == 0) place.first_bytes = place.bytes.size();
  }
  place.key_at = place.bytes.size();
  place.bytes += key;
  return place;
}

}  // namespace annals::model
