#pragma once
// A simulated world for tests: everything that a component asks of its platform, held still and in the test's hands.
// Confined to the test's thread.

#include "platform/simulated.hpp"

namespace annals::log {

struct TestWorld {
  explicit TestWorld(std::uint64_t seed = 1) : random(seed) {}

  [[nodiscard]] platform::Platform platform() { return {clock, random, files, log}; }

  platform::SimulatedClock clock;
  platform::SimulatedRandom random;
  platform::SimulatedFileSystem files;
  platform::CollectingLogger log;
  platform::SteppedExecutor background{clock};
};

}  // namespace annals::log
