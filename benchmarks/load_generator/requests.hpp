#pragma once
// Requests: what a worker sends, and what it should get for it. Keys are numbers; what lies under one is told by the
// key and the sequence of the last write alone, so that a worker need remember one number a key to know, to the byte,
// what the server must hold.
//
// Confined to one thread. What the functions give is borrowed until the next call of any of them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "benchmarks/load_generator/options.hpp"
#include "benchmarks/load_generator/workload.hpp"

namespace annals::benchmarks {

class Requests {
 public:
  virtual ~Requests() = default;

  /// One request that writes the keys from `key` on, `count` of them (more than one: Options::created_at_once).
  [[nodiscard]] virtual std::string_view write(std::uint64_t key, std::size_t count, std::uint64_t sequence) = 0;
  [[nodiscard]] virtual std::string_view get(std::uint64_t key) = 0;

  /// Whether the body of a reply of success tells what this write did.
  [[nodiscard]] virtual bool confirms(std::string_view body, std::uint64_t key, std::size_t count,
                                      std::uint64_t sequence) = 0;
  /// The sequence in what a GET of the key gave; nullopt when no write made that.
  [[nodiscard]] virtual std::optional<std::uint64_t> sequence_in(std::string_view body, std::uint64_t key) = 0;
  /// What a GET of the key must give.
  [[nodiscard]] virtual std::string body(std::uint64_t key, std::uint64_t sequence) const = 0;
};

/// As the options ask; `values` outlives them.
[[nodiscard]] std::unique_ptr<Requests> make_requests(const Options& options, const ValueMaker& values);

}  // namespace annals::benchmarks
