#include "http/server/identity.hpp"

#include <gtest/gtest.h>

#include <set>

namespace annals::http {
namespace {

constexpr std::string_view trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";

class Counting final : public platform::Random {
 public:
  std::uint64_t next() override { return ++count_; }

 private:
  std::uint64_t count_ = 0;
};

Request identified(std::vector<Field> fields) {
  Counting random;
  IdentitySource source(random);
  Request request;
  request.received_at = *Instant::from_text("2026-02-12T10:00:00Z");
  request.fields = std::move(fields);
  source.identify(request);
  return request;
}

TEST(Identity, a_request_without_names_gets_one_uuid_for_all_of_them) {
  const Request request = identified({});
  ASSERT_TRUE(Uuid::from_text(request.request_id));
  EXPECT_EQ(*Uuid::from_text(request.request_id), request.correlation_id);
  EXPECT_EQ(request.request_id, request.correlation_id.to_text());
  std::string hex = request.request_id;
  std::erase(hex, '-');
  EXPECT_EQ(request.trace.id_text(), hex);
}

TEST(Identity, new_identifiers_differ) {
  Counting random;
  IdentitySource source(random);
  std::set<std::string> seen;
  for (int count = 0; count < 10000; ++count) {
    Request request;
    source.identify(request);
    EXPECT_TRUE(seen.insert(request.request_id).second);
  }
}

TEST(Identity, a_sane_request_id_is_kept_and_a_uuid_becomes_the_correlation_id) {
  EXPECT_EQ(identified({{"x-request-ID", "abc.DEF_1-2"}}).request_id, "abc.DEF_1-2");
  const std::string_view uuid = "0192e4a0-7a3c-7def-8123-456789abcdef";
  const Request request = identified({{"X-Request-Id", uuid}});
  EXPECT_EQ(request.request_id, uuid);
  EXPECT_EQ(request.correlation_id.to_text(), uuid);
}

TEST(Identity, an_insane_request_id_is_replaced) {
  EXPECT_TRUE(is_sane_request_id(std::string(128, 'a')));
  for (const std::string& text :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\"b"), std::string("\xc3\xa4")}) {
    EXPECT_FALSE(is_sane_request_id(text)) << text;
    EXPECT_TRUE(Uuid::from_text(identified({{"X-Request-Id", text}}).request_id)) << text;
  }
}

TEST(Identity, a_traceparent_is_continued) {
  const std::string traceparent = "00-" + std::string(trace_id) + "-00f067aa0ba902b7-01";
  const Request request = identified({{"traceparent", traceparent}, {"X-Request-Id", "mine"}});
  EXPECT_EQ(request.trace.id_text(), trace_id);
  EXPECT_EQ(request.correlation_id.to_text(), "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
  EXPECT_EQ(request.request_id, "mine");
}

TEST(Identity, every_request_is_a_span_of_its_own_in_its_trace) {
  Counting random;
  IdentitySource source(random);
  const std::string traceparent = "00-" + std::string(trace_id) + "-00f067aa0ba902b7-01";
  std::set<std::string> spans{"00f067aa0ba902b7"};
  for (int count = 0; count < 100; ++count) {
    Request request;
    request.fields = {{"Traceparent", traceparent}};
    source.identify(request);
    EXPECT_EQ(request.trace.id_text(), trace_id);
    EXPECT_TRUE(spans.insert(request.trace.span_text()).second);
  }
  EXPECT_EQ((Trace{{}, 0xa1}.span_text()), "00000000000000a1");
}

TEST(Identity, only_a_well_formed_traceparent_counts) {
  const std::string id(trace_id);
  EXPECT_EQ(trace_id_of("00-" + id + "-00f067aa0ba902b7-00"), trace_id);
  EXPECT_EQ(trace_id_of("cc-" + id + "-00f067aa0ba902b7-00"), trace_id);
  EXPECT_EQ(trace_id_of("cc-" + id + "-00f067aa0ba902b7-00-more"), trace_id);
  for (const std::string& text : std::vector<std::string>{
           std::string(),
           "ff-" + id + "-00f067aa0ba902b7-00",
           "00-" + id + "-00f067aa0ba902b7-00-more",
           "cc-" + id + "-00f067aa0ba902b7-00more",
           "00-" + id + "-0000000000000000-00",
           "00-" + std::string(32, '0') + "-00f067aa0ba902b7-00",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-00",
           "00-" + id + "-00f067aa0ba902bg-00",
           "00_" + id + "-00f067aa0ba902b7-00",
           "00-" + id + "-00f067aa0ba902b7-0",
       }) {
    EXPECT_EQ(trace_id_of(text), "") << text;
  }
}

TEST(Identity, the_date_is_that_of_rfc_9110_and_follows_the_clock_both_ways) {
  DateText date;
  EXPECT_EQ(date.at(*Instant::from_text("1994-11-06T08:49:37.999999Z")), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(*Instant::from_text("2026-02-12T10:00:00Z")), "Thu, 12 Feb 2026 10:00:00 GMT");
  EXPECT_EQ(date.at(*Instant::from_text("2024-02-29T23:59:59Z")), "Thu, 29 Feb 2024 23:59:59 GMT");
}

}  // namespace
}  // namespace annals::http
