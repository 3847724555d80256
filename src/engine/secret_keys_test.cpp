// What SecretKeys seals opens where it was sealed, with its key, and nowhere else.

#include "engine/secret_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64url.hpp"
#include "platform/simulated.hpp"

namespace annals::engine {
namespace {

const std::string one_key = "one MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
const std::string two_key = "two //////////////////////////////////////////8=\n";

class SecretKeysTest : public testing::Test {
 protected:
  std::shared_ptr<const SecretKeys> keys(const std::string& text) {
    auto read = SecretKeys::read(text, "keys", random);
    EXPECT_TRUE(read) << read.error().message;
    return *read;
  }
  std::string refusal_of(const std::string& text) {
    const auto read = SecretKeys::read(text, "keys", random);
    EXPECT_FALSE(read);
    return read ? "" : read.error().message;
  }

  platform::SimulatedRandom random{7};
  const model::SecretPlace place{"user", "pin", {}, "ada"};
};

TEST_F(SecretKeysTest, a_value_is_sealed_anew_each_time_and_found_the_same) {
  const auto cipher = keys(one_key);
  for (const std::string& plain : {std::string(), std::string("1234"), std::string(100'000, 'x')}) {
    const std::string sealed = cipher->seal(place, plain);
    const std::string again = cipher->seal(place, plain);
    EXPECT_TRUE(sealed.starts_with("v1.one."));
    EXPECT_NE(sealed, again);
    EXPECT_EQ(model::read_sealed(sealed)->bytes.size(), 12 + plain.size() + 16);
    EXPECT_TRUE(cipher->same(place, sealed, again));
    EXPECT_FALSE(cipher->same(place, sealed, cipher->seal(place, plain + "5")));
    EXPECT_FALSE(cipher->same(place, sealed, plain));
  }
  EXPECT_FALSE(cipher->same(place, cipher->seal(place, "1234"), cipher->seal(place, "1235")));
  EXPECT_EQ(cipher->seal(place, "12345678").find(to_base64url("12345678")), std::string::npos);
}

TEST_F(SecretKeysTest, a_value_does_not_open_in_another_place) {
  const auto cipher = keys(one_key);
  const std::string sealed = cipher->seal(place, "1234");
  for (const model::SecretPlace& other :
       {model::SecretPlace{"person", "pin", {}, "ada"}, model::SecretPlace{"user", "pins", {}, "ada"},
        model::SecretPlace{"user", "pin", {}, "bob"}}) {
    EXPECT_FALSE(cipher->same(other, sealed, cipher->seal(other, "1234")));
  }
  const std::vector<std::string> former{"code", "pin"};
  const model::SecretPlace renamed{"user", "secret", former, "ada"};
  EXPECT_TRUE(cipher->same(renamed, sealed, cipher->seal(renamed, "1234")))
      << "a field that was renamed has its values";
}

TEST_F(SecretKeysTest, not_a_bit_of_it_may_change) {
  const auto cipher = keys(one_key);
  const std::string whole = cipher->seal(place, "1234");
  const std::string bytes = model::read_sealed(whole)->bytes;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(cipher->same(place, whole, model::write_sealed("one", flipped))) << bit;
  }
}

TEST_F(SecretKeysTest, the_first_key_seals_and_all_open) {
  const std::string old = keys(one_key)->seal(place, "1234");
  const auto rotated = keys("# two since March\n\n" + two_key + "  " + one_key);
  const std::string fresh = rotated->seal(place, "1234");
  EXPECT_TRUE(fresh.starts_with("v1.two."));
  EXPECT_TRUE(rotated->same(place, old, fresh));
  EXPECT_FALSE(keys(two_key)->same(place, old, fresh)) << "the old key is no more";
  std::string other = two_key;
  other.replace(0, 3, "one");
  EXPECT_FALSE(keys(other)->same(place, old, keys(other)->seal(place, "1234"))) << "the id alone does not open";
}

TEST_F(SecretKeysTest, a_digest_is_the_oldest_keys) {
  const std::string digest = keys(one_key)->digest("body");
  EXPECT_EQ(digest.size(), 32u);
  EXPECT_EQ(keys(two_key + one_key)->digest("body"), digest);
  EXPECT_NE(keys(two_key)->digest("body"), digest);
  EXPECT_NE(keys(one_key)->digest("bodies"), digest);
}

TEST_F(SecretKeysTest, what_is_no_file_of_keys_is_refused_by_its_line_without_the_key) {
  EXPECT_THAT(refusal_of(""), testing::HasSubstr("keys has no key"));
  EXPECT_THAT(refusal_of("# nothing\n"), testing::HasSubstr("openssl rand -base64 32"));
  EXPECT_THAT(refusal_of("\none\n"), testing::StartsWith("keys:2: a key is a line"));
  EXPECT_THAT(refusal_of("a.b MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="), testing::StartsWith("keys:1: "));
  EXPECT_THAT(refusal_of(one_key + one_key), testing::HasSubstr("keys:2: the id one is given twice"));
  const std::string short_key = refusal_of("one MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz");
  EXPECT_THAT(short_key, testing::HasSubstr("the key one is not 32 bytes in base64"));
  EXPECT_THAT(short_key, testing::Not(testing::HasSubstr("MDEy")));
  EXPECT_THAT(refusal_of("one MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= more"), testing::HasSubstr("not 32 bytes"));
}

}  // namespace
}  // namespace annals::engine
