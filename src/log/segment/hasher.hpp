#pragma once
// SHA-256 of one piece of bytes after another, without asking OpenSSL for the algorithm each time.
// Confined to one thread at a time.

#include <memory>
#include <string_view>

#include "log/record.hpp"

struct evp_md_st;
struct evp_md_ctx_st;

namespace annals::log {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  [[nodiscard]] Hash hash(std::string_view bytes);

 private:
  evp_md_st* algorithm_;
  evp_md_ctx_st* context_;
};

/// True when `bytes` (32 of them) are those of `hash`.
[[nodiscard]] inline bool is_hash(std::string_view bytes, const Hash& hash) {
  return bytes == std::string_view(reinterpret_cast<const char*>(hash.data()), hash.size());
}

}  // namespace annals::log
