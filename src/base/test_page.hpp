#pragma once
// For tests that hold a page of this repository against the program: the page. Any thread.

#include <string>
#include <string_view>

namespace annals {

/// The text of a page, such as "docs/formats/database.md"; what is not there fails the test and reads as nothing.
[[nodiscard]] std::string written_page(std::string_view path);

}  // namespace annals
