#include "base/huge_pages.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace annals {
namespace {

/// Whether the system says that pages of 2 MiB were asked for where `memory` lies.
bool asked_for(const void* memory) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(memory);
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    if (std::istringstream head(line); head >> std::hex >> begin >> dash >> end && dash == '-') {
      here = begin <= wanted && wanted < end;
    } else if (here && line.starts_with("VmFlags:")) {
      return line.find(" hg") != std::string::npos;
    }
  }
  return false;
}

TEST(huge_pages, an_array_of_2_mib_asks_for_them_and_a_smaller_one_does_not) {
  const bool has_them = std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled").good();
  const std::vector<char, HugeAllocator<char>> large(huge_page_bytes, 'x');
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.data()) % huge_page_bytes, 0u);
  EXPECT_EQ(asked_for(large.data()), has_them);
  std::vector<char> stays(64 * 1024, 'x');
  ask_for_huge_pages(stays.data(), stays.size());
  EXPECT_FALSE(asked_for(stays.data())) << "there is no whole page in it";
}

TEST(huge_pages, arrays_of_any_size_keep_what_is_in_them_while_they_grow) {
  std::vector<std::uint64_t, HugeAllocator<std::uint64_t>> numbers;
  for (std::uint64_t number = 0; number < 1'000'000; ++number) numbers.push_back(number);
  for (std::uint64_t number = 0; number < 1'000'000; ++number) ASSERT_EQ(numbers[number], number);
}

}  // namespace
}  // namespace annals
