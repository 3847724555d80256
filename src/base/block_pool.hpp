#pragma once
// BlockPool: memory for very many blocks that stay for long, such as the rows of a table. A general allocator has few
// sizes, and rounds 292 bytes up to 320 and 1,036 up to 1,280. Here a block is rounded up to 8 bytes or, from some 700
// bytes on, to an even part of 64 KiB: by a sixteenth at most.
//
// A slab is 64 KiB of blocks of one size, and begins at a multiple of 64 KiB, so a block's address tells its slab.
// Slabs lie in regions of 2 MiB, which come from the allocator and go back to it when nothing in them is taken; of
// such ones the pool keeps one. All but a pool's first region ask for a page of that size (huge_pages.hpp). Blocks that
// are given back are taken again first, the last one first of all, while the processor has them at hand; memory that
// was never taken is not touched.
//
// Blocks may outlive the pool; the memory goes with the last of them.
//
// Thread-safe. Everything is done under one mutex of the pool, for some dozens of instructions; what is read without it
// is a slab's pool, which does not change while a block of the slab is taken.
//
// Source: Bonwick, "The Slab Allocator", USENIX Summer 1994.

#include <cstddef>
#include <cstdint>

namespace annals {

class BlockPool {
 public:
  static constexpr std::size_t block_bytes_max = 4088;

  BlockPool();
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// So many bytes at a multiple of 8. INVARIANT: they are block_bytes_max at most.
  [[nodiscard]] void* take(std::size_t bytes);

  /// Whether blocks for so many bytes and for so many are equally large. INVARIANT: as take.
  [[nodiscard]] static bool equally_large(std::size_t bytes, std::size_t others);

  /// From now on the block, which was taken for `from` bytes, is one for `to`. INVARIANT: such are equally large.
  static void resize(void* block, std::size_t from, std::size_t to);

  /// What some pool's `take` gave.
  static void give_back(void* block) noexcept;

  struct Status {
    std::uint64_t slab_bytes = 0;    ///< of slabs with blocks that are taken
    std::uint64_t region_bytes = 0;  ///< of all regions
  };
  [[nodiscard]] Status status() const;

 private:
  template <class Node>
  struct Chain;
  struct FreeBlock;
  struct Slab;
  struct Region;
  struct State;

  State* const state_;
};

}  // namespace annals
