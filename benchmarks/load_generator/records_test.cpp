#include "benchmarks/load_generator/records.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "benchmarks/common/http_text.hpp"

namespace annals::benchmarks {
namespace {

class Records : public testing::Test {
 protected:
  [[nodiscard]] RecordRequests requests(std::size_t created_at_once) const {
    return RecordRequests(values, "localhost", "/api/products/", created_at_once);
  }
  const ValueMaker values{40, 1};
  const RecordMaker records{values};
};

std::string id_of(std::uint64_t number) {
  std::string id(id_bytes, '\0');
  write_record_id(id.data(), number);
  return id;
}

/// A whole request as its first line and its body, whose length must be the one that is told.
std::pair<std::string, std::string> parts_of(std::string_view request) {
  const std::string_view header = request.substr(0, header_size(request).value());
  const std::string_view body = request.substr(header.size());
  EXPECT_EQ(content_length(header).value_or(0), body.size()) << request;
  return {std::string(request.substr(0, request.find(" HTTP/1.1\r\n"))), std::string(body)};
}

TEST_F(Records, a_record_is_told_by_its_number_and_sequence) {
  EXPECT_EQ(records.text(7, 3), R"({"id":")" + id_of(7) + R"(","sku":"SKU-00000007","name":")" + values.value(7, 3) +
                                    R"(","price":"10554.33","stock":1007})");
  EXPECT_EQ(id_of(1), "910a2dec-8902-425c-80c1-000000000001");
  EXPECT_EQ(records.text(1'007, 1).substr(records.size() - 5), "1007}");
}

TEST_F(Records, ids_are_uuids_that_differ_and_are_in_no_order) {
  std::set<std::string> seen;
  std::size_t ascents = 0;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const std::string id = id_of(number);
    EXPECT_TRUE(seen.insert(id).second);
    if (number > 0 && id_of(number - 1) < id) ++ascents;
    for (std::size_t i = 0; i < id.size(); ++i) {
      const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
      EXPECT_EQ(std::string("0123456789abcdef").find(id[i]) == std::string::npos, hyphen) << id;
    }
  }
  EXPECT_GT(ascents, 400u);
  EXPECT_LT(ascents, 600u);
}

TEST_F(Records, a_million_records_have_a_million_prices) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t number = 0; number < prices; ++number) seen.insert(number * price_step % prices);
  EXPECT_EQ(seen.size(), prices);
}

TEST_F(Records, a_get_must_give_the_record_to_the_byte_and_tells_its_sequence) {
  RecordRequests asked = requests(0);
  EXPECT_EQ(asked.get(42), "GET /api/products/" + id_of(42) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string body = asked.body(42, 9);
  EXPECT_EQ(body, records.text(42, 9));
  EXPECT_EQ(asked.sequence_in(body, 42), 9u);
  EXPECT_EQ(asked.sequence_in(body, 43), std::nullopt);
  EXPECT_EQ(asked.sequence_in(body + " ", 42), std::nullopt);
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string changed = body;
    changed[i] = '~';
    EXPECT_EQ(asked.sequence_in(changed, 42), std::nullopt) << changed;
  }
}

TEST_F(Records, a_patch_names_the_record_and_gives_another_name) {
  RecordRequests writes = requests(0);
  const auto [line, body] = parts_of(writes.write(42, 1, 9));
  EXPECT_EQ(line, "PATCH /api/products/" + id_of(42));
  EXPECT_EQ(body, R"({"name":")" + values.value(42, 9) + R"("})");
  EXPECT_TRUE(writes.confirms(records.text(42, 9), 42, 1, 9));
  EXPECT_FALSE(writes.confirms(records.text(42, 8), 42, 1, 9));
}

TEST_F(Records, a_post_gives_the_whole_record_and_its_reply_is_the_same) {
  RecordRequests writes = requests(1);
  const auto [line, body] = parts_of(writes.write(42, 1, 1));
  EXPECT_EQ(line, "POST /api/products");
  EXPECT_EQ(body, records.text(42, 1));
  EXPECT_TRUE(writes.confirms(body, 42, 1, 1));
  EXPECT_FALSE(writes.confirms(body, 43, 1, 1));
}

TEST_F(Records, a_batch_posts_each_of_its_records_and_its_reply_counts_them) {
  RecordRequests writes = requests(1000);
  const std::string operation = R"({"method":"POST","path":"/api/products","body":)";
  const auto [line, body] = parts_of(writes.write(5, 2, 1));
  EXPECT_EQ(line, "POST /batch");
  EXPECT_EQ(body, "[" + operation + records.text(5, 1) + "}," + operation + records.text(6, 1) + "}]");
  EXPECT_TRUE(writes.confirms(R"([{"status":201},{"status":201}])", 5, 2, 1));
  EXPECT_FALSE(writes.confirms(R"([{"status":201}])", 5, 2, 1));
}

}  // namespace
}  // namespace annals::benchmarks
