#include "projection/unique_index.hpp"

#include "base/bytes.hpp"
#include "base/sizes.hpp"

namespace annals::projection {
namespace {

std::string name_of(const model::UniqueValue& value) {
  std::string name;
  put(name, static_cast<std::uint32_t>(value.field));
  return name + value.identity;
}

}  // namespace

std::optional<UniqueIndex::Change> UniqueIndex::change_of(std::string_view before, std::string_view after) const {
  Change change;
  if (!wanted()) return change;
  const auto had = model::unique_values(model_, before);
  const auto has = model::unique_values(model_, after);
  if (!had || !has) return std::nullopt;
  change.had.reserve(had->size());
  change.has.reserve(has->size());
  for (const model::UniqueValue& value : *had) change.had.push_back(name_of(value));
  for (const model::UniqueValue& value : *has) change.has.push_back(name_of(value));
  return change;
}

void UniqueIndex::take_in(std::string_view key, Change change) {
  for (const std::string& name : change.had) {
    const auto owner = owners_.find(name);
    // Another record may have taken it over in the same group.
    if (owner == owners_.end() || owner->second != key) continue;
    text_bytes_ -= bytes_beside(owner->first) + bytes_beside(owner->second);
    owners_.erase(owner);
  }
  for (std::string& name : change.has) {
    const auto [owner, is_new] = owners_.try_emplace(std::move(name));
    text_bytes_ -= is_new ? 0 : bytes_beside(owner->first) + bytes_beside(owner->second);
    owner->second = std::string(key);
    text_bytes_ += bytes_beside(owner->first) + bytes_beside(owner->second);
  }
}

std::uint64_t UniqueIndex::bytes() const {
  // A place has its entry and a byte of the table's own.
  return owners_.capacity() * (sizeof(std::pair<std::string, std::string>) + 1) + text_bytes_;
}

std::optional<std::string> UniqueIndex::owner(const model::UniqueValue& value) const {
  const auto owner = owners_.find(name_of(value));
  if (owner == owners_.end()) return std::nullopt;
  return owner->second;
}

}  // namespace annals::projection
