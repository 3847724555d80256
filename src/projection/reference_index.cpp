#include "projection/reference_index.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/sizes.hpp"

namespace annals::projection {
namespace {

std::string name_of(const model::ReferredKey& to) {
  std::string name;
  put(name, static_cast<std::uint32_t>(to.field));
  return name + to.key;
}

}  // namespace

std::optional<ReferenceIndex::Change> ReferenceIndex::change_of(std::string_view before, std::string_view after) const {
  Change change;
  if (!wanted()) return change;
  const auto had = model::referred_keys(model_, before);
  const auto has = model::referred_keys(model_, after);
  if (!had || !has) return std::nullopt;
  for (const model::ReferredKey& to : *had) {
    if (std::ranges::find(*has, to) == has->end()) change.lost.push_back(name_of(to));
  }
  for (const model::ReferredKey& to : *has) change.has.push_back(name_of(to));
  return change;
}

void ReferenceIndex::take_in(std::string_view key, const Change& change) {
  for (const std::string& name : change.lost) {
    const auto referrers = referrers_.find(name);
    if (referrers == referrers_.end()) continue;
    const auto referrer = referrers->second.find(std::string(key));
    if (referrer != referrers->second.end()) {
      --keys_;
      text_bytes_ -= bytes_beside(*referrer);
      referrers->second.erase(referrer);
    }
    if (!referrers->second.empty()) continue;
    text_bytes_ -= bytes_beside(referrers->first);
    referrers_.erase(referrers);
  }
  for (const std::string& name : change.has) {
    const auto [referrers, is_new_name] = referrers_.try_emplace(name);
    if (is_new_name) text_bytes_ += bytes_beside(referrers->first);
    const auto [referrer, is_new] = referrers->second.emplace(key);
    if (!is_new) continue;
    ++keys_;
    text_bytes_ += bytes_beside(*referrer);
  }
}

std::uint64_t ReferenceIndex::bytes() const {
  // A node of a tree is full, or half full, or between; a place of the table has its entry and a byte of the table's
  // own.
  return referrers_.capacity() * (sizeof(Referrers::value_type) + 1) + keys_ * sizeof(std::string) * 3 / 2 +
         text_bytes_;
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
