#include "server/secrets.hpp"

#include <openssl/crypto.h>

#include "engine/secret_keys.hpp"
#include "platform/private_file.hpp"

namespace annals::server {
namespace {

constexpr std::string_view setting = "secrets.key_file";
constexpr std::uint64_t file_bytes_max = 64u << 10;
constexpr std::string_view how_to_make =
    "(umask 077; echo \"k1 $(openssl rand -base64 32)\" > annals.keys) makes one; keep a copy of it apart from the "
    "data, "
    "which cannot be read without it";

/// "user.pin, user.token"; empty when no model has secret fields.
std::string secret_fields(const Settings& settings) {
  std::string names;
  for (const model::Model& model : settings.models()) {
    for (const model::Field& field : model.fields) {
      if (field.secret) names.append(names.empty() ? "" : ", ").append(model.name).append(1, '.').append(field.name);
    }
  }
  return names;
}

}  // namespace

Result<Settings> with_secret_keys(Settings settings, platform::Random& random) {
  const std::string& path = settings.text(setting);
  if (path.empty()) {
    const std::string secrets = secret_fields(settings);
    if (secrets.empty()) return settings;
    return fail(ErrorKind::usage, "there is no key to encrypt the secret fields " + secrets +
                                      " with; name a file of keys as " + std::string(setting) + "; " +
                                      std::string(how_to_make));
  }
  const std::string where = settings.value(setting).source + ": " + std::string(setting) + ": ";
  auto text = platform::read_private_file(path, file_bytes_max);
  if (!text) return fail(ErrorKind::usage, where + text.error().message);
  auto keys = engine::SecretKeys::read(*text, path, random);
  OPENSSL_cleanse(text->data(), text->size());
  if (!keys) return fail(ErrorKind::usage, where + keys.error().message);
  settings.give_cipher(*keys);
  return settings;
}

}  // namespace annals::server
