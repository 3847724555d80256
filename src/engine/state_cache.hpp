#pragma once
// StateCache: the newest state of streams whose read table cannot stand for it (models that are not `live`). A bounded
// cache in two generations: when the young one is full it becomes the old one, and the old one is forgotten. Confined
// to the writer's thread.

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/bytes.hpp"
#include "model/decider.hpp"

namespace annals::engine {

class StateCache {
 public:
  /// Keeps the `streams_max / 2` streams that were used last, and never more than `streams_max` (at least 2).
  explicit StateCache(std::size_t streams_max = 100'000) : generation_max_(streams_max / 2) {}

  [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

  [[nodiscard]] const model::Record* find(std::string_view stream) {
    if (const auto found = young_.find(stream); found != young_.end()) return &found->second;
    const auto found = old_.find(stream);
    if (found == old_.end()) return nullptr;
    auto node = old_.extract(found);
    make_room();
    return &young_.insert(std::move(node)).position->second;
  }

  void put(const std::string& stream, model::Record record) {
    if (!young_.contains(stream)) {
      make_room();
      old_.erase(stream);
    }
    young_.insert_or_assign(stream, std::move(record));
  }

  void forget(const std::string& stream) {
    young_.erase(stream);
    old_.erase(stream);
  }

 private:
  using Generation = std::unordered_map<std::string, model::Record, TransparentStringHash, std::equal_to<>>;

  void make_room() {
    if (young_.size() < generation_max_) return;
    old_ = std::exchange(young_, {});
  }

  std::size_t generation_max_;
  Generation young_;
  Generation old_;
};

}  // namespace annals::engine
