#include "log/segment/hasher.hpp"

#include <openssl/evp.h>

#include "base/invariant.hpp"

namespace annals::log {

Hasher::Hasher() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  INVARIANT(algorithm_ != nullptr && context_ != nullptr, "OpenSSL has SHA-256");
}

Hasher::~Hasher() {
  EVP_MD_CTX_free(context_);
  EVP_MD_free(algorithm_);
}

Hash Hasher::hash(std::string_view bytes) {
  Hash result;
  const bool done = EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1 &&
                    EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context_, result.data(), nullptr) == 1;
  INVARIANT(done, "hashing bytes in memory cannot fail");
  return result;
}

}  // namespace annals::log
