#pragma once
// PageCache: pages of index files that were read and whose checksums were right; the least recently used go first.
// Thread-safe.

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "store/embedded/index/streams_format.hpp"

namespace annals::store {

using Page = std::array<char, page_bytes>;
using PagePointer = std::shared_ptr<const Page>;  // shared with whoever looks into it just now

class PageCache {
 public:
  explicit PageCache(std::size_t pages_max) : pages_max_(pages_max) {}

  /// Null when it is not there. `file` is a number that no two opened files share.
  [[nodiscard]] PagePointer find(std::uint64_t file, std::uint64_t page) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find({file, page});
    if (found == places_.end()) return nullptr;
    uses_.splice(uses_.begin(), uses_, found->second);
    return found->second->second;
  }

  void keep(std::uint64_t file, std::uint64_t page, PagePointer content) {
    const std::lock_guard lock(mutex_);
    const Key key{file, page};
    if (places_.contains(key)) return;
    uses_.emplace_front(key, std::move(content));
    places_[key] = uses_.begin();
    if (uses_.size() > pages_max_) {
      places_.erase(uses_.back().first);
      uses_.pop_back();
    }
  }

  [[nodiscard]] std::uint64_t bytes() const {
    const std::lock_guard lock(mutex_);
    return uses_.size() * sizeof(Page);
  }

  [[nodiscard]] std::uint64_t next_file() {
    const std::lock_guard lock(mutex_);
    return ++files_;
  }

 private:
  struct Key {
    std::uint64_t file = 0;
    std::uint64_t page = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>((key.file * 0x9e37'79b9'7f4a'7c15u) ^ (key.page * 0xc2b2'ae3d'27d4'eb4fu));
    }
  };
  using Uses = std::list<std::pair<Key, PagePointer>>;

  const std::size_t pages_max_;
  mutable std::mutex mutex_;
  Uses uses_;  // the most recent first
  std::unordered_map<Key, Uses::iterator, KeyHash> places_;
  std::uint64_t files_ = 0;
};

}  // namespace annals::store
