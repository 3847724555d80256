#pragma once
// Pages of 2 MiB for what is large and looked up in no order. The processor knows the places of some 1,500 pages; of
// tables with a million rows that is nothing with 4 KiB a page, so a look at memory that it has not at hand is also one
// at the tables of pages. Systems that ask for `madvise` in /sys/kernel/mm/transparent_hugepage/enabled give such pages
// to who asks for them; `never` leaves everything as it is.
//
// A page of 2 MiB is there as a whole once a byte of it is written, so who asks has to be about to fill it.
//
// Pure but for the system's; thread-safe.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

namespace annals {

inline constexpr std::size_t huge_page_bytes = 2u << 20;

/// For the whole pages of 2 MiB in these bytes. It may be refused, and then nothing changes.
void ask_for_huge_pages(void* memory, std::size_t bytes) noexcept;

/// An allocator for arrays that grow by doubling, such as those of hash tables: from a page of 2 MiB on they lie in
/// such pages.
template <class T>
class HugeAllocator {
 public:
  using value_type = T;

  HugeAllocator() = default;
  template <class Other>
  HugeAllocator(const HugeAllocator<Other>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    const std::size_t bytes = count * sizeof(T);
    if (bytes < huge_page_bytes) return static_cast<T*>(::operator new(bytes));
    void* memory = ::operator new(bytes, std::align_val_t{huge_page_bytes});
    ask_for_huge_pages(memory, bytes);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (count * sizeof(T) < huge_page_bytes) return ::operator delete(memory);
    ::operator delete(memory, std::align_val_t{huge_page_bytes});
  }
  template <class Other>
  bool operator==(const HugeAllocator<Other>&) const noexcept {
    return true;
  }
};

}  // namespace annals
