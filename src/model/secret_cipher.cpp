#include "model/secret_cipher.hpp"

#include <algorithm>

#include "base/base64url.hpp"

namespace annals::model {
namespace {

constexpr std::string_view version = "v1.";
constexpr std::size_t key_id_bytes_max = 32;
constexpr std::size_t bytes_min = 12 + 16;

}  // namespace

bool is_key_id(std::string_view text) {
  const auto known = [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_';
  };
  return !text.empty() && text.size() <= key_id_bytes_max && std::ranges::all_of(text, known);
}

std::string write_sealed(std::string_view key_id, std::string_view bytes) {
  std::string text(version);
  text.append(key_id).append(1, '.').append(to_base64url(bytes));
  return text;
}

std::optional<SealedText> read_sealed(std::string_view text) {
  if (!text.starts_with(version)) return std::nullopt;
  text.remove_prefix(version.size());
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || !is_key_id(text.substr(0, dot))) return std::nullopt;
  auto bytes = from_base64url(text.substr(dot + 1));
  if (!bytes || bytes->size() < bytes_min) return std::nullopt;
  return SealedText{text.substr(0, dot), *std::move(bytes)};
}

}  // namespace annals::model
