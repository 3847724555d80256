#include "base/test_page.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace annals {

std::string written_page(std::string_view path) {
  // Not from __FILE__: a compiler's cache may hand on what another checkout has compiled.
  const auto place = std::filesystem::path(ANNALS_SOURCE_TREE) / path;
  std::ifstream file(place);
  EXPECT_TRUE(file.is_open()) << "there is no " << place;
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace annals
