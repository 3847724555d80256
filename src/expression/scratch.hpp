#pragma once
// Scratch: memory for the texts that an evaluation makes, with an end. Confined to one thread.

#include <array>
#include <cstddef>
#include <memory_resource>
#include <span>

namespace annals::expression {

/// All texts that one evaluation makes, together.
inline constexpr std::size_t made_bytes_max = 1u << 20;

class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// Room for so many bytes, until this ends; an empty one when there is no more.
  [[nodiscard]] std::span<char> make(std::size_t bytes) {
    if (bytes > made_bytes_max - made_) return {};
    made_ += bytes;
    return {static_cast<char*>(memory_.allocate(bytes, 1)), bytes};
  }

  /// Room for made_bytes_max again; what was made stays.
  void begin_anew() { made_ = 0; }

 private:
  std::array<std::byte, 1024> first_;  // most evaluations need no more, and so no allocation
  std::pmr::monotonic_buffer_resource memory_{first_.data(), first_.size()};
  std::size_t made_ = 0;
};

}  // namespace annals::expression
