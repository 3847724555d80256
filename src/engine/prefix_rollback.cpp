#include "engine/prefix_rollback.hpp"

namespace annals::engine {
namespace {

constexpr std::size_t differences_at_once = 128;
constexpr PageLimit events_since_limit{1000, 1u << 20};
constexpr std::uint64_t left_for_the_writer = 1000;  // events recorded since, which it may look at itself

std::uint64_t bytes_of(const model::Record& record) {
  return record.value ? record.value->size() : 0;
}

}  // namespace

Result<SharedText> value_of_then(const model::Model& model, std::string_view key, SharedText value) {
  if (value->size() <= model.value_bytes_max) return value;
  return fail(ErrorKind::too_large, "value_too_large",
              "the value that \"" + std::string(key) + "\" had then has " + std::to_string(value->size()) +
                  " bytes; the most is " + std::to_string(model.value_bytes_max) + " by now; nothing was recorded");
}

PrefixRollback::PrefixRollback(Past past, std::size_t model_place, const projection::ReadTable& table, Instant at,
                               std::string prefix)
    : past_(past),
      model_place_(model_place),
      at_(at),
      prefix_(std::move(prefix)),
      difference_(past, table, {at, std::nullopt}, prefix_, std::nullopt) {}

bool PrefixRollback::is_too_much() const {
  return found_ > group_events_max || bytes_ > group_bytes_max;
}

void PrefixRollback::take(Difference::Row row) {
  ++found_;
  bytes_ += bytes_of(row.from) + bytes_of(row.to);
  if (is_too_much()) return;
  std::string key = row.key;
  changes_.insert_or_assign(std::move(key), std::move(row));
}

Result<bool> PrefixRollback::prepare(const Turn& turn) {
  if (!difference_.ended()) {
    std::vector<Difference::Row> rows = TRY(difference_.next(differences_at_once, turn));
    for (Difference::Row& row : rows) take(std::move(row));
    reflects_ = difference_.position();
    // Whoever asks too much need not wait until all of it has been found.
    if (!is_too_much()) return false;
    return fail(ErrorKind::too_large, "group_too_large",
                "to go back to " + at_.to_text() + ", at least " + std::to_string(found_) +
                    " names that begin with \"" + prefix_ + "\" have to change at once; one group holds " +
                    std::to_string(group_events_max) + " changes, and " + std::to_string(group_bytes_max >> 20) +
                    " MiB of events; nothing was recorded; roll back longer prefixes, one after another");
  }
  if (past_.store.status().visible.value <= reflects_.value + left_for_the_writer) return true;
  TRY(look_on(turn));
  return false;
}

/// Takes in a page of what was recorded since, or as much of it as the turn allows.
Result<> PrefixRollback::look_on(const Turn& turn) {
  const EventPage page = TRY(past_.store.read_all(reflects_, Horizon::visible, events_since_limit));
  for (const EventView& event : page.events()) {
    const std::string_view key = key_of(event.stream);
    if (past_.model.owns_stream(event.stream) && key.starts_with(prefix_)) {
      if (auto row = TRY(difference_.compare(std::string(key)))) {
        changes_.insert_or_assign(std::string(key), *std::move(row));
      } else if (const auto found = changes_.find(key); found != changes_.end()) {
        changes_.erase(found);
      }
    }
    reflects_ = event.position;
    if (turn.is_over()) return {};
  }
  reflects_ = page.next_after(reflects_);
  return {};
}

Result<> PrefixRollback::check() const {
  for (const auto& [key, row] : changes_) {
    if (row.from.exists()) TRY(value_of_then(past_.model, key, row.from.value));
  }
  return {};
}

Result<Plan> PrefixRollback::plan() {
  while (reflects_ < past_.store.status().visible) TRY(look_on(Turn::endless()));
  TRY(check());
  Plan plan;
  plan.reflects = reflects_;
  plan.commands.reserve(changes_.size());
  for (const auto& [key, row] : changes_) {
    KeyCommand& one = plan.commands.emplace_back();
    one.model = model_place_;
    one.command.key = key;
    one.command.operation = row.from.exists() ? model::Operation::set : model::Operation::remove;
    one.command.value = row.from.value;
  }
  return plan;
}

}  // namespace annals::engine
