#pragma once
// For tests: seals so that everybody can read it, and can tell where and by which call it was sealed.

#include <atomic>
#include <string>

#include "model/secret_cipher.hpp"

namespace annals::model {

class TestCipher final : public SecretCipher {
 public:
  [[nodiscard]] std::string seal(const SecretPlace& place, std::string_view plain) const override {
    std::string number = std::to_string(++sealed_);
    number.insert(0, 12 - number.size(), '0');
    return write_sealed("test", number + std::string(plain) + tag_of(place));
  }
  [[nodiscard]] bool same(const SecretPlace& place, std::string_view one, std::string_view other) const override {
    const auto opened_one = opened(place, one);
    return opened_one && opened_one == opened(place, other);
  }
  [[nodiscard]] std::string digest(std::string_view text) const override { return "digest of " + std::string(text); }

  /// What was sealed there; empty when it was not.
  [[nodiscard]] static std::string open(const SecretPlace& place, std::string_view sealed) {
    return opened(place, sealed).value_or("");
  }

 private:
  static std::optional<std::string> opened(const SecretPlace& place, std::string_view sealed) {
    const auto read = read_sealed(sealed);
    if (!read || !read->bytes.ends_with(tag_of(place))) return std::nullopt;
    return read->bytes.substr(12, read->bytes.size() - 28);
  }
  static std::string tag_of(const SecretPlace& place) {
    std::string tag = std::string(place.model) + "/" + std::string(place.field) + "/" + std::string(place.key);
    tag.resize(16, '.');
    return tag;
  }

  mutable std::atomic<int> sealed_{0};
};

}  // namespace annals::model
