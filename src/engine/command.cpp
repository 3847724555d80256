#include "engine/command.hpp"

#include <openssl/evp.h>

#include <memory>

#include "base/bytes.hpp"
#include "base/invariant.hpp"

namespace annals::engine {
namespace {

int hex_value(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  return -1;
}

}  // namespace

Digest digest_of(std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (std::string_view part : parts) {
    // Lengths go in too, so that ("ab", "c") and ("a", "bc") differ.
    std::string length;
    put(length, std::uint64_t{part.size()});
    good = good && EVP_DigestUpdate(context.get(), length.data(), length.size()) == 1;
    good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  std::array<std::uint8_t, 32> whole{};
  good = good && EVP_DigestFinal_ex(context.get(), whole.data(), nullptr) == 1;
  INVARIANT(good, "SHA-256 is always there");
  Digest digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

std::string to_hex(const Digest& digest) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (std::uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<Digest> digest_from_hex(std::string_view text) {
  Digest digest;
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t byte = 0; byte < digest.size(); ++byte) {
    const int high = hex_value(text[2 * byte]);
    const int low = hex_value(text[2 * byte + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[byte] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

}  // namespace annals::engine
