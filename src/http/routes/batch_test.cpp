// The limits of a batch, and what a server says of it that is not ready.

#include <gtest/gtest.h>

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

class BatchRouteTest : public ApiTest {
 protected:
  std::shared_ptr<Asked> post(const std::string& body, std::vector<Field> fields = {}) {
    auto asked = ask(Method::post, "/batch", std::move(fields), body);
    run();
    return asked;
  }
  /// As many times the same operation.
  static std::string times(int count, const std::string& operation) {
    std::string body = "[";
    for (int place = 0; place < count; ++place) body += (place == 0 ? "" : ",") + operation;
    return body + "]";
  }
  static constexpr const char* set = R"({"method":"PUT","path":"/config/a","body":{"value":"1"}})";
};

TEST_F(BatchRouteTest, a_batch_has_up_to_a_thousand_operations) {
  open();
  EXPECT_EQ(post(times(1000, set))->status(), 200);
  EXPECT_EQ(store->status().visible, Position{1000});
  EXPECT_EQ(post(times(1001, set))->status(), 413);
  EXPECT_EQ(store->status().visible, Position{1000});
}

TEST_F(BatchRouteTest, up_to_a_hundred_things_are_told_to_be_wrong) {
  open();
  const auto asked = post(times(500, R"({"when":"now"})"));
  EXPECT_EQ(asked->status(), 422);
  const std::string body = asked->body();
  std::size_t faults = 0;
  for (std::size_t at = body.find("\"pointer\""); at != std::string::npos; at = body.find("\"pointer\"", at + 1))
    ++faults;
  EXPECT_EQ(faults, 100u);
}

TEST_F(BatchRouteTest, that_there_is_more_than_a_hundred_things_is_told) {
  open();
  const std::string more = "errors tells the first 100";
  EXPECT_FALSE(post(times(50, R"({"when":"now","method":"PUT"})"))->body().contains(more)) << "just a hundred";
  EXPECT_TRUE(post(times(51, R"({"when":"now","method":"PUT"})"))->body().contains(more));
  std::string body = R"({"value":1)";
  for (int number = 0; number < 100; ++number) body += ",\"x" + std::to_string(number) + "\":1";
  const auto asked = post(R"([{"method":"PUT","path":"/config/a","body":)" + body + "}}]");
  EXPECT_EQ(asked->status(), 422);
  EXPECT_TRUE(asked->body().contains(more)) << asked->body();
}

TEST_F(BatchRouteTest, what_a_text_without_an_end_or_a_coded_one_says_is_not_guessed_at) {
  open();
  EXPECT_EQ(post("[{")->status(), 400);
  EXPECT_EQ(post(times(1, set), {{"Content-Encoding", "gzip"}})->status(), 415);
  EXPECT_EQ(store->status().visible, Position{});
}

TEST_F(BatchRouteTest, a_reply_waits_until_all_is_recorded) {
  open();
  store->hold(true);
  const auto asked = post(times(2, set));
  EXPECT_EQ(asked->status(), 0);
  store->hold(false);
  store->release();
  run();
  EXPECT_EQ(asked->status(), 200);
  EXPECT_TRUE(asked->has("Annals-Position: " + cursor(2)));
}

TEST_F(BatchRouteTest, a_store_that_takes_nothing_makes_no_operation_guilty) {
  open();
  store->answer_next({Error(ErrorKind::unavailable, "the disk is gone")});
  const auto asked = post(times(1, set));
  EXPECT_EQ(asked->status(), 503);
  EXPECT_EQ(asked->body().find("\"errors\""), std::string::npos);
}

}  // namespace
}  // namespace annals::http
