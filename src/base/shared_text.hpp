#pragma once
// SharedText: text that never changes, held by all who need it and freed with the last of them; or none at all (null),
// which is not the same as empty text. It may lie in a larger block with other things, which then lives as long.
//
//     SharedText value("red");
//     if (value) use(*value);       // a std::string_view
//
// Values; copies may be used on different threads. Source: boost::intrusive_ptr, and the aliasing of std::shared_ptr in
// two words less a holder.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/block_pool.hpp"

namespace annals {

/// What a block of memory begins with that several hold. Nothing in it needs more than to be freed.
class SharedBlock {
 public:
  /// Where the block comes from, and goes.
  enum class Source : std::uint32_t {
    heap = 0,         ///< ::operator new
    pool = 1u << 31,  ///< BlockPool::take
  };

  explicit SharedBlock(Source source = Source::heap) : holders_(static_cast<std::uint32_t>(source) | 1) {}

  [[nodiscard]] bool is_pooled() const noexcept {
    return (holders_.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(Source::pool)) != 0;
  }
  /// Whether the caller holds it alone. That stays so while it lets nobody begin to hold it; all that others did with
  /// it before they let go is done.
  [[nodiscard]] bool is_held_once() const noexcept {
    return (holders_.load(std::memory_order_acquire) & ~static_cast<std::uint32_t>(Source::pool)) == 1;
  }
  void hold() const noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
  /// Frees the block if nobody else holds it.
  void let_go() const noexcept {
    // Whoever frees must see all that the others read done: their decrements release, the last one acquires.
    const std::uint32_t before = holders_.fetch_sub(1, std::memory_order_acq_rel);
    if (before == 1) ::operator delete(const_cast<SharedBlock*>(this));
    if (before == (static_cast<std::uint32_t>(Source::pool) | 1)) BlockPool::give_back(const_cast<SharedBlock*>(this));
  }

 private:
  mutable std::atomic<std::uint32_t> holders_;  // and the source
};

class SharedText {
 public:
  SharedText() = default;
  SharedText(std::nullptr_t) {}
  /// A copy of `text`.
  explicit SharedText(std::string_view text) {
    void* memory = ::operator new(sizeof(SharedBlock) + text.size());
    block_ = new (memory) SharedBlock;
    char* bytes = static_cast<char*>(memory) + sizeof(SharedBlock);
    if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
    text_ = std::string_view(bytes, text.size());
  }
  /// `text` lies in `block`, which the caller holds and goes on holding.
  SharedText(const SharedBlock& block, std::string_view text) : block_(&block), text_(text) { block.hold(); }

  SharedText(const SharedText& other) : block_(other.block_), text_(other.text_) {
    if (block_) block_->hold();
  }
  SharedText(SharedText&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), text_(std::exchange(other.text_, {})) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(block_, other.block_);
    std::swap(text_, other.text_);
    return *this;
  }
  ~SharedText() {
    if (block_) block_->let_go();
  }

  explicit operator bool() const { return block_ != nullptr; }
  bool operator==(std::nullptr_t) const { return block_ == nullptr; }
  /// Valid as long as some holder is; empty when there is none.
  [[nodiscard]] const std::string_view& operator*() const { return text_; }
  [[nodiscard]] const std::string_view* operator->() const { return &text_; }

 private:
  const SharedBlock* block_ = nullptr;
  std::string_view text_;
};

}  // namespace annals
