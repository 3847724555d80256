// Power is lost at every step of a run, and at every step of the recovery from that.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fault/workload.hpp"

namespace annals::fault {
namespace {

using Fault = platform::SimulatedFileSystem::Fault;
using Survival = platform::SimulatedFileSystem::Survival;

/// What the disk makes of what was not flushed when the power went.
struct Loss {
  Survival survival;
  std::uint64_t seed;
};
constexpr Loss losses[] = {{Survival::nothing, 1},      {Survival::everything, 1},   {Survival::some_sectors, 1},
                           {Survival::some_sectors, 2}, {Survival::some_sectors, 3}, {Survival::a_prefix, 1},
                           {Survival::a_prefix, 2}};

const char* name_of(Survival survival) {
  switch (survival) {
    case Survival::nothing: return "nothing survives";
    case Survival::everything: return "everything survives";
    case Survival::some_sectors: return "some sectors survive";
    case Survival::a_prefix: return "a prefix survives";
  }
  return "";
}

std::string describe(std::uint64_t workload_seed, std::uint64_t step, Loss loss) {
  return "workload seed " + std::to_string(workload_seed) + ", power lost at step " + std::to_string(step) + ", " +
         name_of(loss.survival) + ", dice seed " + std::to_string(loss.seed);
}

/// The steps that a run takes when nothing happens.
std::uint64_t steps_of(const Workload& workload, std::uint64_t seed, store::Sync sync) {
  log::TestWorld world(seed);
  Session session(world, sync);
  EXPECT_EQ(session.run(workload, 0), workload.groups.size());
  session.close();
  return world.files.steps();
}

/// Runs the workload until the power goes at `step`; the number of groups that were acknowledged.
std::size_t run_until_power_loss(log::TestWorld& world, const Workload& workload, std::uint64_t step, Loss loss,
                                 store::Sync sync = store::Sync::group) {
  world.files.fault_at(step, Fault::power_loss);
  std::size_t acknowledged = 0;
  {
    Session session(world, sync);
    if (session.is_open()) acknowledged = session.run(workload, 0);
  }
  platform::SimulatedRandom dice(loss.seed * 1'000'003 + step);
  world.files.crash(loss.survival, dice);
  return acknowledged;
}

/// One test for each way of losing what was not flushed, so that they can run side by side.
class CrashAtAnyStep : public testing::TestWithParam<Loss> {};

INSTANTIATE_TEST_SUITE_P(every_loss, CrashAtAnyStep, testing::ValuesIn(losses), [](const auto& with) {
  std::string name = name_of(with.param.survival);
  std::replace(name.begin(), name.end(), ' ', '_');
  return name + "_" + std::to_string(with.param.seed);
});

TEST_P(CrashAtAnyStep, loses_no_acknowledged_group_and_leaves_no_half_one) {
  constexpr std::uint64_t seed = 20'260'212;
  const Workload workload = make_workload(seed, 140);
  const std::uint64_t steps = steps_of(workload, seed, store::Sync::group);
  ASSERT_GT(steps, 300u);
  for (const std::uint64_t step : sampled(1, steps + 1)) {
    const Loss loss = GetParam();
    SCOPED_TRACE(describe(seed, step, loss));
    log::TestWorld world(seed);
    const std::size_t acknowledged = run_until_power_loss(world, workload, step, loss);
    expect_recovery(world, workload, acknowledged);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Crash, during_recovery_at_any_step_loses_nothing_either) {
  constexpr std::uint64_t seed = 77;
  const Workload workload = make_workload(seed, 40);
  const std::uint64_t steps = steps_of(workload, seed, store::Sync::group);
  for (const std::uint64_t step : sampled(1, steps + 1)) {
    for (const Loss first : {losses[1], losses[2], losses[5]}) {
      for (std::uint64_t second_step = 1;; ++second_step) {
        const Loss second = losses[(step + second_step) % std::size(losses)];
        SCOPED_TRACE(describe(seed, step, first) + "; then recovery: " + describe(seed, second_step, second));
        log::TestWorld world(seed);
        const std::size_t acknowledged = run_until_power_loss(world, workload, step, first);
        const std::uint64_t lost_at = world.files.steps() + second_step;
        world.files.fault_at(lost_at, Fault::power_loss);
        {
          const Session session(world);
        }
        if (world.files.steps() < lost_at) break;  // opened and closed again, and the power is still there
        platform::SimulatedRandom dice(second.seed * 7919 + step * 131 + second_step);
        world.files.crash(second.survival, dice);
        expect_recovery(world, workload, acknowledged);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST_P(CrashAtAnyStep, of_a_store_that_is_flushed_now_and_then_loses_no_flushed_event_and_leaves_no_half_group) {
  constexpr std::uint64_t seed = 5;
  const Workload workload = make_workload(seed, 80);
  const std::uint64_t steps = steps_of(workload, seed, store::Sync::periodic);
  for (const std::uint64_t step : sampled(1, steps + 1)) {
    const Loss loss = GetParam();
    SCOPED_TRACE(describe(seed, step, loss));
    log::TestWorld world(seed);
    world.files.fault_at(step, Fault::power_loss);
    Position flushed;
    std::size_t visible = 0;
    {
      Session session(world, store::Sync::periodic);
      if (session.is_open()) {
        auto watch = session.store().watch([&](Position position) { flushed = position; });
        for (std::size_t call = 0; call < workload.appends.size() && !session.failed(); ++call) {
          visible = session.run(workload, visible, 1);
          if (call % 4 == 3) world.background.run_next_timer();
          EXPECT_EQ(session.store().status().flushed, flushed);
          EXPECT_GE(session.store().status().visible, flushed);
        }
      }
    }
    platform::SimulatedRandom dice(loss.seed * 1'000'003 + step);
    world.files.crash(loss.survival, dice);
    std::size_t groups_flushed = 0;
    for (std::uint64_t events = 0; events < flushed.value; ++groups_flushed)
      events += workload.groups[groups_flushed].size();
    expect_recovery(world, workload, groups_flushed);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Crash, a_cursor_into_a_lost_tail_is_gone_and_all_others_stand) {
  const Workload workload = make_workload(3, 30);
  log::TestWorld world;
  std::vector<Cursor> cursors;
  Position survived;
  {
    Session session(world, store::Sync::memory);
    std::size_t groups = session.run(workload, 0, 10);
    ASSERT_TRUE(world.background.run_next_timer());
    groups = session.run(workload, groups, 10);
    survived = session.store().status().flushed;
    ASSERT_GT(survived.value, 0u);
    ASSERT_GT(session.store().status().visible, survived);
    for (std::uint64_t position = 0; position <= session.store().status().visible.value; ++position) {
      cursors.push_back(session.store().cursor(Position{position}));
      EXPECT_EQ(session.store().resolve(cursors.back()), Position{position});
    }
    platform::SimulatedRandom dice(1);
    world.files.crash(Survival::nothing, dice);
  }
  Session session(world);
  ASSERT_TRUE(session.is_open());
  ASSERT_EQ(session.store().status().visible, survived);
  std::size_t lost = 0;
  for (std::uint64_t position = 0; position < cursors.size(); ++position) {
    const auto resolved = session.store().resolve(cursors[position]);
    if (position <= survived.value) {
      EXPECT_EQ(resolved, Position{position});
    } else {
      ASSERT_FALSE(resolved);
      EXPECT_EQ(resolved.error().kind, ErrorKind::gone);
      EXPECT_EQ(resolved.error().code, "cursor_gone");
      ++lost;
    }
  }
  EXPECT_GT(lost, 0u);
  const auto foreign = session.store().resolve(Cursor{12345, Position{1}});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().kind, ErrorKind::gone);
}

}  // namespace
}  // namespace annals::fault
