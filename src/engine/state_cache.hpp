#pragma once
// StateCache: the newest state of streams whose read table cannot stand for it (models that are not `live`). A bounded
// cache in two generations: when the young one is full it becomes the old one, and the old one is forgotten. Confined
// to the writer's thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/text_hash.hpp"
#include "model/decider.hpp"

namespace annals::engine {

class StateCache {
 public:
  /// Keeps the `streams_max / 2` streams that were used last, and never more than `streams_max` (at least 2); fewer,
  /// where their values would take more than `bytes_max`.
  explicit StateCache(std::size_t streams_max = 100'000, std::uint64_t bytes_max = UINT64_MAX)
      : generation_max_(streams_max / 2), generation_bytes_max_(bytes_max / 2) {}

  [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

  [[nodiscard]] const model::Record* find(std::string_view stream) {
    if (const auto found = young_.find(stream); found != young_.end()) return &found->second;
    const auto found = old_.find(stream);
    if (found == old_.end()) return nullptr;
    auto node = old_.extract(found);
    make_room(node.mapped());
    return &young_.insert(std::move(node)).position->second;
  }

  void put(const std::string& stream, model::Record record) {
    if (bytes_of(record) > generation_bytes_max_) return forget(stream);
    make_room(record, young_.contains(stream) ? 0 : 1);
    old_.erase(stream);
    young_.insert_or_assign(stream, std::move(record));
  }

  void forget(const std::string& stream) {
    if (size() == 0) return;  // as it is beside live tables, for each of their events
    young_.erase(stream);
    old_.erase(stream);
  }

 private:
  using Generation = TextMap<std::string, model::Record>;

  static std::uint64_t bytes_of(const model::Record& record) { return record.exists() ? record.value->size() : 0; }

  /// For a record, which is another stream more, or takes the place of one that is counted until the generation ends.
  void make_room(const model::Record& record, std::size_t more = 1) {
    const std::uint64_t bytes = bytes_of(record);
    if (young_.size() + more > generation_max_ || young_bytes_ + bytes > generation_bytes_max_) {
      old_ = std::exchange(young_, {});
      young_bytes_ = 0;
    }
    young_bytes_ += bytes;
  }

  std::size_t generation_max_;
  std::uint64_t generation_bytes_max_;
  std::uint64_t young_bytes_ = 0;  // of all values that were put into it
  Generation young_;
  Generation old_;
};

}  // namespace annals::engine
