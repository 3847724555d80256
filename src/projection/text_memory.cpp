#include "projection/text_memory.hpp"

#include <algorithm>
#include <numeric>
#include <thread>
#include <utility>

#include "base/invariant.hpp"

namespace annals::projection {
namespace {

// The two bits of ApartText::block, which blocks of memory leave free.
constexpr std::uintptr_t locked = 1;
constexpr std::uintptr_t used = 2;

constexpr std::uint32_t not_in_ring = UINT32_MAX;

// What is moved out together, so that not every new value has to wait for a write.
constexpr std::uint64_t batch_bytes_max = 1u << 20;
constexpr Duration try_again_after = std::chrono::seconds(1);
// How far the hand goes while the mutex is held: some dozens of microseconds.
constexpr std::size_t steps_at_once = 1024;

/// Waits for the row's lock; what the word was, which nobody else changes until `unlock` gives it its new value. It is
/// held for some nanoseconds.
std::uintptr_t lock(ApartText& apart) {
  constexpr int spins_max = 100;
  for (int spins = 0;; ++spins) {
    std::uintptr_t word = apart.block.load(std::memory_order_relaxed);
    if ((word & locked) == 0 &&
        apart.block.compare_exchange_weak(word, word | locked, std::memory_order_acquire, std::memory_order_relaxed)) {
      return word;
    }
    if (spins >= spins_max) std::this_thread::yield();
  }
}

void unlock(ApartText& apart, std::uintptr_t word) {
  apart.block.store(word, std::memory_order_release);
}

const SharedBlock* block_of(std::uintptr_t word) {
  return reinterpret_cast<const SharedBlock*>(word & ~(locked | used));
}

/// A block that holds a copy of `text`, and that the caller holds.
std::uintptr_t make_block(std::string_view text) {
  void* memory = ::operator new(sizeof(SharedBlock) + text.size());
  const auto* block = new (memory) SharedBlock;
  if (!text.empty()) std::memcpy(static_cast<char*>(memory) + sizeof(SharedBlock), text.data(), text.size());
  return reinterpret_cast<std::uintptr_t>(block);
}

SharedText text_in(const SharedBlock& block, std::size_t bytes) {
  return {block, std::string_view(reinterpret_cast<const char*>(&block + 1), bytes)};
}

/// Where a row's value is, at one moment.
struct Found {
  SharedText text;  // of a hot row; null of a cold one
  std::uint64_t place;
};

Found find(const StoredRow& row, Use use) {
  ApartText& apart = row.apart();
  const std::uintptr_t word = lock(apart);
  const SharedBlock* block = block_of(word);
  Found found{block ? text_in(*block, row.value_bytes()) : SharedText(), apart.file_place};
  unlock(apart, block && use == Use::keeps ? word | used : word);
  return found;
}

}  // namespace

void RowHolder::let_go_apart(const StoredRow& row) noexcept {
  ApartText& apart = row.apart();
  // As in SharedBlock::let_go.
  if (apart.holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  apart.memory.forget(row);
  ::operator delete(const_cast<StoredRow*>(&row));
}

TextMemory::TextMemory(std::string name, std::uint64_t bytes_max, std::string path, platform::Platform platform)
    : name_(std::move(name)), bytes_max_(bytes_max), platform_(platform), file_(std::move(path), platform.files) {}

TextMemory::~TextMemory() {
  INVARIANT(rows_ == 0, "the rows go before what keeps their values");
}

RowHolder TextMemory::make(const RowHolder::Head& head, std::string_view value) {
  RowHolder row = RowHolder::make_apart(head, value.size(), *this);
  row->apart().block.store(make_block(value), std::memory_order_relaxed);  // nobody else has the row yet
  bytes_ += value.size();
  const std::lock_guard lock(mutex_);
  ++rows_;
  add_to_ring(*row);
  return row;
}

void TextMemory::add_to_ring(const StoredRow& row) {
  INVARIANT(ring_.size() < not_in_ring, "so many rows fit no memory");
  row.apart().ring_place = static_cast<std::uint32_t>(ring_.size());
  ring_.push_back(&row);
}

/// The last of the ring takes its place: if that is where the hand stands, it is the newest that comes behind the hand.
void TextMemory::remove_from_ring(const StoredRow& row) {
  const std::uint32_t place = std::exchange(row.apart().ring_place, not_in_ring);
  const StoredRow* last = ring_.back();
  ring_.pop_back();
  if (last == &row) return;
  ring_[place] = last;
  last->apart().ring_place = place;
}

void TextMemory::forget(const StoredRow& row) noexcept {
  // Nobody else has the row, but for who looks through the ring, which is guarded by the mutex.
  const ApartText& apart = row.apart();
  {
    const std::lock_guard lock(mutex_);
    --rows_;
    if (apart.ring_place != not_in_ring) remove_from_ring(row);
  }
  if (const SharedBlock* block = block_of(apart.block.load(std::memory_order_relaxed))) {
    bytes_ -= row.value_bytes();
    block->let_go();
  }
  if (apart.file_place != 0) file_.release(apart.file_place, row.key().size(), row.value_bytes());
}

// --- Out of memory ---

void TextMemory::make_room() {
  if (bytes_.load() <= bytes_max_) return;
  const std::lock_guard lock(evict_mutex_);
  if (stuck_ && platform_.clock.monotonic() < try_again_) return;
  while (bytes_.load() > bytes_max_ && evict_some()) {
  }
}

/// Rows that were not used lately, of about so many bytes; perhaps none, although there are some further on.
std::vector<RowHolder> TextMemory::take_victims(std::uint64_t bytes) {
  std::vector<RowHolder> victims;
  std::uint64_t taken = 0;
  const std::lock_guard guard(mutex_);
  for (std::size_t steps = 0; steps < steps_at_once && taken < bytes && !ring_.empty(); ++steps) {
    if (hand_ >= ring_.size()) hand_ = 0;
    const StoredRow& row = *ring_[hand_];
    ApartText& apart = row.apart();
    const std::uintptr_t word = lock(apart);
    unlock(apart, word & ~used);
    RowHolder victim = (word & used) != 0 ? RowHolder() : RowHolder::share_if_held(row);
    if (victim) {
      taken += row.value_bytes();
      remove_from_ring(row);
      victims.push_back(std::move(victim));
    }
    ++hand_;
  }
  return victims;
}

/// Gives those that the file has not yet their places there. Errors: input_output; then none has got one.
Result<> TextMemory::write_down(std::span<const RowHolder> rows) {
  std::vector<const StoredRow*> without;
  std::vector<SharedText> held;
  std::vector<SpillFile::Entry> entries;
  for (const RowHolder& row : rows) {
    Found found = find(*row, Use::passes);
    if (found.place != 0) continue;
    without.push_back(&*row);
    held.push_back(std::move(found.text));
    entries.push_back({row->key(), row->version(), *held.back()});
  }
  if (without.empty()) return {};
  const std::vector<std::uint64_t> places = TRY(file_.write(entries));
  for (std::size_t at = 0; at < without.size(); ++at) {
    ApartText& apart = without[at]->apart();
    const std::uintptr_t word = lock(apart);
    apart.file_place = places[at];
    unlock(apart, word);
  }
  return {};
}

std::size_t TextMemory::looks_for_two_rounds() const {
  const std::lock_guard guard(mutex_);
  return 2 * ring_.size() / steps_at_once + 2;
}

/// False when nothing could be moved out.
bool TextMemory::evict_some() {
  const std::uint64_t less = std::min(bytes_max_ / 8, batch_bytes_max);
  const std::uint64_t target = bytes_max_ - less;
  const std::uint64_t now = bytes_.load();
  std::vector<RowHolder> victims;
  // After one time round no row is marked, unless readers mark them as fast as the hand goes.
  for (std::size_t looks = looks_for_two_rounds(); victims.empty() && looks > 0; --looks)
    victims = take_victims(std::min(now - std::min(now, target), batch_bytes_max));
  if (victims.empty()) return false;
  if (const auto written = write_down(victims); !written) {
    note_failure(written.error());
    const std::lock_guard guard(mutex_);
    for (const RowHolder& row : victims) add_to_ring(*row);
    return false;
  }
  note_success();
  for (const RowHolder& row : victims) {
    ApartText& apart = row->apart();
    const SharedBlock* block = block_of(lock(apart));
    unlock(apart, 0);
    bytes_ -= row->value_bytes();
    block->let_go();
  }
  evictions_ += victims.size();
  return true;
}

void TextMemory::note_failure(const Error& error) {
  try_again_ = platform_.clock.monotonic() + try_again_after;
  if (stuck_.exchange(true)) return;
  platform_.log.error(
      "Records that are to leave the memory cannot be written; they stay in it until they can, beyond memory_max",
      {{"model", name_}, {"error", error.message}});
}

void TextMemory::note_success() {
  if (!stuck_.exchange(false)) return;
  platform_.log.info("Records leave the memory again", {{"model", name_}});
}

// --- Back into memory ---

Result<SharedText> TextMemory::text(const StoredRow& row, Use use) {
  Found found = find(row, use);
  if (found.text) return std::move(found.text);
  return load(row, found.place, use);
}

Result<std::vector<SharedText>> TextMemory::texts(std::span<const StoredRow* const> rows, Use use) {
  std::vector<SharedText> all;
  all.reserve(rows.size());
  std::vector<std::pair<std::uint64_t, std::size_t>> cold;
  for (const StoredRow* row : rows) {
    Found found = find(*row, use);
    if (!found.text) cold.emplace_back(found.place, all.size());
    all.push_back(std::move(found.text));
  }
  std::ranges::sort(cold);
  for (const auto& [place, at] : cold) all[at] = TRY(text(*rows[at], use));
  return all;
}

/// Of a row that was found cold, and at this place.
Result<SharedText> TextMemory::load(const StoredRow& row, std::uint64_t place, Use use) {
  INVARIANT(place != 0, "what leaves the memory is in the file");
  std::string buffer;
  const auto read = file_.read(place, {row.key(), row.version(), {}}, row.value_bytes(), buffer);
  ++loads_;
  SharedText text = read ? SharedText(*read) : TRY(recall(row, read.error()));
  if (use == Use::passes) return text;
  text = install(row, text, read.has_value());
  make_room();
  return text;
}

/// Makes a cold row hot, if nobody else has meanwhile; its value.
SharedText TextMemory::install(const StoredRow& row, const SharedText& text, bool from_file) {
  ApartText& apart = row.apart();
  std::uint64_t bad_place = 0;
  // Before the row is locked: where there is no memory for it, nobody would unlock the row again.
  const std::uintptr_t made = make_block(*text);
  const std::uintptr_t word = lock(apart);
  if (const SharedBlock* block = block_of(word)) {
    SharedText other = text_in(*block, row.value_bytes());
    unlock(apart, word);
    block_of(made)->let_go();
    return other;
  }
  SharedText installed = text_in(*block_of(made), row.value_bytes());
  if (!from_file) bad_place = std::exchange(apart.file_place, 0);  // it is written anew when it next goes
  // Before others see it hot, and could have it counted off.
  bytes_ += row.value_bytes();
  unlock(apart, made);
  {
    const std::lock_guard guard(mutex_);
    add_to_ring(row);
  }
  // Who still reads there finds out by the checksum, or the key, that it is not what he looks for.
  if (bad_place != 0) file_.release(bad_place, row.key().size(), row.value_bytes());
  return installed;
}

Result<SharedText> TextMemory::recall(const StoredRow& row, const Error& error) {
  if (const auto held_back = damage_log_.admit(platform_.clock.monotonic())) {
    platform_.log.warning(
        "A record that had left the memory could not be read back, and is folded from the log",
        {{"model", name_}, {"key", row.key()}, {"error", error.message}, {"others", std::uint64_t{*held_back}}});
  }
  if (!recall_) return std::unexpected(error);
  SharedText text = TRY(recall_(row.key(), row.version()));
  if (text && text->size() == row.value_bytes()) {
    ++recalls_;
    return text;
  }
  return fail(ErrorKind::corrupt, "the log does not lead to " + name_ + " \"" + std::string(row.key()) +
                                      "\" as it was at version " + to_string(row.version()));
}

TextMemoryStatus TextMemory::status() const {
  TextMemoryStatus status;
  status.bytes = bytes_;
  status.bytes_max = bytes_max_;
  status.loads = loads_;
  status.evictions = evictions_;
  status.recalls = recalls_;
  status.stuck = stuck_ && status.bytes > bytes_max_;
  status.file_bytes = file_.bytes();
  const std::lock_guard guard(mutex_);
  status.cold = rows_ - std::min<std::uint64_t>(rows_, ring_.size());
  return status;
}

}  // namespace annals::projection
