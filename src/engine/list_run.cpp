#include "engine/list_run.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/text_hash.hpp"

namespace annals::engine {
namespace {

// What the table is held for at a time: some microseconds.
constexpr std::size_t rows_at_once = 128;
// Of a page that may soon be full, what is read at a time, which may lie on the disk.
constexpr std::size_t rows_read_min = 16;
// Values of the past that are in hand at a time.
constexpr std::size_t past_bytes = 1u << 20;
// What is looked at between two looks at the clock.
constexpr std::size_t bytes_between_looks = 64u << 10;

bool comes_first(const ListRow& left, const ListRow& right) {
  return left.place.bytes < right.place.bytes;
}

}  // namespace

ListRun::ListRun(Past of, const projection::ReadTable& table, model::ListQuery query, std::optional<Instant> time,
                 std::size_t bytes_max, projection::Use use)
    : of_(of),
      model_(of.model),
      table_(table),
      query_(std::move(query)),
      time_(time),
      bytes_max_(bytes_max),
      use_(use),
      count_all_(query_.count && query_.filters.empty() && !time),
      look_(model_, query_) {}

void ListRun::begin() {
  begun_ = true;
  if (count_all_) {
    total_ = table_.existing();
    query_.count = false;
  }
  if (time_) {
    // Records of the past are found in the order of their keys.
    plan_.order = query_.sort.empty() && !query_.count ? ListPlan::Order::whole : ListPlan::Order::none;
    const bool goes_on = query_.after && plan_.order == ListPlan::Order::whole;
    past_.emplace(of_, table_, *time_, prefix_of_keys(model_, query_),
                  goes_on ? std::optional(std::string(query_.after->key())) : std::nullopt);
    return;
  }
  plan_ = plan_list(model_, table_, query_);
  orders_tell_places_ = plan_.walk.index && query_.sort.size() == 1 && query_.sort.front().field == *plan_.walk.index;
  look_.take_for_granted(plan_.passed, orders_tell_places_);
  walked_to_ = first_place(model_, plan_, query_);
}

Result<bool> ListRun::go_on(const Turn& turn) {
  if (!begun_) begin();
  return time_ ? go_on_past(turn) : go_on_now(turn);
}

Result<bool> ListRun::go_on_now(const Turn& turn) {
  const bool stops = !query_.count && plan_.order != ListPlan::Order::none;
  for (bool walked_on = false;; walked_on = true) {
    while (batch_at_ < batch_.size()) {
      auto rest = std::span(batch_).subspan(batch_at_);
      if (stops) rest = rest.first(std::min(rest.size(), std::max(rows_read_min, query_.limit + 1 - rows_.size())));
      // What is in the page may well be asked for again; who looks for it comes by what nobody asked for.
      const auto use = 2 * rows_.size() >= looked_at_ ? use_ : projection::Use::passes;
      records_ = TRY(table_.records(rest, bytes_between_looks, use));
      for (const model::Record& record : records_) {
        TRY(look_at(batch_[batch_at_]->key(), record, orders_.empty() ? std::string_view{} : orders_[batch_at_]));
        ++batch_at_;
        if (stops && plan_.order == ListPlan::Order::whole && is_full()) return true;
      }
      if (batch_at_ < batch_.size() && turn.is_over()) return false;
    }
    if (walked_all_ || (stops && !batch_.empty() && nothing_can_follow(batch_.back()->key(), records_.back()))) {
      return true;
    }
    if (walked_on && turn.is_over()) return false;
    const bool all_pass = plan_.passed.size() == query_.filters.size() && plan_.order == ListPlan::Order::whole;
    const std::size_t rows_max = all_pass ? std::min(rows_at_once, query_.limit + 1 - rows_.size()) : rows_at_once;
    projection::WalkedRows walked = table_.walk_on(plan_.walk, walked_to_, rows_max);
    batch_ = std::move(walked.rows);
    orders_ = std::move(walked.orders);
    batch_at_ = 0;
    walked_all_ = !walked.place;
    ++walks_;
    walked_to_ = std::move(walked.place);
  }
}

Result<bool> ListRun::go_on_past(const Turn& turn) {
  while (!past_->ended()) {
    for (const auto& row : TRY(past_->next(rows_at_once, past_bytes, turn))) TRY(look_at(row.key, row.record, {}));
    if (plan_.order == ListPlan::Order::whole && is_full()) return true;
    if (turn.is_over() && !past_->ended()) return false;
  }
  return true;
}

Result<> ListRun::look_at(std::string_view key, const model::Record& record, std::string_view order) {
  ++looked_at_;
  if (!TRY(look_.passes(*record.value))) return {};
  if (query_.count) ++total_;
  model::ListPlace place = orders_tell_places_ ? look_.place(key, order) : TRY(look_.place(key));
  if (query_.after && place.bytes <= query_.after->bytes) return {};
  if (cut_ && place.bytes >= cut_->bytes) return {};
  offer({std::move(place), record});
  return {};
}

void ListRun::offer(ListRow row) {
  bytes_ += row.record.value->size();
  rows_.push_back(std::move(row));
  // Rows that come in order are put in no other; one of them may be out of it when its record has changed meanwhile.
  const bool is_heap = plan_.order != ListPlan::Order::whole;
  if (is_heap) std::ranges::push_heap(rows_, comes_first);
  while (rows_.size() > query_.limit + 1 || (bytes_ > bytes_max_ && rows_.size() > 1)) {
    if (is_heap) {
      std::ranges::pop_heap(rows_, comes_first);
    } else {
      std::iter_swap(std::ranges::max_element(rows_, comes_first), std::prev(rows_.end()));
    }
    bytes_ -= rows_.back().record.value->size();
    cut_ = std::move(rows_.back().place);
    rows_.pop_back();
  }
}

/// Of a walk in order of the list's first field alone: what comes after `last` has another value of it, behind those of
/// all rows in hand.
bool ListRun::nothing_can_follow(std::string_view last_key, const model::Record& last) const {
  if (plan_.order != ListPlan::Order::first || !is_full()) return false;
  if (query_.sort.front().field != *plan_.walk.index) return false;
  model::ListLook look(model_, query_);
  if (!look.passes(*last.value)) return false;
  const auto place = look.place(last_key);
  if (!place) return false;
  const model::ListPlace& worst = rows_.front().place;
  return place->bytes.substr(0, place->first_bytes) > worst.bytes.substr(0, worst.first_bytes);
}

/// A record that came to stand elsewhere while the list was made may have been met at both places.
void ListRun::drop_older_twins() {
  TextMap<std::string_view, ListRow*> newest;  // of each key
  std::vector<const ListRow*> older;
  for (ListRow& row : rows_) {
    ListRow*& known = newest.try_emplace(row.place.key(), &row).first->second;
    if (known == &row) continue;
    const bool is_newer = row.record.version > known->record.version;
    older.push_back(is_newer ? known : &row);
    if (is_newer) known = &row;
  }
  if (older.empty()) return;
  std::vector<ListRow> kept;
  for (ListRow& row : rows_) {
    if (std::ranges::find(older, &row) == older.end()) kept.push_back(std::move(row));
  }
  rows_ = std::move(kept);
}

ListPage ListRun::take() {
  ListPage page;
  if (!std::ranges::is_sorted(rows_, comes_first)) std::ranges::sort(rows_, comes_first);
  page.more = is_full();
  if (plan_.walk.index && walks_ > 1) drop_older_twins();
  if (rows_.size() > query_.limit) rows_.resize(query_.limit);
  page.rows = std::move(rows_);
  if (count_all_ || query_.count) page.total = total_;
  page.explanation = {time_ ? "history" : to_string(plan_.way), plan_.field, plan_.order == ListPlan::Order::whole,
                      looked_at_};
  return page;
}

}  // namespace annals::engine
