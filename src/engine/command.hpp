#pragma once
// What the command path takes and gives. Values.

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/number.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "event/event_store.hpp"
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
  Digest key;                       ///< of the identity and its Idempotency-Key
  Digest request;                   ///< of method, target and body; with a key where models have secret fields
  std::optional<Digest> unkeyed{};  ///< of the same without the key, as it was remembered before there were such fields
};

/// What is to be done to one key.
struct KeyCommand {
  std::size_t model = 0;  ///< its place in the engine's list of models
  model::Command command;
  bool key_was_made = false;  ///< for this request alone: who sends it again makes another one
};

/// Commands that follow from the state of the store up to a position.
struct Plan {
  std::vector<KeyCommand> commands;
  Position reflects;
};

struct WriteRequest {
  std::size_t model = 0;  ///< its place in the engine's list of models
  model::Command command;
  /// When there are any, they take the place of `model` and `command`: decided one after another, each on what those
  /// before it leave, and recorded as one group; one that is refused refuses all.
  std::vector<KeyCommand> several;
  /// When set, it makes `several` out of the state, on the writer's thread, while nothing is under way; nothing else is
  /// recorded between what it reflects and what it leads to. No commands are a success that records nothing, but for
  /// the idempotency key when there is one. It is called again when the command has to be decided again.
  std::function<Result<Plan>()> plan;
  /// When set, each of `several` is told of (Receipt::told), and this makes of the refusal of one of them, by its place
  /// from 0, what the client is told. Called on the writer's thread.
  std::function<Error(std::size_t place, Error error)> refusal_of;
  bool dry_run =
      false;  ///< it is decided and not recorded; the receipt tells what would have been. Without idempotency
  std::optional<Idempotency> idempotency;
  std::string actor;  ///< who asks: "anonymous"
  Uuid correlation_id;
  std::optional<Uuid> causation_id;
  bool alone = false;  ///< nobody else waits for the thread that brings it, so it may be recorded there
};

/// What a request for several keys did.
struct Tally {
  std::uint32_t set = 0;
  std::uint32_t removed = 0;
  std::uint32_t events = 0;

  bool operator==(const Tally&) const = default;
};

/// What one command left of its key.
struct KeyReceipt {
  StreamVersion version;
  SharedText value;  ///< as model::Record has it; null when it was removed
};

/// What is told of a request beside its receipt.
struct Told {
  std::vector<KeyReceipt> each;       ///< of several commands, with WriteRequest::refusal_of
  std::vector<StreamAppend> drafted;  ///< of a dry run: what would have been recorded, each at an exact version
};

/// What a success tells. Kept for idempotency keys; never holds a body.
struct Receipt {
  StreamVersion version;  ///< of the first key
  Position position;
  bool replayed = false;               ///< the answer to an earlier request with the same idempotency key
  Tally tally = {};                    ///< of a request for several keys
  SharedText value{};                  ///< the record as the request left it; null in a replayed receipt
  std::shared_ptr<const Told> told{};  ///< shared by copies; null where there is no more to tell, and in a replayed one
  std::optional<Durability> durability{};  ///< of what it tells; the writer says it with every success
};

using WriteDone = std::move_only_function<void(Result<Receipt>)>;

}  // namespace annals::engine
