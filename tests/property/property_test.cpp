// Random models, and random requests to a server that serves them, compared with a reference that keeps everything in
// maps and replays it from nothing. Each run has a seed, from which all of it follows: what disagrees is told with the
// seed, and ANNALS_PROPERTY_SEED=<seed> plays that run again. ANNALS_PROPERTY_RUNS says how many there are.

#include <gtest/gtest.h>

#include <cstdlib>

#include "platform/clock.hpp"
#include "tests/property/player.hpp"

namespace annals::property {
namespace {

constexpr std::uint64_t runs = 90;
constexpr std::size_t requests_a_run = 200;

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(property, any_requests_to_any_models_are_answered_as_a_replay_of_all_events_says) {
  const bool is_one = std::getenv("ANNALS_PROPERTY_SEED") != nullptr;
  const std::uint64_t first = number_in("ANNALS_PROPERTY_SEED", platform::system_random().next());
  const std::uint64_t count = is_one ? 1 : number_in("ANNALS_PROPERTY_RUNS", runs);
  for (std::uint64_t number = 0; number < count; ++number) {
    const std::uint64_t seed = first + number;
    Player player(seed);
    player.play(requests_a_run);
    ASSERT_TRUE(player.disagreement().empty()) << player.disagreement() << "\nAgain with ANNALS_PROPERTY_SEED=" << seed;
  }
}

}  // namespace
}  // namespace annals::property
