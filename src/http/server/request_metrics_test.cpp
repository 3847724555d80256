#include "http/server/request_metrics.hpp"

#include <gtest/gtest.h>

namespace annals::http {
namespace {

Response reply(int status, std::uint8_t route, const std::string& code = "") {
  Response response;
  response.status = status;
  response.route = route;
  response.problem_code = code;
  return response;
}

TEST(request_metrics, replies_are_counted_by_route_status_and_cause) {
  RequestMetrics metrics;
  metrics.record(reply(200, 1), Duration{80});
  metrics.record(reply(200, 1), Duration{80'000});
  metrics.record(reply(404, 1, "not_found"), Duration{-5});  // a clock is no reason to fall over
  metrics.record(reply(507, 2), Duration{1});
  metrics.record(reply(200, 200), Duration{1});
  ServerMetrics total;
  metrics.add_to(total);
  EXPECT_EQ(total.routes[1].replies, (std::map<int, std::uint64_t>{{200, 2}, {404, 1}}));
  EXPECT_EQ(total.routes[1].durations.sum, 80'080u);
  EXPECT_EQ(total.routes[2].replies, (std::map<int, std::uint64_t>{{0, 1}}));
  EXPECT_EQ(total.routes[0].replies, (std::map<int, std::uint64_t>{{200, 1}}));
  EXPECT_EQ(total.refusals, (std::map<std::string, std::uint64_t>{{"not_found", 1}}));
}

TEST(request_metrics, what_several_workers_counted_adds_up) {
  RequestMetrics one;
  RequestMetrics other;
  one.record(reply(200, 3), Duration{10});
  other.record(reply(200, 3), Duration{20});
  other.record(reply(503, 3, "queue_full"), Duration{30});
  ServerMetrics total;
  one.add_to(total);
  other.add_to(total);
  EXPECT_EQ(total.routes[3].replies, (std::map<int, std::uint64_t>{{200, 2}, {503, 1}}));
  EXPECT_EQ(total.routes[3].durations.sum, 60u);
  EXPECT_EQ(total.refusals.at("queue_full"), 1u);
}

}  // namespace
}  // namespace annals::http
