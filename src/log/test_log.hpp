#pragma once
// For tests: a log of small segments in a simulated world, and what is put into it and read from it.
// Confined to the test's thread.

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "log/log.hpp"
#include "log/test_world.hpp"

namespace annals::log {

inline std::unique_ptr<Log> must_open(TestWorld& world, const OnGroup& on_group = {}) {
  auto log = open_log({.directory = "data", .segment_bytes = segment_bytes_min, .node_id = 7}, world.platform(),
                      world.background, on_group);
  if (!log) throw std::runtime_error(log.error().message);
  return *std::move(log);
}

/// Why a log is not opened.
inline Error must_fail(TestWorld& world) {
  auto log =
      open_log({.directory = "data", .segment_bytes = segment_bytes_min}, world.platform(), world.background, {});
  return log ? Error(ErrorKind::internal, "the log was opened") : log.error();
}

inline Result<Batch::Stamp> stage(TestWorld& world, Batch& batch, const std::vector<std::string>& bodies) {
  batch.begin_group(world.clock.now());
  for (const std::string& body : bodies) {
    batch.begin_record().append(body);
    batch.end_record();
  }
  return batch.end_group();
}

inline Result<Place> append(TestWorld& world, Log& log, const std::vector<std::string>& bodies) {
  Batch& batch = log.start_batch();
  TRY(stage(world, batch, bodies));
  TRY(log.commit(batch));
  return batch.groups().front().place;
}

[[nodiscard]] inline std::vector<std::string> bodies_of(const Log& log, Position after = {}) {
  std::vector<std::string> bodies;
  Chunks chunks;
  const auto read = log.read(after, log.last(), 0, chunks, [&](const GroupView& group) {
    auto walk = group.walk();
    while (const auto record = walk.next()) {
      if (record->position > after) bodies.emplace_back(record->body);
    }
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return bodies;
}

}  // namespace annals::log
