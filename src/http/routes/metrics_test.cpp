#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

class MetricsTest : public ApiTest {
 protected:
  std::string page() {
    const auto asked = ask(Method::get, "/metrics");
    EXPECT_EQ(asked->status(), 200);
    return asked->body();
  }
};

/// Source: "Metric and label naming" and "Text format" of the Prometheus documentation.
TEST_F(MetricsTest, every_line_is_a_sample_of_a_family_that_was_described_once_and_names_follow_the_conventions) {
  open();
  const std::regex sample(R"(([a-z_]+)(\{([a-z]+="[^"\\]*",?)+\})? (-?[0-9.]+(e[-+]?[0-9]+)?|\+Inf|NaN))");
  const std::regex type(R"(# TYPE ([a-z_]+) (counter|gauge|histogram))");
  std::istringstream lines(page());
  std::set<std::string> families;
  std::string family;
  std::string kind;
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) continue;
    std::smatch match;
    if (std::regex_match(line, match, type)) {
      family = match[1];
      kind = match[2];
      EXPECT_TRUE(families.insert(family).second) << family << " is described twice";
      EXPECT_TRUE(family.starts_with("annals_") || family.starts_with("process_")) << family;
      EXPECT_EQ(family.ends_with("_total"), kind == "counter") << family;
      continue;
    }
    ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
    const std::string name = match[1];
    EXPECT_TRUE(name == family || (kind == "histogram" && (name == family + "_bucket" || name == family + "_count" ||
                                                           name == family + "_sum")))
        << line << " under " << family;
  }
  EXPECT_GE(families.size(), 18u);
}

TEST_F(MetricsTest, what_the_server_counts_is_told_by_route_code_and_cause) {
  ApiOptions options;
  options.version = "1.2.3";
  options.server_metrics = [] {
    ServerMetrics metrics;
    metrics.routes.resize(counted_routes_max);
    metrics.routes[0].replies = {{400, 4}, {0, 1}};
    metrics.routes[0].durations = {{100, 1'000'000}, {2, 3, 0}, 3'000'000};
    metrics.refusals = {{"queue_full", 9}};
    metrics.connections = 3;
    metrics.refused_connections = 2;
    metrics.failed_handshakes = 7;
    metrics.body_bytes = 4096;
    return metrics;
  };
  open();
  api = make_api(*engine, options);
  const std::string text = page();
  for (const char* line :
       {"annals_http_requests_total{route=\"none\",method=\"none\",code=\"400\"} 4\n",
        "annals_http_requests_total{route=\"none\",method=\"none\",code=\"other\"} 1\n",
        "annals_http_request_duration_seconds_bucket{route=\"none\",method=\"none\",le=\"0.0001\"} 2\n",
        "annals_http_request_duration_seconds_bucket{route=\"none\",method=\"none\",le=\"1\"} 5\n",
        "annals_http_request_duration_seconds_bucket{route=\"none\",method=\"none\",le=\"+Inf\"} 5\n",
        "annals_http_request_duration_seconds_sum{route=\"none\",method=\"none\"} 3\n",
        "annals_http_refusals_total{cause=\"queue_full\"} 9\n", "annals_http_connections 3\n",
        "annals_http_connections_refused_total 2\n", "annals_http_body_bytes 4096\n",
        "annals_http_tls_handshakes_failed_total 7\n", "annals_table_bytes{model=\"config\"} 0\n",
        "annals_build_info{version=\"1.2.3\"} 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace annals::http
