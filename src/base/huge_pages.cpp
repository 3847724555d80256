#include "base/huge_pages.hpp"

#include <sys/mman.h>

#include <cerrno>

namespace annals {

void ask_for_huge_pages(void* memory, std::size_t bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (begin + huge_page_bytes - 1) & ~(huge_page_bytes - 1);
  const std::uintptr_t end = (begin + bytes) & ~(huge_page_bytes - 1);
  if (first >= end) return;
  const int error = errno;
  // Where the system has no such pages, there is nothing to be done.
  (void)::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
  errno = error;
}

}  // namespace annals
