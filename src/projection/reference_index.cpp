#include "projection/reference_index.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace annals::projection {
namespace {

std::string name_of(const model::ReferredKey& to) {
  std::string name;
  put(name, static_cast<std::uint32_t>(to.field));
  return name + to.key;
}

}  // namespace

bool ReferenceIndex::change(std::string_view key, std::string_view before, std::string_view after) {
  const auto had = model::referred_keys(model_, before);
  const auto has = model::referred_keys(model_, after);
  if (!had || !has) return false;
  for (const model::ReferredKey& to : *had) {
    if (std::ranges::find(*has, to) != has->end()) continue;
    const auto referrers = referrers_.find(name_of(to));
    if (referrers == referrers_.end()) continue;
    referrers->second.erase(std::string(key));
    if (referrers->second.empty()) referrers_.erase(referrers);
  }
  for (const model::ReferredKey& to : *has) referrers_[name_of(to)].emplace(key);
  return true;
}

std::vector<std::string> ReferenceIndex::referrers(const model::ReferredKey& to, std::size_t limit) const {
  std::vector<std::string> keys;
  const auto referrers = referrers_.find(name_of(to));
  if (referrers == referrers_.end()) return keys;
  for (const std::string& key : referrers->second) {
    if (keys.size() == limit) break;
    keys.push_back(key);
  }
  return keys;
}

}  // namespace annals::projection
