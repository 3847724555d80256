#pragma once
// SecretKeys: seals the values of secret fields with AES-256-GCM by OpenSSL, each with a nonce of its own drawn by
// chance. What the value is authenticated with names key, model, field and record, so that whoever writes into the log
// cannot move it. The first key seals, all of them open. Keys are wiped from memory at the end, and what was opened
// once it has been compared. With nonces of 96 bits drawn by chance one key is good for some 4,000 million values.
//
// Thread-safe. Source: NIST SP 800-38D; HMAC (RFC 2104) with SHA-256 for digests.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/secret_cipher.hpp"
#include "platform/clock.hpp"

namespace annals::engine {

inline constexpr std::size_t secret_keys_max = 64;

class SecretKeys final : public model::SecretCipher {
 public:
  /// Reads the text of a file of keys: lines of an id and the base64 of 32 bytes; empty ones and those that begin with
  /// `#` say nothing. `path` is for errors; `random` outlives the keys. Errors: usage, with the line, and never with
  /// what it holds.
  [[nodiscard]] static Result<std::shared_ptr<const SecretKeys>> read(std::string_view text, const std::string& path,
                                                                      platform::Random& random);
  ~SecretKeys() override;
  SecretKeys(const SecretKeys&) = delete;
  SecretKeys& operator=(const SecretKeys&) = delete;

  [[nodiscard]] std::string seal(const model::SecretPlace& place, std::string_view plain) const override;
  [[nodiscard]] bool same(const model::SecretPlace& place, std::string_view one, std::string_view other) const override;
  [[nodiscard]] std::string digest(std::string_view text) const override;

 private:
  struct Key {
    std::string id;
    std::array<unsigned char, 32> bytes{};
  };
  class Plain;  // wiped at its end

  explicit SecretKeys(platform::Random& random) : random_(random) { keys_.reserve(secret_keys_max); }
  [[nodiscard]] Result<> add(std::string_view line);
  [[nodiscard]] bool open(const model::SecretPlace& place, std::string_view sealed, Plain& plain) const;

  platform::Random& random_;
  std::vector<Key> keys_;  // one at least; never moved once they are there
};

}  // namespace annals::engine
