#pragma once
// Secret values: a field that is declared `secret` is recorded sealed, as one text that says nothing to whoever has no
// key. SecretCipher is who seals; the implementation is engine/secret_keys.hpp.
//
// The text is `v1.<key's id>.<base64url of nonce, ciphertext and tag>`. Each value of a field gets one of its own,
// also when it is the same as another.
//
// SecretCipher: thread-safe. The functions are pure.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace annals::model {

/// Where a sealed value stands. Moved to another place, it does not open.
struct SecretPlace {
  std::string_view model;
  std::string_view field;
  std::span<const std::string> former_names;  ///< of the field, under which it may have been sealed
  std::string_view key;                       ///< of the record
};

class SecretCipher {
 public:
  virtual ~SecretCipher() = default;

  /// The value as it is recorded.
  [[nodiscard]] virtual std::string seal(const SecretPlace& place, std::string_view plain) const = 0;

  /// Whether two sealed texts of the place hold the same value. False when one of them does not open: its key is no
  /// more, or it was made for another place. How long it takes tells of the values their lengths only.
  [[nodiscard]] virtual bool same(const SecretPlace& place, std::string_view one, std::string_view other) const = 0;

  /// 32 bytes that stand for the text, the same ones as long as the oldest key is there, which nobody without the keys
  /// can make: what a body with a secret in it is remembered by.
  [[nodiscard]] virtual std::string digest(std::string_view text) const = 0;
};

struct SealedText {
  std::string_view key_id;  ///< borrowed from the text
  std::string bytes;
};

/// Letters, digits, `-` and `_`, 1 to 32 of them.
[[nodiscard]] bool is_key_id(std::string_view text);
[[nodiscard]] std::string write_sealed(std::string_view key_id, std::string_view bytes);
/// nullopt for what write_sealed does not make of a nonce of 12 bytes, a ciphertext and a tag of 16.
[[nodiscard]] std::optional<SealedText> read_sealed(std::string_view text);

}  // namespace annals::model
