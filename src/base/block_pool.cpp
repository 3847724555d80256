#include "base/block_pool.hpp"

#include <array>
#include <bit>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define ANNALS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANNALS_ASAN 1
#endif
#endif
#ifdef ANNALS_ASAN
#include <sanitizer/asan_interface.h>
#endif

#include "base/huge_pages.hpp"
#include "base/invariant.hpp"

namespace annals {
namespace {

constexpr std::size_t slab_bytes = 64u << 10;
constexpr std::size_t head_bytes = 64;
constexpr std::size_t room_bytes = slab_bytes - head_bytes;
constexpr std::size_t region_slabs = huge_page_bytes / slab_bytes;
constexpr std::uint32_t all_empty = UINT32_MAX;
static_assert(region_slabs == 32, "a region has a bit for each slab");
constexpr std::size_t step_bytes = 8;

// The address sanitizer is told what of a region may be touched.
#ifdef ANNALS_ASAN
void forbid(void* at, std::size_t bytes) {
  ASAN_POISON_MEMORY_REGION(at, bytes);
}
void permit(void* at, std::size_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(at, bytes);
}
#else
void forbid(void*, std::size_t) {}
void permit(void*, std::size_t) {}
#endif

constexpr std::size_t steps_of(std::size_t bytes) {
  return (bytes + step_bytes - 1) / step_bytes;
}

constexpr std::size_t steps_max = steps_of(BlockPool::block_bytes_max);

/// By steps asked for, the steps of the block that is given: as many as leave a slab no fewer blocks.
constexpr auto block_steps = [] {
  std::array<std::uint16_t, steps_max + 1> steps{};
  steps[0] = 1;
  for (std::size_t asked = 1; asked <= steps_max; ++asked) {
    const std::size_t blocks = room_bytes / (asked * step_bytes);
    steps[asked] = static_cast<std::uint16_t>(room_bytes / blocks / step_bytes);
  }
  return steps;
}();
constexpr std::size_t block_steps_max = block_steps[steps_max];

}  // namespace

/// A chain through its members, which knows none but the first.
template <class Node>
struct BlockPool::Chain {
  Node* first = nullptr;

  void add(Node& node) {
    node.previous = nullptr;
    node.next = first;
    if (first) first->previous = &node;
    first = &node;
  }
  void remove(Node& node) {
    (node.previous ? node.previous->next : first) = node.next;
    if (node.next) node.next->previous = node.previous;
  }
};

/// What a block is that was given back.
struct BlockPool::FreeBlock {
  FreeBlock* next;
};

struct BlockPool::Slab {
  State& pool;
  Region& region;
  const std::uint32_t block_bytes;
  const std::uint16_t capacity;  // blocks
  std::uint16_t carved = 0;      // blocks that were ever taken: the first ones
  std::uint16_t taken = 0;       // blocks that are
  FreeBlock* free = nullptr;
  Slab* next = nullptr;  // these two: among those of its pool with blocks of its size to be taken
  Slab* previous = nullptr;

  [[nodiscard]] char* memory() { return reinterpret_cast<char*>(this); }
};

struct BlockPool::Region {
  char* const memory;
  std::uint32_t empty = all_empty;  // a bit for each slab
  Region* next = nullptr;           // these two: among those of its pool with empty slabs
  Region* previous = nullptr;

  /// Of the first region of a pool little may ever be used; where there is another one, so is it.
  explicit Region(bool in_a_huge_page)
      : memory(static_cast<char*>(::operator new(huge_page_bytes, std::align_val_t{huge_page_bytes}))) {
    if (in_a_huge_page) ask_for_huge_pages(memory, huge_page_bytes);
    forbid(memory, region_slabs * slab_bytes);
  }
  ~Region() {
    permit(memory, region_slabs * slab_bytes);
    ::operator delete(memory, std::align_val_t{huge_page_bytes});
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
};

struct BlockPool::State {
  mutable std::mutex mutex;  // guards what follows, and all regions and slabs
  bool has_owner = true;
  std::uint64_t slabs = 0;                                 // with blocks that are taken
  std::uint64_t regions = 0;                               // with slabs or not
  Region* unused = nullptr;                                // one with nothing taken, kept
  Chain<Region> with_empty;                                // regions that have empty slabs
  std::array<Chain<Slab>, block_steps_max + 1> with_room;  // by steps of a block: slabs that have some to be taken

  Slab& add_slab(std::size_t steps) {
    if (!with_empty.first) {
      with_empty.add(*new Region(regions > 0));
      ++regions;
    }
    Region& region = *with_empty.first;
    if (&region == unused) unused = nullptr;
    const int number = std::countr_zero(region.empty);
    region.empty &= ~(1u << number);
    if (region.empty == 0) with_empty.remove(region);
    void* memory = region.memory + static_cast<std::size_t>(number) * slab_bytes;
    permit(memory, head_bytes);
    const std::size_t block_bytes = steps * step_bytes;
    auto* slab = new (memory) Slab{*this, region, static_cast<std::uint32_t>(block_bytes),
                                   static_cast<std::uint16_t>(room_bytes / block_bytes)};
    with_room[steps].add(*slab);
    ++slabs;
    return *slab;
  }

  /// The region that is to be freed, or null. Nothing of the slab is taken.
  [[nodiscard]] Region* remove_slab(Slab& slab) {
    with_room[slab.block_bytes / step_bytes].remove(slab);
    --slabs;
    Region& region = slab.region;
    const auto number = static_cast<std::size_t>(slab.memory() - region.memory) / slab_bytes;
    forbid(&slab, head_bytes);
    if (region.empty == 0) with_empty.add(region);
    region.empty |= 1u << number;
    if (region.empty != all_empty) return nullptr;
    if (has_owner && !unused) {
      unused = &region;
      return nullptr;
    }
    return remove_region(region);
  }

  [[nodiscard]] Region* remove_region(Region& region) {
    with_empty.remove(region);
    --regions;
    return &region;
  }
};

BlockPool::BlockPool() : state_(new State) {
  static_assert(sizeof(Slab) <= head_bytes && alignof(Slab) <= step_bytes);
}

BlockPool::~BlockPool() {
  std::unique_ptr<Region> unneeded;
  bool last = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->has_owner = false;
    if (state_->unused) unneeded.reset(state_->remove_region(*state_->unused));
    last = state_->regions == 0;
  }
  if (last) delete state_;
}

void* BlockPool::take(std::size_t bytes) {
  INVARIANT(bytes <= block_bytes_max, "what is larger comes from the allocator");
  const std::size_t steps = block_steps[steps_of(bytes)];
  void* block = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    auto& with_room = state_->with_room[steps];
    Slab& slab = with_room.first ? *with_room.first : state_->add_slab(steps);
    if (slab.free) {
      block = slab.free;
      permit(block, sizeof(FreeBlock));
      slab.free = slab.free->next;
    } else {
      block = slab.memory() + head_bytes + std::size_t{slab.carved++} * slab.block_bytes;
    }
    if (++slab.taken == slab.capacity) with_room.remove(slab);
  }
  permit(block, bytes);
  return block;
}

bool BlockPool::equally_large(std::size_t bytes, std::size_t others) {
  INVARIANT(bytes <= block_bytes_max && others <= block_bytes_max, "what is larger comes from the allocator");
  return block_steps[steps_of(bytes)] == block_steps[steps_of(others)];
}

void BlockPool::resize(void* block, std::size_t from, std::size_t to) {
  INVARIANT(equally_large(from, to), "the block has room for both");
  forbid(block, from);
  permit(block, to);
}

// Whoever deletes the state is alone with it: a pool or a block would be needed to come by it, and there is neither.
void BlockPool::give_back(void* block) noexcept {
  auto& slab = *reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) & ~(slab_bytes - 1));
  State& state = slab.pool;
  std::unique_ptr<Region> unneeded;
  bool last = false;
  {
    const std::lock_guard lock(state.mutex);
    permit(block, slab.block_bytes);
    slab.free = new (block) FreeBlock{slab.free};
    forbid(block, slab.block_bytes);
    if (slab.taken-- == slab.capacity) state.with_room[slab.block_bytes / step_bytes].add(slab);
    if (slab.taken == 0) unneeded.reset(state.remove_slab(slab));
    last = state.regions == 0 && !state.has_owner;
  }
  if (last) delete &state;
}

BlockPool::Status BlockPool::status() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->slabs * slab_bytes, state_->regions * region_slabs * slab_bytes};
}

}  // namespace annals
