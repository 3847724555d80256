#include "http/server/request_metrics.hpp"

#include <algorithm>

namespace annals::http {
namespace {

/// Microseconds: from a GET out of memory to the longest that a request may take.
constexpr std::array<std::uint64_t, 17> duration_bounds{50,      100,       250,       500,        1'000,     2'500,
                                                        5'000,   10'000,    25'000,    50'000,     100'000,   250'000,
                                                        500'000, 1'000'000, 2'500'000, 10'000'000, 30'000'000};

/// The statuses that are counted apart; the first stands for all others.
constexpr std::array<int, 26> counted{0,   200, 201, 204, 304, 400, 401, 403, 404, 405, 408, 409, 410,
                                      412, 413, 414, 415, 417, 422, 428, 429, 431, 500, 501, 503, 505};

constexpr std::array<std::uint8_t, 600> make_places() {
  std::array<std::uint8_t, 600> places{};
  for (std::size_t place = 1; place < counted.size(); ++place)
    places[static_cast<std::size_t>(counted[place])] = static_cast<std::uint8_t>(place);
  return places;
}
constexpr auto places = make_places();

}  // namespace

RequestMetrics::Row::Row() : durations(duration_bounds) {
  static_assert(counted.size() == statuses);
}

RequestMetrics::RequestMetrics() {
  for (std::size_t route = 0; route < counted_routes_max; ++route) rows_.push_back(std::make_unique<Row>());
}

void RequestMetrics::record(const Response& response, Duration took) {
  Row& row = *rows_[response.route < rows_.size() ? response.route : 0];
  const auto status = static_cast<std::size_t>(std::clamp(response.status, 0, 599));
  auto& replies = row.replies[places[status]];
  replies.store(replies.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  row.durations.observe(static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0)));
  if (response.problem_code.empty()) return;
  const auto refusals = refusals_.lock();
  const auto found = refusals->find(response.problem_code);
  if (found != refusals->end()) {
    ++found->second;
  } else if (refusals->size() < codes_max) {
    refusals->emplace(response.problem_code, 1);
  }
}

void RequestMetrics::add_to(ServerMetrics& total) const {
  if (total.routes.size() < rows_.size()) total.routes.resize(rows_.size());
  for (std::size_t route = 0; route < rows_.size(); ++route) {
    for (std::size_t place = 0; place < statuses; ++place) {
      const std::uint64_t count = rows_[route]->replies[place].load(std::memory_order_relaxed);
      if (count > 0) total.routes[route].replies[counted[place]] += count;
    }
    total.routes[route].durations.add(rows_[route]->durations.snapshot());
  }
  const auto refusals = refusals_.lock();
  for (const auto& [code, count] : *refusals) total.refusals[code] += count;
}

}  // namespace annals::http
