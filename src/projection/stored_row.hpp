#pragma once
// StoredRow: a key and its newest record in one piece of memory: 24 bytes, the key, the value. Values that were read
// share it, so that nobody copies a large one. It never changes while they do: a new version of the record is a new
// row, or the same one written over where its table holds it alone.
//
// Of a model with `memory_max` the value lies apart (ApartText): in memory, while the row is hot, or in a file, while
// it is cold (text_memory.hpp). Which of the two may change at any time; what the value is never does.
//
// Immutable for whoever holds it beside its table, and shared between threads as SharedBlock is.

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/block_pool.hpp"
#include "base/invariant.hpp"
#include "model/decider.hpp"

namespace annals::projection {

class TextMemory;

/// Where the value of a row is that lies apart. For TextMemory alone.
struct ApartText {
  TextMemory& memory;
  std::atomic<std::uint32_t> holders{1};  ///< of the row
  std::uint32_t ring_place;               ///< among the hot rows; guarded by the memory's mutex
  std::atomic<std::uintptr_t> block{0};   ///< a SharedBlock with the text behind it, 0 when cold; and two bits
  std::uint64_t file_place = 0;           ///< where the file has it, 0: nowhere; guarded by one of those bits
};

class StoredRow : public SharedBlock {
 public:
  [[nodiscard]] std::string_view key() const { return {text(), key_bytes()}; }
  [[nodiscard]] StreamVersion version() const { return StreamVersion{bits_ >> version_shift}; }
  [[nodiscard]] Instant updated_at() const { return updated_at_; }
  [[nodiscard]] bool exists() const { return (bits_ & exists_bit) != 0; }
  /// Whether the value is to be had of the row's TextMemory only.
  [[nodiscard]] bool is_apart() const { return (bits_ & apart_bit) != 0; }
  /// Empty, too, when the record does not exist. INVARIANT: it does not lie apart.
  [[nodiscard]] std::string_view value() const {
    INVARIANT(!is_apart(), "a value that lies apart is asked for where it is");
    return {text() + key_bytes(), value_bytes_};
  }
  [[nodiscard]] std::size_t value_bytes() const { return value_bytes_; }
  /// INVARIANT: as value.
  [[nodiscard]] model::Record record() const {
    return {version(), exists() ? SharedText(*this, value()) : SharedText(), updated_at_};
  }
  /// What a row can hold; the events of every store are smaller.
  [[nodiscard]] static bool fits(std::string_view key, StreamVersion version) {
    return key.size() <= key_bytes_max && version.value < std::uint64_t{1} << (64 - version_shift);
  }
  /// What the row takes of memory, a value that lies apart not counted.
  [[nodiscard]] std::size_t bytes() const {
    return sizeof(StoredRow) + key_bytes() + (is_apart() ? sizeof(ApartText) : value_bytes_);
  }

  /// Asks for the row's memory, as far as a short value goes: for rows that will be looked at soon, because they are in
  /// memory that the processor has not at hand.
  void ask_for() const {
    const char* at = reinterpret_cast<const char*>(this);
    for (std::size_t line = 0; line < 5; ++line) __builtin_prefetch(at + 64 * line);
  }
  /// The same, but for its key alone.
  void ask_for_key() const { __builtin_prefetch(&bits_); }

  /// INVARIANT: it lies apart.
  [[nodiscard]] ApartText& apart() const {
    INVARIANT(is_apart(), "only then there is such a part");
    return *reinterpret_cast<ApartText*>(reinterpret_cast<std::uintptr_t>(this + 1));
  }

 private:
  friend class RowHolder;

  void overwrite(StreamVersion version, Instant updated_at, std::string_view value) {
    BlockPool::resize(this, bytes(), sizeof(StoredRow) + key_bytes() + value.size());
    bits_ = version.value << version_shift | (bits_ & (exists_bit | key_bytes_max));
    updated_at_ = updated_at;
    value_bytes_ = static_cast<std::uint32_t>(value.size());
    if (!value.empty()) std::memcpy(reinterpret_cast<char*>(this + 1) + key_bytes(), value.data(), value.size());
  }

  static constexpr std::uint64_t key_bytes_max = 0x3fff;
  static constexpr std::uint64_t apart_bit = 0x4000;
  static constexpr std::uint64_t exists_bit = 0x8000;
  static constexpr unsigned version_shift = 16;

  StoredRow(Source source, std::uint64_t bits, std::uint32_t value_bytes, Instant updated_at)
      : SharedBlock(source), value_bytes_(value_bytes), updated_at_(updated_at), bits_(bits) {}
  [[nodiscard]] std::size_t key_bytes() const { return bits_ & key_bytes_max; }
  [[nodiscard]] const char* text() const {
    return reinterpret_cast<const char*>(this + 1) + (is_apart() ? sizeof(ApartText) : 0);
  }

  std::uint32_t value_bytes_;
  Instant updated_at_;
  // Version, whether it exists and where its value is, the key's length. What a search looks at lies together, because
  // a row begins anywhere in a line of the processor's cache.
  std::uint64_t bits_;
};
static_assert(sizeof(StoredRow) == 24, "this is what a key costs beside its text and its place in the tree");
static_assert(sizeof(ApartText) == 32 && alignof(ApartText) == 8, "and this where the value lies apart");

/// Holds a row, or none. A value; as thread-safe as a pointer.
class RowHolder {
 public:
  struct Head {
    std::string_view key;
    StreamVersion version;
    bool exists = false;
    Instant updated_at;
  };

  RowHolder() = default;
  /// In memory of `pool`, as far as that has blocks so large; null: of the allocator.
  [[nodiscard]] static RowHolder make(const Head& head, std::string_view value, BlockPool* pool = nullptr) {
    const std::size_t bytes = sizeof(StoredRow) + head.key.size() + value.size();
    const bool pooled = pool != nullptr && bytes <= BlockPool::block_bytes_max;
    auto* memory = static_cast<char*>(pooled ? pool->take(bytes) : ::operator new(bytes));
    const auto source = pooled ? SharedBlock::Source::pool : SharedBlock::Source::heap;
    const StoredRow* row = put_head(memory, source, head, value.size(), 0);
    char* text = memory + sizeof(StoredRow);
    if (!head.key.empty()) std::memcpy(text, head.key.data(), head.key.size());
    if (!value.empty()) std::memcpy(text + head.key.size(), value.data(), value.size());
    return RowHolder(row);
  }
  /// For TextMemory: a row whose value of so many bytes lies apart.
  [[nodiscard]] static RowHolder make_apart(const Head& head, std::size_t value_bytes, TextMemory& memory) {
    constexpr std::size_t head_bytes = sizeof(StoredRow) + sizeof(ApartText);
    auto* bytes = static_cast<char*>(::operator new(head_bytes + head.key.size()));
    const StoredRow* row = put_head(bytes, SharedBlock::Source::heap, head, value_bytes, StoredRow::apart_bit);
    new (bytes + sizeof(StoredRow)) ApartText{.memory = memory, .ring_place = UINT32_MAX};
    if (!head.key.empty()) std::memcpy(bytes + head_bytes, head.key.data(), head.key.size());
    return RowHolder(row);
  }
  /// Holds `row`, which somebody else holds too.
  [[nodiscard]] static RowHolder share(const StoredRow& row) {
    if (row.is_apart()) {
      row.apart().holders.fetch_add(1, std::memory_order_relaxed);
    } else {
      row.hold();
    }
    return RowHolder(&row);
  }
  /// For TextMemory: none when its last holder is about to free it. INVARIANT: its value lies apart.
  [[nodiscard]] static RowHolder share_if_held(const StoredRow& row) {
    auto& holders = row.apart().holders;
    std::uint32_t count = holders.load(std::memory_order_relaxed);
    while (count != 0) {
      if (holders.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return RowHolder(&row);
    }
    return {};
  }
  /// Whether a value of so many bytes could be written over the row's own one: the row's block is just as large as a
  /// new row's would be. Not where its record does not exist, nor where its value lies apart.
  [[nodiscard]] static bool has_block_for(const StoredRow& row, std::size_t value_bytes) {
    const std::size_t bytes = sizeof(StoredRow) + row.key().size() + value_bytes;
    return row.exists() && !row.is_apart() && row.is_pooled() && bytes <= BlockPool::block_bytes_max &&
           BlockPool::equally_large(row.bytes(), bytes);
  }
  /// Makes the row the next version of its record, where it is. INVARIANT: it has the block for it, and its only holder
  /// lets nobody look at it meanwhile.
  static void overwrite(const StoredRow& row, StreamVersion version, Instant updated_at, std::string_view value) {
    INVARIANT(row.is_held_once() && has_block_for(row, value.size()) && StoredRow::fits(row.key(), version),
              "what others hold does not change");
    const_cast<StoredRow&>(row).overwrite(version, updated_at, value);  // it was not made const
  }
  RowHolder(RowHolder&& other) noexcept : row_(std::exchange(other.row_, nullptr)) {}
  RowHolder& operator=(RowHolder&& other) noexcept {
    std::swap(row_, other.row_);
    return *this;
  }
  ~RowHolder() {
    if (row_ == nullptr) return;
    if (row_->is_apart()) {
      let_go_apart(*row_);
    } else {
      row_->let_go();
    }
  }

  explicit operator bool() const { return row_ != nullptr; }
  const StoredRow& operator*() const { return *row_; }
  const StoredRow* operator->() const { return row_; }

 private:
  explicit RowHolder(const StoredRow* row) : row_(row) {}
  static const StoredRow* put_head(char* memory, SharedBlock::Source source, const Head& head, std::size_t value_bytes,
                                   std::uint64_t apart) {
    INVARIANT(StoredRow::fits(head.key, head.version) && value_bytes < UINT32_MAX, "events are smaller, and fewer");
    const std::uint64_t bits = head.version.value << StoredRow::version_shift |
                               (head.exists ? StoredRow::exists_bit : 0) | apart | head.key.size();
    return new (memory) StoredRow(source, bits, static_cast<std::uint32_t>(value_bytes), head.updated_at);
  }
  /// Frees the row, and what is its own of memory and file, if nobody else holds it.
  static void let_go_apart(const StoredRow& row) noexcept;

  const StoredRow* row_ = nullptr;
};

}  // namespace annals::projection
