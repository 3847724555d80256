#include "projection/unique_index.hpp"

#include "base/bytes.hpp"

namespace annals::projection {
namespace {

std::string name_of(const model::UniqueValue& value) {
  std::string name;
  put(name, static_cast<std::uint32_t>(value.field));
  return name + value.identity;
}

}  // namespace

bool UniqueIndex::change(std::string_view key, std::string_view before, std::string_view after) {
  const auto had = model::unique_values(model_, before);
  const auto has = model::unique_values(model_, after);
  if (!had || !has) return false;
  for (const model::UniqueValue& value : *had) {
    const auto owner = owners_.find(name_of(value));
    // Another record may have taken it over in the same group.
    if (owner != owners_.end() && owner->second == key) owners_.erase(owner);
  }
  for (const model::UniqueValue& value : *has) owners_.insert_or_assign(name_of(value), std::string(key));
  return true;
}

std::optional<std::string> UniqueIndex::owner(const model::UniqueValue& value) const {
  const auto owner = owners_.find(name_of(value));
  if (owner == owners_.end()) return std::nullopt;
  return owner->second;
}

}  // namespace annals::projection
