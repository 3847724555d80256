#include "projection/unique_index.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/invariant.hpp"
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
  for (const model::UniqueValue& value : *had) {
    if (std::ranges::find(*has, value) == has->end()) change.lost.push_back(name_of(value));
  }
  for (const model::UniqueValue& value : *has) {
    if (std::ranges::find(*had, value) == had->end()) change.won.push_back(name_of(value));
  }
  return change;
}

void UniqueIndex::take_in(std::string_view key, Change change) {
  for (const std::string& name : change.lost) let_go(name, key);
  for (std::string& name : change.won) take(std::move(name), key);
}

void UniqueIndex::let_go(const std::string& name, std::string_view key) {
  const auto owner = owners_.find(name);
  if (owner == owners_.end()) return;
  const auto others = others_.find(name);
  if (owner->second != key) {
    if (others != others_.end()) std::erase(others->second, key);
  } else {
    text_bytes_ -= bytes_beside(owner->first) + bytes_beside(owner->second);
    if (others == others_.end()) {
      owners_.erase(owner);
      return;
    }
    owner->second = std::move(others->second.back());
    others->second.pop_back();
    text_bytes_ += bytes_beside(owner->first) + bytes_beside(owner->second);
  }
  if (others != others_.end() && others->second.empty()) others_.erase(others);
}

void UniqueIndex::take(std::string name, std::string_view key) {
  const auto [owner, is_new] = owners_.try_emplace(std::move(name));
  if (!is_new) {
    text_bytes_ -= bytes_beside(owner->first) + bytes_beside(owner->second);
    others_[owner->first].push_back(std::move(owner->second));
  }
  owner->second = std::string(key);
  text_bytes_ += bytes_beside(owner->first) + bytes_beside(owner->second);
}

UniqueIndex::TakenTwice UniqueIndex::taken_twice() const {
  constexpr std::size_t examples_max = 5;
  TakenTwice twice;
  twice.number = others_.size();
  for (const auto& [name, keys] : others_) {
    if (twice.examples.size() == examples_max) break;
    const model::Field& field = model_.fields[get_at<std::uint32_t>(name.data())];
    const auto owner = owners_.find(name);
    INVARIANT(owner != owners_.end(), "what others have, too, has an owner");
    twice.examples.push_back(field.name + " of \"" + keys.front() + "\" and \"" + owner->second + "\"");
  }
  std::ranges::sort(twice.examples);
  return twice;
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
