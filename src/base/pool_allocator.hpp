#pragma once
// PoolAllocator: a BlockPool for the nodes of a container, each as large as a block may be. Containers that change
// places have the same pool.
//
// A value; as thread-safe as the pool, which outlives the container.

#include <cstddef>

#include "base/block_pool.hpp"

namespace annals {

template <class T>
class PoolAllocator {
 public:
  using value_type = T;

  explicit PoolAllocator(BlockPool& pool) noexcept : pool_(&pool) {}
  template <class Other>
  PoolAllocator(const PoolAllocator<Other>& other) noexcept : pool_(other.pool()) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    static_assert(alignof(T) <= 8, "blocks begin at multiples of 8");
    return static_cast<T*>(pool_->take(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t) noexcept { BlockPool::give_back(memory); }
  [[nodiscard]] BlockPool* pool() const noexcept { return pool_; }
  template <class Other>
  bool operator==(const PoolAllocator<Other>& other) const noexcept {
    return pool_ == other.pool();
  }

 private:
  BlockPool* pool_;
};

}  // namespace annals
