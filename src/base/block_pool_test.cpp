#include "base/block_pool.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace annals {
namespace {

constexpr std::uint64_t slab_bytes = 64u << 10;
constexpr std::uint64_t region_bytes = 2u << 20;

/// So many blocks of this size are in a slab at least.
std::size_t in_a_slab(std::size_t bytes) {
  const std::size_t most = bytes < 700 ? bytes + 7 : bytes + bytes / 16 + 8;
  return (slab_bytes - 64) / most;
}

std::vector<void*> take_some(BlockPool& pool, std::size_t bytes, std::size_t count) {
  std::vector<void*> blocks;
  for (std::size_t number = 0; number < count; ++number) blocks.push_back(pool.take(bytes));
  return blocks;
}

void give_back(const std::vector<void*>& blocks) {
  for (void* block : blocks) BlockPool::give_back(block);
}

TEST(block_pool, a_block_takes_little_more_than_was_asked_for) {
  for (std::size_t bytes = 1; bytes <= BlockPool::block_bytes_max; bytes += 7) {
    BlockPool pool;
    const auto blocks = take_some(pool, bytes, in_a_slab(bytes));
    EXPECT_EQ(pool.status().slab_bytes, slab_bytes) << bytes;
    give_back(blocks);
  }
}

TEST(block_pool, a_row_of_292_bytes_takes_297) {
  BlockPool pool;
  const auto blocks = take_some(pool, 292, 100'000);
  EXPECT_LE(pool.status().slab_bytes, 100'000 * 297 + slab_bytes);
  give_back(blocks);
}

TEST(block_pool, what_was_given_back_last_is_taken_first) {
  BlockPool pool;
  const auto blocks = take_some(pool, 100, 10);
  BlockPool::give_back(blocks[3]);
  BlockPool::give_back(blocks[7]);
  EXPECT_EQ(pool.take(97), blocks[7]);
  EXPECT_EQ(pool.take(104), blocks[3]);
  give_back(blocks);
}

// Which the address sanitizer watches over.
TEST(block_pool, a_block_can_be_used_for_as_many_bytes_as_make_one_as_large) {
  BlockPool pool;
  constexpr std::size_t most = 1024;
  std::size_t bytes = most;
  void* block = pool.take(bytes);
  while (bytes > 1 && BlockPool::equally_large(bytes - 1, most)) {
    BlockPool::resize(block, bytes, bytes - 1);
    std::memset(block, 'x', --bytes);
  }
  EXPECT_LT(bytes, most);
  BlockPool::resize(block, bytes, most);
  std::memset(block, 'y', most);
  EXPECT_EQ(static_cast<const char*>(block)[most - 1], 'y');
  BlockPool::give_back(block);
}

TEST(block_pool, slabs_without_blocks_are_used_for_other_sizes) {
  BlockPool pool;
  for (const std::size_t bytes : {24u, 100u, 1000u, 4000u, 300u}) {
    const auto blocks = take_some(pool, bytes, 16 * in_a_slab(bytes));
    EXPECT_EQ(pool.status().region_bytes, region_bytes) << bytes;
    give_back(blocks);
    EXPECT_EQ(pool.status().slab_bytes, 0u) << bytes;
  }
}

TEST(block_pool, regions_go_back_but_for_one) {
  BlockPool pool;
  EXPECT_EQ(pool.status().region_bytes, 0u);
  for (int round = 0; round < 3; ++round) {
    auto blocks = take_some(pool, 500, 20'000);
    EXPECT_GE(pool.status().region_bytes, 20'000u * 500);
    std::ranges::shuffle(blocks, std::mt19937(static_cast<unsigned>(round)));
    give_back(blocks);
    EXPECT_EQ(pool.status().slab_bytes, 0u);
    EXPECT_EQ(pool.status().region_bytes, region_bytes);
  }
}

// Address and leak sanitizers see whether anything is freed too early, or never.
TEST(block_pool, blocks_may_outlive_the_pool) {
  for (const std::size_t count : {0u, 1u, 10'000u}) {
    auto pool = std::make_unique<BlockPool>();
    const auto others = take_some(*pool, 200, 10'000);
    const auto blocks = take_some(*pool, 300, count);
    for (void* block : blocks) std::memset(block, 'x', 300);
    give_back(others);
    pool.reset();
    for (void* block : blocks) EXPECT_EQ(static_cast<const char*>(block)[299], 'x');
    give_back(blocks);
  }
}

TEST(block_pool, threads_take_and_give_back_what_others_took) {
  constexpr int threads = 3;
  constexpr int rounds = 20'000;
  auto pool = std::make_unique<BlockPool>();
  struct Text {
    char* at;
    std::string text;
  };
  std::mutex mutex;
  std::deque<Text> between;
  std::atomic<int> spoilt{0};
  {
    std::vector<std::jthread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        std::mt19937 dice(static_cast<unsigned>(thread));
        for (int round = 0; round < rounds; ++round) {
          const std::size_t bytes = 8 + dice() % 600;
          Text made{static_cast<char*>(pool->take(bytes)), std::string(bytes, static_cast<char>('a' + dice() % 26))};
          std::memcpy(made.at, made.text.data(), bytes);
          Text other{};
          {
            const std::lock_guard lock(mutex);
            between.push_back(std::move(made));
            if (between.size() > 500) {
              other = std::move(between.front());
              between.pop_front();
            }
          }
          if (other.at == nullptr) continue;
          if (std::memcmp(other.at, other.text.data(), other.text.size()) != 0) ++spoilt;
          BlockPool::give_back(other.at);
        }
      });
    }
  }
  EXPECT_EQ(spoilt, 0);
  pool.reset();
  // The last blocks go at once, on several threads, of a pool that is gone.
  std::vector<std::jthread> running;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      for (std::size_t at = thread; at < between.size(); at += threads) BlockPool::give_back(between[at].at);
    });
  }
}

/// Beside the allocator that keeps each block as a text of its own: what is in a block stays as it was written,
/// whatever is taken and given back beside it; blocks lie at multiples of 8; and all is there again in the end.
RC_GTEST_PROP(block_pool, blocks_are_what_texts_of_their_own_are, ()) {
  BlockPool pool;
  struct Block {
    char* at;
    std::string text;
  };
  std::vector<Block> blocks;
  std::uint64_t bytes_taken = 0;
  std::uint32_t number = 0;
  std::mt19937 dice(*rc::gen::arbitrary<unsigned>());
  const auto phases = *rc::gen::inRange(1, 8);
  for (int phase = 0; phase < phases; ++phase) {
    const auto bytes_most = *rc::gen::element<std::size_t>(8, 40, 300, 1100, BlockPool::block_bytes_max);
    const bool alike = *rc::gen::arbitrary<bool>();
    const auto of_hundred_taken = *rc::gen::element<unsigned>(10, 50, 90, 100);
    const auto steps = *rc::gen::element(10, 100, 2000);
    for (int step = 0; step < steps; ++step) {
      if (dice() % 100 < of_hundred_taken) {
        const std::size_t bytes = alike ? bytes_most : dice() % (bytes_most + 1);
        std::string text(bytes, static_cast<char>(dice()));
        if (bytes >= 4) std::memcpy(text.data(), &(++number), 4);
        auto* at = static_cast<char*>(pool.take(bytes));
        RC_ASSERT(reinterpret_cast<std::uintptr_t>(at) % 8 == 0);
        if (bytes != 0) std::memcpy(at, text.data(), bytes);
        bytes_taken += bytes;
        blocks.push_back({at, std::move(text)});
      } else if (!blocks.empty()) {
        std::swap(blocks[dice() % blocks.size()], blocks.back());
        RC_ASSERT(std::string_view(blocks.back().at, blocks.back().text.size()) == blocks.back().text);
        BlockPool::give_back(blocks.back().at);
        bytes_taken -= blocks.back().text.size();
        blocks.pop_back();
      }
    }
    RC_ASSERT(pool.status().slab_bytes >= bytes_taken);
    RC_ASSERT(pool.status().region_bytes >= pool.status().slab_bytes);
  }
  for (const Block& block : blocks) {
    RC_ASSERT(std::string_view(block.at, block.text.size()) == block.text);
    BlockPool::give_back(block.at);
  }
  RC_ASSERT(pool.status().slab_bytes == 0);
  RC_ASSERT(pool.status().region_bytes <= region_bytes);
}

}  // namespace
}  // namespace annals
