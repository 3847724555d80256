// Writes and flushes that fail while the machine goes on: nothing is acknowledged that might not be there, reads go on,
// and opening again brings everything back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fault/workload.hpp"

namespace annals::fault {
namespace {

using testing::HasSubstr;
using Fault = platform::SimulatedFileSystem::Fault;
using Survival = platform::SimulatedFileSystem::Survival;

constexpr std::uint64_t failure_seed = 41;

std::uint64_t steps_of(const Workload& workload) {
  log::TestWorld world(failure_seed);
  Session session(world);
  EXPECT_EQ(session.run(workload, 0), workload.groups.size());
  session.close();
  return world.files.steps();
}

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::fail_cleanly: return "fails";
    case Fault::disk_full: return "finds the disk full";
    case Fault::fail_dirty: return "fails and lies";
    case Fault::short_write: return "is cut short";
    case Fault::power_loss: return "loses power";
  }
  return "";
}

/// What a reader of the store sees is exactly what was acknowledged.
void expect_exactly(const EventStore& store, const Workload& workload, std::size_t groups) {
  const auto content = read_everything(store);
  ASSERT_TRUE(content);
  EXPECT_EQ(groups_in(*content, workload), groups);
}

TEST(Failure, of_any_step_is_followed_by_no_success_and_by_reads_as_before_and_opening_again_works) {
  const Workload workload = make_workload(failure_seed, 120);
  const std::uint64_t steps = steps_of(workload);
  std::size_t failed = 0;
  for (const Fault fault : {Fault::fail_cleanly, Fault::disk_full, Fault::short_write, Fault::fail_dirty}) {
    for (const std::uint64_t step : sampled(1, steps + 1)) {
      SCOPED_TRACE("step " + std::to_string(step) + " " + name_of(fault));
      log::TestWorld world(failure_seed);
      world.files.fault_at(step, fault);
      std::size_t acknowledged = 0;
      {
        Session session(world);
        if (session.is_open()) {
          acknowledged = session.run(workload, 0);
          expect_exactly(session.store(), workload, acknowledged);
          if (session.failed()) {
            ++failed;
            EXPECT_FALSE(session.store().status().reason.empty());
          } else {
            EXPECT_EQ(acknowledged, workload.groups.size());
          }
        }
      }
      expect_recovery(world, workload, acknowledged);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(failed * stride(), 4 * 100u) << "hardly any fault was met; the test tests nothing";
}

TEST(Failure, of_a_flush_that_lies_is_survived_by_all_that_was_acknowledged_before_and_after_a_restart) {
  const Workload workload = make_workload(failure_seed, 90);
  const std::uint64_t steps = steps_of(workload);
  for (const std::uint64_t step : sampled(1, steps + 1)) {
    for (const Survival survival : {Survival::nothing, Survival::some_sectors}) {
      SCOPED_TRACE("the flush at step " + std::to_string(step) + " fails and lies");
      log::TestWorld world(failure_seed);
      world.files.fault_at(step, Fault::fail_dirty);
      std::size_t groups = 0;
      {
        Session session(world);
        if (session.is_open()) groups = session.run(workload, 0);
      }
      world.files.kill_process();
      {
        // The next process may well find what the failed flush wrote. Whatever it shows, it must have made durable.
        Session session(world);
        ASSERT_TRUE(session.is_open()) << session.open_error().message;
        const auto content = read_everything(session.store());
        ASSERT_TRUE(content);
        const auto found = groups_in(*content, workload);
        ASSERT_TRUE(found);
        EXPECT_GE(*found, groups);
        groups = session.run(workload, *found, step % 3);
        EXPECT_FALSE(session.failed());
        platform::SimulatedRandom dice(step);
        world.files.crash(survival, dice);
      }
      expect_recovery(world, workload, groups);
      if (HasFailure()) return;
    }
  }
}

TEST(Failure, of_the_recovery_that_lies_is_made_good_by_the_next_one) {
  const Workload workload = make_workload(failure_seed, 25);
  for (std::uint64_t groups_before = 1; groups_before < workload.appends.size(); groups_before += 3) {
    for (std::uint64_t step = 1;; ++step) {
      SCOPED_TRACE("killed after " + std::to_string(groups_before) + " calls; step " + std::to_string(step) +
                   " of the recovery fails and lies");
      log::TestWorld world(failure_seed);
      std::size_t groups = 0;
      {
        Session session(world);
        groups = session.run(workload, 0, groups_before - 1);
        // The last append's flush fails and lies: what it wrote is in the cache only.
        world.files.fault_at(world.files.steps() + 2, Fault::fail_dirty);
        groups = session.run(workload, groups, 1);
      }
      world.files.kill_process();
      const std::uint64_t lie_at = world.files.steps() + step;
      world.files.fault_at(lie_at, Fault::fail_dirty);
      {
        const Session session(world);
      }
      if (world.files.steps() < lie_at) break;
      world.files.kill_process();
      {
        Session session(world);
        ASSERT_TRUE(session.is_open()) << session.open_error().message;
        const auto content = read_everything(session.store());
        ASSERT_TRUE(content);
        groups = groups_in(*content, workload).value();
        groups = session.run(workload, groups, 2);
        platform::SimulatedRandom dice(step);
        world.files.crash(Survival::nothing, dice);
      }
      expect_recovery(world, workload, groups);
      if (HasFailure()) return;
    }
  }
}

TEST(Failure, of_the_mark_of_a_clean_stop_that_lies_loses_nothing_that_is_recorded_after_it) {
  const Workload workload = make_workload(failure_seed, 20);
  for (std::uint64_t calls = 1; calls < 19; ++calls) {
    log::TestWorld world(failure_seed);
    std::size_t groups = 0;
    {
      Session session(world);
      groups = session.run(workload, 0, calls);
      world.files.fault_at(world.files.steps() + 2, Fault::fail_dirty);  // the flush behind the mark
    }
    world.files.kill_process();
    {
      Session session(world);
      ASSERT_TRUE(session.is_open());
      groups = session.run(workload, groups, 1);
      platform::SimulatedRandom dice(calls);
      world.files.crash(Survival::nothing, dice);
    }
    expect_recovery(world, workload, groups);
    if (HasFailure()) return;
  }
}

/// A group of one record whose frame takes `frame_bytes` bytes, a multiple of 8.
void stage(log::TestWorld& world, log::Batch& batch, std::size_t frame_bytes) {
  batch.begin_group(world.clock.now());
  batch.begin_record().append(frame_bytes - 96, 'x');
  batch.end_record();
  ASSERT_TRUE(batch.end_group());
}

TEST(Failure, leaves_no_group_of_a_torn_flush_to_come_up_behind_a_later_one) {
  // Of a flush of two groups the second got to the disk and the first did not. Later a group is recorded that ends
  // exactly where the second one begins, which then must not be there any more: neither when recovery went well, nor
  // when the flush of its zeros failed and the cache lied about them.
  constexpr std::size_t first_bytes = 960;  // so that the second group has its sectors to itself
  for (const bool zeros_are_a_lie : {false, true}) {
    SCOPED_TRACE(zeros_are_a_lie);
    log::TestWorld world(failure_seed);
    const std::string segment = "data/log/00000000000000000001.segment";
    const auto open = [&] {
      return log::open_log({.directory = "data", .segment_bytes = segment_bytes}, world.platform(), world.background,
                           {});
    };
    log::Place first;
    {
      const auto log = open();
      ASSERT_TRUE(log);
      log::Batch& batch = (*log)->start_batch();
      stage(world, batch, first_bytes);
      stage(world, batch, 1024);
      ASSERT_TRUE((*log)->commit(batch));
      first = batch.groups().front().place;
      ASSERT_EQ(batch.groups().back().place.offset % 512, 0u);
      world.files.kill_process();
    }
    world.files.damage(segment,
                       [&](std::string& bytes) { std::fill_n(bytes.begin() + first.offset, first_bytes, '\0'); });
    if (zeros_are_a_lie) {
      // The steps of the recovery: flush the directory, rewrite, flush, zero, and the flush that fails.
      world.files.fault_at(world.files.steps() + 5, Fault::fail_dirty);
      ASSERT_FALSE(open());
      world.files.kill_process();
    }
    {
      const auto log = open();
      ASSERT_TRUE(log) << log.error().message;
      log::Batch& batch = (*log)->start_batch();
      stage(world, batch, first_bytes - 64);  // the mark of the opening takes the rest
      ASSERT_TRUE((*log)->commit(batch));
      ASSERT_EQ(batch.groups().front().place.offset, first.offset + 64);
      platform::SimulatedRandom dice(1);
      world.files.crash(Survival::nothing, dice);
    }
    const auto log = open();
    ASSERT_TRUE(log) << log.error().message;
    EXPECT_EQ((*log)->last(), Position{1});
  }
}

TEST(Failure, a_full_disk_refuses_what_does_not_fit_and_nothing_is_lost_when_there_is_room_again) {
  const Workload workload = make_workload(failure_seed, 120);
  bool frees_room_under_it = false;
  for (std::uint64_t capacity = 3 * segment_bytes / 2; capacity < 5 * segment_bytes; capacity += 10'000) {
    SCOPED_TRACE("capacity " + std::to_string(capacity));
    frees_room_under_it = !frees_room_under_it;
    log::TestWorld world(failure_seed);
    world.files.set_capacity(capacity);
    std::size_t acknowledged = 0;
    {
      Session session(world);
      ASSERT_TRUE(session.is_open()) << session.open_error().message;
      acknowledged = session.run(workload, 0);
      ASSERT_TRUE(session.out_of_room());
      EXPECT_FALSE(session.failed()) << "nothing is in doubt";
      EXPECT_GT(acknowledged, 0u);
      expect_exactly(session.store(), workload, acknowledged);
      if (frees_room_under_it) {
        world.files.set_capacity(std::nullopt);
        acknowledged = session.run(workload, acknowledged);
        EXPECT_EQ(acknowledged, workload.groups.size());
        EXPECT_FALSE(session.failed() || session.out_of_room());
      }
    }
    world.files.set_capacity(std::nullopt);
    expect_recovery(world, workload, acknowledged);
    if (HasFailure()) return;
  }
}

TEST(Failure, of_a_flush_in_the_background_refuses_every_later_append) {
  const Workload workload = make_workload(failure_seed, 20);
  log::TestWorld world(failure_seed);
  Session session(world, store::Sync::periodic);
  std::size_t groups = session.run(workload, 0, 5);
  world.files.fault_at(world.files.steps() + 1, Fault::fail_dirty);
  ASSERT_TRUE(world.background.run_next_timer());
  EXPECT_FALSE(session.store().status().writable);
  EXPECT_EQ(session.store().status().last_flush_ok, false);
  EXPECT_THAT(session.store().status().reason, HasSubstr("restarted"));
  bool refused = false;
  session.store().append(workload.appends[5], [&](std::vector<AppendResult> results) {
    refused = !results.front() && results.front().error().kind == ErrorKind::unavailable;
  });
  EXPECT_TRUE(refused);
  expect_exactly(session.store(), workload, groups);
}

}  // namespace
}  // namespace annals::fault
