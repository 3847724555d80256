#pragma once
// THE WAIST to the operating system: time, chance, files, threads and timers come only from here.
//
// `Platform` is what a component needs of the world, handed down by server/wiring. The posix one is made by
// `posix_platform()`; the simulated twin in platform/simulated.hpp has a clock that tests move, dice with a seed, and a
// file system that loses power.

#include "base/log_record.hpp"
#include "platform/clock.hpp"
#include "platform/executor.hpp"
#include "platform/file_system.hpp"

namespace annals::platform {

/// References to the world, valid as long as what made them. Copied freely.
struct Platform {
  Clock& clock;
  Random& random;
  FileSystem& files;
  Logger& log;
};

/// The files of the machine.
[[nodiscard]] FileSystem& posix_files();

}  // namespace annals::platform
