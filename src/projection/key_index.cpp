#include "projection/key_index.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "base/huge_pages.hpp"
#include "base/invariant.hpp"
#include "base/text_hash.hpp"

namespace annals::projection {
namespace {

constexpr unsigned address_bits = 48;
constexpr std::uint64_t address_mask = (std::uint64_t{1} << address_bits) - 1;
constexpr std::uint64_t empty = 0;
constexpr std::uint64_t moved = 1;  // no row's address: looking goes on behind it
constexpr std::size_t words_a_line = 8;
constexpr std::size_t words_min = 64;
// Words that are moved with each row: all of them long before the new table is full in its turn.
constexpr std::size_t words_moved = words_a_line;

const StoredRow* row_of(std::uint64_t word) {
  return reinterpret_cast<const StoredRow*>(static_cast<std::uintptr_t>(word & address_mask));
}

std::uint64_t word_of(const StoredRow& row, std::uint64_t hash) {
  const auto address = std::uint64_t{reinterpret_cast<std::uintptr_t>(&row)};
  INVARIANT((address & ~address_mask) == 0, "the addresses of a program have 48 bits");
  return (hash & ~address_mask) | address;
}

/// Words of other keys differ in the bits of their hashes, but for one in 65,536.
bool may_be(std::uint64_t word, std::uint64_t hash) {
  return ((word ^ hash) & ~address_mask) == 0 && (word & address_mask) > moved;
}

}  // namespace

KeyIndex::Table::Table(std::size_t the_capacity) : capacity(the_capacity) {
  // Of what comes fresh from the system nothing is written before it is used, so that a large table is no pause.
  words.reset(static_cast<Word*>(std::calloc(capacity, sizeof(Word))));
  if (!words) throw std::bad_alloc();
  ask_for_huge_pages(words.get(), capacity * sizeof(Word));
}

KeyIndex::Word* KeyIndex::Table::look_up(std::string_view key, std::uint64_t hash) const {
  const std::size_t mask = capacity - 1;
  // Most keys begin at the beginning of a line of the cache and are found in it.
  std::size_t at = hash * words_a_line & mask;
  for (;; at = (at + 1) & mask) {
    Word& word = words[at];
    if (word == empty || (may_be(word, hash) && row_of(word)->key() == key)) return &word;
  }
}

const StoredRow* KeyIndex::find(std::string_view key) const {
  if (now_.capacity == 0) return nullptr;
  const std::uint64_t hash = hash_text(key);
  Word word = *now_.look_up(key, hash);
  if (word == empty && before_.capacity > 0) word = *before_.look_up(key, hash);
  return word == empty ? nullptr : row_of(word);
}

void KeyIndex::make_room(std::size_t keys) {
  spent_ = Table();
  const std::size_t wanted = size_ + keys;
  if (now_.holds(wanted) || next_.holds(wanted)) return;
  std::size_t capacity = std::max(words_min, std::bit_ceil(wanted));
  if (wanted > capacity - capacity / 8) capacity *= 2;
  next_ = Table(capacity);
}

void KeyIndex::put(const StoredRow& row) {
  const std::string_view key = row.key();
  const std::uint64_t hash = hash_text(key);
  if (before_.capacity > 0) move_some();
  Word* known = now_.capacity > 0 ? now_.look_up(key, hash) : nullptr;
  if (known && *known != empty) {
    *known = word_of(row, hash);
    return;
  }
  Word* old = before_.capacity > 0 ? before_.look_up(key, hash) : nullptr;
  if (old && *old != empty) {
    *old = moved;
    *known = word_of(row, hash);
    return;
  }
  if (!now_.holds(size_ + 1)) {
    move_all();
    INVARIANT(next_.holds(size_ + 1), "room is made before a row is put in");
    before_ = std::exchange(now_, std::exchange(next_, Table()));
    moved_ = 0;
    known = now_.look_up(key, hash);
  }
  *known = word_of(row, hash);
  ++size_;
}

void KeyIndex::move_some() {
  const std::size_t end = std::min(moved_ + words_moved, before_.capacity);
  // Their rows are asked for, whose keys are needed: those of this time were asked for the last time.
  const std::size_t ahead_end = std::min(end + words_moved, before_.capacity);
  for (std::size_t at = end; at < ahead_end; ++at) {
    if ((before_.words[at] & address_mask) > moved) row_of(before_.words[at])->ask_for_key();
  }
  for (; moved_ < end; ++moved_) {
    Word& word = before_.words[moved_];
    if ((word & address_mask) <= moved) continue;
    const std::string_view key = row_of(word)->key();
    *now_.look_up(key, hash_text(key)) = word;
    word = moved;
  }
  if (moved_ == before_.capacity) spent_ = std::exchange(before_, Table());
}

void KeyIndex::move_all() {
  while (before_.capacity > 0) move_some();
}

void KeyIndex::swap(KeyIndex& other) {
  std::swap(now_, other.now_);
  std::swap(before_, other.before_);
  std::swap(moved_, other.moved_);
  std::swap(next_, other.next_);
  std::swap(spent_, other.spent_);
  std::swap(size_, other.size_);
}

}  // namespace annals::projection
