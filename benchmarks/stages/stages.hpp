#pragma once
// What each step of a POST costs that creates a record: the same functions that the server calls, one after another,
// each for a batch of records before the next is called, in one thread. What a step gives is what the next one takes,
// and the store and the table grow as they would; so these are the costs of warm code on data that is in the caches
// as far as a batch leaves it there, and their sum is less than what a server pays.
//
// Then the whole of it, and of a GET and of a page, through the API without sockets; and what the audit log costs on
// its own thread. Confined to one thread.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace annals::benchmarks {

inline constexpr std::size_t stages_batch = 64;  ///< records of a batch: what 64 connections bring at once

struct StagesOptions {
  std::string declaration;  ///< a file that declares the model of records.hpp, and no other
  std::string directory;    ///< where there are no stores yet
  std::uint64_t records = 100'000;
  std::size_t name_bytes = 64;
  std::size_t batches = 500;
};

/// Nanoseconds of one record.
struct Stage {
  enum class Kind : std::uint8_t {
    step,   ///< of a POST: together they are all of it
    part,   ///< of the step before
    aside,  ///< measured in another way, or no step of a POST
  };
  std::string name;
  Kind kind = Kind::step;
  double median = 0;
  double least = 0;  ///< of the quickest batch
};

/// In the order of the path. Errors: usage, for the declaration; those of the store; internal, when a step does not
/// give what it should.
[[nodiscard]] Result<std::vector<Stage>> measure_stages(const StagesOptions& options);

}  // namespace annals::benchmarks
