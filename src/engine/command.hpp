#pragma once
// What the command path takes and gives. Values.

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "base/number.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "model/decider.hpp"

namespace annals::engine {

/// The first half of a SHA-256: names a thing that may have been chosen by somebody hostile.
using Digest = std::array<std::uint8_t, 16>;
[[nodiscard]] Digest digest_of(std::initializer_list<std::string_view> parts);
[[nodiscard]] std::string to_hex(const Digest& digest);
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view text);

/// A digest is as good a hash as any; the first bytes of it do.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    std::size_t hash;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

/// What makes two requests the same for a client that tries again.
struct Idempotency {
  Digest key;      ///< of the identity and its Idempotency-Key
  Digest request;  ///< of method, target and body
};

struct WriteRequest {
  std::size_t model = 0;  ///< its place in the engine's list of models
  model::Command command;
  std::optional<Idempotency> idempotency;
  std::string actor;  ///< who asks: "anonymous"
  Uuid correlation_id;
  std::optional<Uuid> causation_id;
  bool alone = false;  ///< nobody else waits for the thread that brings it, so it may be recorded there
};

/// What a success tells. Kept for idempotency keys; never holds a body.
struct Receipt {
  StreamVersion version;
  Position position;
  bool replayed = false;  ///< the answer to an earlier request with the same idempotency key
};

using WriteDone = std::move_only_function<void(Result<Receipt>)>;

}  // namespace annals::engine
