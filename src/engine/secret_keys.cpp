#include "engine/secret_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/base64url.hpp"
#include "base/invariant.hpp"

namespace annals::engine {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Context make_context() {
  Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  if (!context) throw std::bad_alloc();
  return context;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// OpenSSL counts in int; no value is near its end.
int length_of(std::string_view text) {
  INVARIANT(text.size() <= 1u << 30, "a value fits a body");
  return static_cast<int>(text.size());
}

void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
}

/// What a value is authenticated with; no part of it has a zero byte.
std::string bound_to(std::string_view key_id, std::string_view model, std::string_view field, std::string_view key) {
  std::string bound = "annals secret v1";
  for (const std::string_view part : {key_id, model, field, key}) bound.append(1, '\0').append(part);
  return bound;
}

/// The key in base64 of either alphabet, with or without its padding.
bool read_key(std::string_view text, std::array<unsigned char, 32>& bytes) {
  if (text.ends_with('=')) text.remove_suffix(1);
  std::string other_alphabet(text);
  std::ranges::replace(other_alphabet, '+', '-');
  std::ranges::replace(other_alphabet, '/', '_');
  auto read = from_base64url(other_alphabet);
  const bool good = read && read->size() == bytes.size();
  if (good) std::ranges::copy(*read, bytes.begin());
  if (read) wipe(*read);
  wipe(other_alphabet);
  return good;
}

}  // namespace

class SecretKeys::Plain {
 public:
  Plain() = default;
  ~Plain() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;

  std::vector<unsigned char> bytes;
};

Result<std::shared_ptr<const SecretKeys>> SecretKeys::read(std::string_view text, const std::string& path,
                                                           platform::Random& random) {
  std::shared_ptr<SecretKeys> keys(new SecretKeys(random));  // shared by the models whose values they seal
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    constexpr std::string_view blanks = " \t\r";
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    line = line.substr(0, line.find_last_not_of(blanks) + 1);
    if (line.empty() || line.front() == '#') continue;
    if (auto added = keys->add(line); !added)
      return fail(ErrorKind::usage, path + ":" + std::to_string(number) + ": " + added.error().message);
  }
  if (keys->keys_.empty()) {
    return fail(ErrorKind::usage,
                path + " has no key; a key is a line of an id and what `openssl rand -base64 32` prints");
  }
  return keys;
}

Result<> SecretKeys::add(std::string_view line) {
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view id = line.substr(0, end);
  std::string_view key = line.substr(end);
  key.remove_prefix(std::min(key.find_first_not_of(" \t"), key.size()));
  if (!model::is_key_id(id) || key.empty()) {
    return fail(ErrorKind::usage,
                "a key is a line of an id (letters, digits, - and _, 32 at most), a blank, and what `openssl rand "
                "-base64 32` prints");
  }
  if (std::ranges::find(keys_, id, &Key::id) != keys_.end())
    return fail(ErrorKind::usage, "the id " + std::string(id) + " is given twice; each key has one of its own");
  if (keys_.size() == secret_keys_max)
    return fail(ErrorKind::usage, "this is one key more than " + std::to_string(secret_keys_max) + ", the most");
  Key& added = keys_.emplace_back();
  added.id = id;
  if (read_key(key, added.bytes)) return {};
  return fail(ErrorKind::usage,
              "the key " + std::string(id) + " is not 32 bytes in base64, such as `openssl rand -base64 32` prints");
}

SecretKeys::~SecretKeys() {
  for (Key& key : keys_) OPENSSL_cleanse(key.bytes.data(), key.bytes.size());
}

std::string SecretKeys::seal(const model::SecretPlace& place, std::string_view plain) const {
  const Key& key = keys_.front();
  const std::string bound = bound_to(key.id, place.model, place.field, place.key);
  std::string sealed(nonce_bytes + plain.size() + tag_bytes, '\0');
  auto* nonce = reinterpret_cast<unsigned char*>(sealed.data());
  for (std::size_t byte = 0; byte < nonce_bytes; byte += 4) {
    const std::uint64_t drawn = random_.next();
    std::copy_n(reinterpret_cast<const unsigned char*>(&drawn), 4, nonce + byte);
  }
  unsigned char* text = nonce + nonce_bytes;
  const Context context = make_context();
  int count = 0;
  bool good = EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce) == 1;
  good = good && EVP_EncryptUpdate(context.get(), nullptr, &count, bytes_of(bound), length_of(bound)) == 1;
  good = good && EVP_EncryptUpdate(context.get(), text, &count, bytes_of(plain), length_of(plain)) == 1;
  good = good && EVP_EncryptFinal_ex(context.get(), text + plain.size(), &count) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, text + plain.size()) == 1;
  INVARIANT(good, "AES-256-GCM is always there");
  return model::write_sealed(key.id, sealed);
}

/// False when the value does not open; `plain` is then of no use.
bool SecretKeys::open(const model::SecretPlace& place, std::string_view sealed, Plain& plain) const {
  auto read = model::read_sealed(sealed);
  if (!read) return false;
  const auto key = std::ranges::find(keys_, read->key_id, &Key::id);
  if (key == keys_.end()) return false;
  const std::size_t size = read->bytes.size() - nonce_bytes - tag_bytes;
  auto* nonce = reinterpret_cast<unsigned char*>(read->bytes.data());
  unsigned char* text = nonce + nonce_bytes;
  plain.bytes.resize(size + 1);  // so that there is a place to write to, also for an empty one
  const auto opens_as = [&](std::string_view field) {
    const std::string bound = bound_to(key->id, place.model, field, place.key);
    const Context context = make_context();
    int count = 0;
    bool good = EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key->bytes.data(), nonce) == 1;
    good = good && EVP_DecryptUpdate(context.get(), nullptr, &count, bytes_of(bound), length_of(bound)) == 1;
    good = good && EVP_DecryptUpdate(context.get(), plain.bytes.data(), &count, text,
                                     length_of({read->bytes.data(), size})) == 1;
    good = good && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, text + size) == 1;
    return good && EVP_DecryptFinal_ex(context.get(), plain.bytes.data() + size, &count) == 1;
  };
  return opens_as(place.field) || std::ranges::any_of(place.former_names, opens_as);
}

bool SecretKeys::same(const model::SecretPlace& place, std::string_view one, std::string_view other) const {
  Plain of_one;
  Plain of_other;
  if (!open(place, one, of_one) || !open(place, other, of_other)) return false;
  return of_one.bytes.size() == of_other.bytes.size() &&
         CRYPTO_memcmp(of_one.bytes.data(), of_other.bytes.data(), of_one.bytes.size() - 1) == 0;
}

/// With the oldest key, so that a new one changes nothing; and with a key that is made from it for this alone.
std::string SecretKeys::digest(std::string_view text) const {
  constexpr std::string_view purpose = "annals digest v1";
  std::array<unsigned char, 32> own{};
  std::string digest(own.size(), '\0');
  const Key& oldest = keys_.back();
  unsigned int count = 0;
  const bool good = HMAC(EVP_sha256(), oldest.bytes.data(), static_cast<int>(oldest.bytes.size()), bytes_of(purpose),
                         purpose.size(), own.data(), &count) != nullptr &&
                    HMAC(EVP_sha256(), own.data(), static_cast<int>(own.size()), bytes_of(text), text.size(),
                         reinterpret_cast<unsigned char*>(digest.data()), &count) != nullptr;
  OPENSSL_cleanse(own.data(), own.size());
  INVARIANT(good && count == digest.size(), "HMAC with SHA-256 is always there");
  return digest;
}

}  // namespace annals::engine
