#include "benchmarks/load_generator/workload.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "benchmarks/bare_server/request.hpp"

namespace annals::benchmarks {
namespace {

TEST(Workload, values_of_a_run_differ_and_tell_their_key_and_sequence) {
  const ValueMaker values(256, 1);
  std::set<std::string> seen;
  for (std::uint64_t key = 0; key < 10; ++key) {
    for (std::uint64_t sequence = 0; sequence < 100; ++sequence) {
      const std::string value = values.value(key, sequence);
      EXPECT_EQ(value.size(), 256u);
      EXPECT_TRUE(seen.insert(value).second);
      EXPECT_EQ(values.sequence_in(value, key), sequence);
      EXPECT_EQ(values.sequence_in(value, key + 1), std::nullopt);
      EXPECT_EQ(values.sequence_in(value.substr(1), key), std::nullopt);
    }
  }
}

TEST(Workload, the_same_seed_makes_the_same_value_and_another_seed_another) {
  EXPECT_EQ(ValueMaker(64, 5).value(3, 4), ValueMaker(64, 5).value(3, 4));
  EXPECT_NE(ValueMaker(64, 5).value(3, 4), ValueMaker(64, 6).value(3, 4));
}

TEST(Workload, requests_are_what_a_server_reads) {
  const ValueMaker values(40, 1);
  RequestMaker maker(values, "localhost", "/config/");
  const Request put = read_request(maker.put(42, 7));
  EXPECT_EQ(put.kind, Request::Kind::put);
  EXPECT_EQ(put.key, "key-00000042");
  EXPECT_EQ(put.value, values.value(42, 7));
  const std::string_view get_text = maker.get(99'999'999);
  const Request get = read_request(get_text);
  EXPECT_EQ(get.kind, Request::Kind::get);
  EXPECT_EQ(get.key, "key-99999999");
  EXPECT_EQ(get.size, get_text.size());
}

}  // namespace
}  // namespace annals::benchmarks
