#pragma once
// StoredRow: a key and its newest record in one piece of memory: 24 bytes, the key, the value. It never changes; a new
// version of the record is a new row. Values that were read share it, so that nobody copies a large one.
// Immutable, and shared between threads as SharedBlock is.

#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/invariant.hpp"
#include "model/decider.hpp"

namespace annals::projection {

class StoredRow : public SharedBlock {
 public:
  [[nodiscard]] std::string_view key() const { return {text(), key_bytes()}; }
  [[nodiscard]] StreamVersion version() const { return StreamVersion{bits_ >> version_shift}; }
  [[nodiscard]] Instant updated_at() const { return updated_at_; }
  [[nodiscard]] bool exists() const { return (bits_ & exists_bit) != 0; }
  /// Empty, too, when the record does not exist.
  [[nodiscard]] std::string_view value() const { return {text() + key_bytes(), value_bytes_}; }
  [[nodiscard]] model::Record record() const {
    return {version(), exists() ? SharedText(*this, value()) : SharedText(), updated_at_};
  }
  /// What a row can hold; the events of every store are smaller.
  [[nodiscard]] static bool fits(std::string_view key, StreamVersion version) {
    return key.size() <= key_bytes_max && version.value < std::uint64_t{1} << (64 - version_shift);
  }
  [[nodiscard]] std::size_t bytes() const { return sizeof(StoredRow) + key_bytes() + value_bytes_; }

 private:
  friend class RowHolder;

  static constexpr std::uint64_t key_bytes_max = 0x7fff;
  static constexpr std::uint64_t exists_bit = 0x8000;
  static constexpr unsigned version_shift = 16;

  StoredRow(std::uint64_t bits, std::uint32_t value_bytes, Instant updated_at)
      : value_bytes_(value_bytes), bits_(bits), updated_at_(updated_at) {}
  [[nodiscard]] std::size_t key_bytes() const { return bits_ & key_bytes_max; }
  [[nodiscard]] const char* text() const { return reinterpret_cast<const char*>(this + 1); }

  std::uint32_t value_bytes_;
  std::uint64_t bits_;  // version, whether it exists, the key's length
  Instant updated_at_;
};
static_assert(sizeof(StoredRow) == 24, "this is what a key costs beside its text and its place in the tree");

/// Holds a row, or none. A value; as thread-safe as a pointer.
class RowHolder {
 public:
  RowHolder() = default;
  [[nodiscard]] static RowHolder make(std::string_view key, StreamVersion version, bool exists, std::string_view value,
                                      Instant updated_at) {
    INVARIANT(StoredRow::fits(key, version) && value.size() < UINT32_MAX, "events are smaller, and fewer");
    const std::uint64_t bits =
        version.value << StoredRow::version_shift | (exists ? StoredRow::exists_bit : 0) | key.size();
    void* memory = ::operator new(sizeof(StoredRow) + key.size() + value.size());
    const auto* row = new (memory) StoredRow(bits, static_cast<std::uint32_t>(value.size()), updated_at);
    char* text = static_cast<char*>(memory) + sizeof(StoredRow);
    if (!key.empty()) std::memcpy(text, key.data(), key.size());
    if (!value.empty()) std::memcpy(text + key.size(), value.data(), value.size());
    return RowHolder(row);
  }
  /// Holds `row`, which somebody else holds too.
  [[nodiscard]] static RowHolder share(const StoredRow& row) {
    row.hold();
    return RowHolder(&row);
  }
  RowHolder(RowHolder&& other) noexcept : row_(std::exchange(other.row_, nullptr)) {}
  RowHolder& operator=(RowHolder&& other) noexcept {
    std::swap(row_, other.row_);
    return *this;
  }
  ~RowHolder() {
    if (row_) row_->let_go();
  }

  explicit operator bool() const { return row_ != nullptr; }
  const StoredRow& operator*() const { return *row_; }
  const StoredRow* operator->() const { return row_; }

 private:
  explicit RowHolder(const StoredRow* row) : row_(row) {}
  const StoredRow* row_ = nullptr;
};

}  // namespace annals::projection
