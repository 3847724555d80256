#include "base/uuid.hpp"

#include <gtest/gtest.h>

namespace annals {
namespace {

TEST(uuid, text_in_either_case_reads_back_in_lower_case) {
  constexpr const char* text = "0192e4a0-7a3c-7def-8123-456789abcdef";
  EXPECT_EQ(Uuid::from_text(text).value().to_text(), text);
  EXPECT_EQ(Uuid::from_text("0192E4A0-7A3C-7DEF-8123-456789ABCDEF").value().to_text(), text);
}

TEST(uuid, anything_but_the_36_character_form_is_refused) {
  for (const char* text : {"", "0192e4a07a3c7def8123456789abcdef", "0192e4a0-7a3c-7def-8123-456789abcde",
                           "0192e4a0-7a3c-7def-8123-456789abcdef0", "{192e4a0-7a3c-7def-8123-456789abcde}",
                           "0192e4a0-7a3c-7def-8123-456789abcdeg", "0192e4a-07a3c-7def-8123-456789abcdef",
                           "0192e4a0_7a3c_7def_8123_456789abcdef"}) {
    EXPECT_EQ(Uuid::from_text(text), std::nullopt) << text;
  }
}

TEST(uuid, version_7_has_the_version_and_variant_of_rfc_9562) {
  for (const std::uint64_t random : {std::uint64_t{0}, UINT64_MAX}) {
    const std::string text = Uuid::version_7(Instant{1'770'890'400'000'000}, random, random).to_text();
    EXPECT_EQ(text[14], '7') << text;
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
  }
}

TEST(uuid, version_7_begins_with_the_time_in_milliseconds) {
  // The example of RFC 9562, appendix A.6: 2022-02-22 19:22:22.000 UTC.
  const Uuid uuid = Uuid::version_7(Instant{0x017F22E279B0LL * 1000}, 0xCC3, 0x18C4DC0C0C07398F);
  EXPECT_EQ(uuid.to_text(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(uuid, version_7_sorts_by_its_time) {
  const Uuid earlier = Uuid::version_7(Instant{1'000'000}, UINT64_MAX, UINT64_MAX);
  const Uuid later = Uuid::version_7(Instant{1'001'000}, 0, 0);
  EXPECT_LT(earlier, later);
  EXPECT_LT(earlier.to_text(), later.to_text());
}

TEST(uuid, version_7_keeps_74_bits_of_chance) {
  const Uuid none = Uuid::version_7(Instant{}, 0, 0);
  const Uuid all = Uuid::version_7(Instant{}, UINT64_MAX, UINT64_MAX);
  int different = 0;
  for (std::size_t byte = 0; byte < 16; ++byte) different += __builtin_popcount(none.bytes[byte] ^ all.bytes[byte]);
  EXPECT_EQ(different, 74);
}

}  // namespace
}  // namespace annals
