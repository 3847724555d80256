#include "engine/receipts.hpp"

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"

namespace annals::engine {
namespace {

constexpr std::size_t entries_at_once = 1024;  // what the writer may have to wait for: some microseconds

void append(std::string& out, const Digest& digest) {
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

Digest take_digest(ByteReader& reader) {
  Digest digest{};
  const std::string_view bytes = reader.take(digest.size());
  std::ranges::copy(bytes, digest.begin());  // none of them when there are too few
  return digest;
}

}  // namespace

StreamAppend marker_of(const WriteRequest& request, std::string data, Uuid id) {
  NewEvent event;
  event.id = id;
  event.type = nothing_changed_type;
  event.data = std::move(data);
  event.metadata = make_metadata(request.actor, request.idempotency);
  event.correlation_id = request.correlation_id;
  event.causation_id = request.causation_id;
  StreamAppend append{std::string(receipts_stream), ExpectedVersion::any(), {}};
  append.events.push_back(std::move(event));
  return append;
}

std::unexpected<Error> key_reused() {
  return fail(ErrorKind::unprocessable, "idempotency_key_reused",
              "this Idempotency-Key came with another request before; take a new key for a new request");
}

Result<> Receipts::load(const EventStore& store, projection::StateKeeper* keeper) {
  if (!begun_ && !(keeper && keeper->load())) {
    const Instant oldest = platform_.clock.now().plus(-limits_.retention);
    const Position position = TRY(store.position_at(oldest));
    const projection::Witness before = TRY(projection::witness_at(store, position));
    const auto state = state_.lock();
    state->reached = before.position;
    state->last = before;
    if (before.position.value > 0) state->complete_since = oldest;
  }
  begun_ = true;
  Position after;
  Position known;  // the entries up to here are there
  {
    const auto state = state_.lock();
    after = state->reached;
    known = state->entries.empty() ? after : std::max(after, state->entries.back().receipt.position);
  }
  while (true) {
    const EventPage page = TRY(store.read_all(after, Horizon::visible, PageLimit{}));
    for (const EventView& event : page.events()) {
      if (event.position <= known) continue;
      if (const auto remembered = remembered_of(event.metadata)) insert(*remembered, event);
    }
    const Position next = page.next_after(after);
    if (next == after) return {};
    after = next;
    const auto state = state_.lock();
    state->reached = after;
    if (page.events().empty()) continue;
    state->last = projection::later(state->last, projection::witness_of(page.events().back()));
  }
}

Result<std::optional<Receipt>> Receipts::answer(const Idempotency& idempotency) {
  const auto state = state_.lock();
  expire(*state, platform_.clock.now());
  const auto found = state->places.find(idempotency.key);
  if (found == state->places.end()) return std::nullopt;
  const Entry& entry = state->entries[found->second - state->first_place];
  if (entry.request != idempotency.request && entry.request != idempotency.unkeyed) return key_reused();
  return Receipt{entry.receipt.version, entry.receipt.position, true, entry.receipt.tally, {}, {}};
}

void Receipts::insert(const Idempotency& idempotency, const Receipt& receipt, Instant created_at) {
  const std::uint64_t forgotten =
      add(*state_.lock(),
          Entry{idempotency.key, idempotency.request, {receipt.version, receipt.position, receipt.tally}, created_at});
  if (forgotten > 0) warn_of_forgetting(forgotten);
}

void Receipts::insert(const Remembered& remembered, const EventView& first) {
  // A group's events are recorded one after another; its receipt tells the position of the last.
  const Tally& tally = remembered.tally;
  const Position last = first.position.plus(std::max<std::uint32_t>(tally.events, 1) - 1);
  insert(remembered.idempotency, Receipt{first.version, last, false, tally}, first.created_at);
}

void Receipts::advance(Position first, const projection::Witness& last) {
  const auto state = state_.lock();
  if (first != state->reached.next()) return;
  state->reached = last.position;
  state->last = projection::later(state->last, last);
}

void Receipts::pass_over(Position first, Position last) {
  const auto state = state_.lock();
  if (first == state->reached.next()) state->reached = last;
}

/// How many others had to go for it.
std::uint64_t Receipts::add(State& state, const Entry& entry) const {
  state.places.insert_or_assign(entry.key, state.first_place + state.entries.size());
  state.entries.push_back(entry);
  std::uint64_t forgotten = 0;
  for (; state.places.size() > limits_.keys_max; ++forgotten) forget_oldest(state);
  return forgotten;
}

void Receipts::warn_of_forgetting(std::uint64_t count) {
  dropped_ += count;
  const Duration now = platform_.clock.monotonic();
  if (last_warning_ && now - *last_warning_ <= std::chrono::minutes(1)) return;
  last_warning_ = now;
  platform_.log.warning(
      "Idempotency keys are forgotten before their time, because there are too many of them; raise "
      "idempotency.keys_max",
      {{"keys_max", static_cast<std::uint64_t>(limits_.keys_max)}, {"forgotten", dropped_}});
}

void Receipts::expire(State& state, Instant now) const {
  while (!state.entries.empty() && state.entries.front().created_at.plus(limits_.retention) < now) forget_oldest(state);
}

void Receipts::forget_oldest(State& state) {
  const Entry& oldest = state.entries.front();
  // A key that was used anew, long after its first use, stands here twice; only its last use counts.
  const auto place = state.places.find(oldest.key);
  if (place != state.places.end() && place->second == state.first_place) state.places.erase(place);
  state.complete_since = std::max(state.complete_since, oldest.created_at.plus(Duration{1}));
  state.entries.pop_front();
  ++state.first_place;
}

void Receipts::begin_writing() {
  written_place_ = 0;
  const auto state = state_.lock();
  write_up_to_ = state->reached;
  written_newest_ = state->last;
}

// Entries are only ever added at the end, in the order of their positions, and all up to `reached` are there. So what
// is written is whole up to its last entry, but for what had been forgotten.
Result<std::uint64_t> Receipts::write(std::string& contents) {
  const auto state = state_.lock();
  std::uint64_t place = std::max(written_place_, state->first_place);
  const std::uint64_t end = std::min(place + entries_at_once, state->first_place + state->entries.size());
  std::uint64_t count = 0;
  for (; place < end; ++place) {
    const Entry& entry = state->entries[place - state->first_place];
    if (entry.receipt.position > write_up_to_) break;
    ++count;
    append(contents, entry.key);
    append(contents, entry.request);
    put(contents, entry.receipt.version.value);
    put(contents, entry.receipt.position.value);
    put(contents, entry.created_at.microseconds);
    for (const std::uint32_t count_of :
         {entry.receipt.tally.set, entry.receipt.tally.removed, entry.receipt.tally.events})
      put(contents, count_of);
  }
  written_place_ = place;
  return count;
}

std::string Receipts::note() const {
  std::string note;
  put(note, state_.lock()->complete_since.microseconds);
  return note;
}

Result<std::uint64_t> Receipts::read(std::string_view contents) {
  ByteReader reader(contents);
  std::uint64_t count = 0;
  for (; !reader.at_end(); ++count) {
    Entry entry;
    entry.key = take_digest(reader);
    entry.request = take_digest(reader);
    entry.receipt.version = StreamVersion{reader.integer<std::uint64_t>()};
    entry.receipt.position = Position{reader.integer<std::uint64_t>()};
    entry.created_at = Instant{reader.integer<std::int64_t>()};
    for (std::uint32_t* count_of :
         {&entry.receipt.tally.set, &entry.receipt.tally.removed, &entry.receipt.tally.events})
      *count_of = reader.integer<std::uint32_t>();
    if (!reader.ok() || !projection::is_time(entry.created_at) ||
        (!read_.empty() && read_.back().receipt.position >= entry.receipt.position)) {
      return fail(ErrorKind::corrupt, "entry " + std::to_string(count) + " of a block is not what receipts write");
    }
    read_.push_back(entry);
  }
  return count;
}

Result<> Receipts::take_over(const projection::StateFileSummary& summary) {
  ByteReader reader(summary.note);
  const Instant complete_since{reader.integer<std::int64_t>()};
  const bool says = reader.ok() && (complete_since == Instant{INT64_MIN} || projection::is_time(complete_since));
  if (!says) return fail(ErrorKind::corrupt, "the checkpoint of the receipts does not say since when it is whole");
  const Instant oldest = platform_.clock.now().plus(-limits_.retention);
  if (complete_since > oldest && read_.size() < limits_.keys_max) {
    return fail(ErrorKind::gone, "it goes back to " + complete_since.to_text() +
                                     ", and idempotency keys are to be known since " + oldest.to_text());
  }
  const std::deque<Entry> entries = std::exchange(read_, {});
  const auto state = state_.lock();
  state->places.reserve(entries.size());
  for (const Entry& entry : entries) (void)add(*state, entry);
  state->complete_since = std::max(state->complete_since, complete_since);
  state->reached = summary.begin;
  state->last = summary.end;
  return {};
}

}  // namespace annals::engine
