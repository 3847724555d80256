#pragma once
// What opening does to a directory before anything is served: makes a new log, or makes sure that what was found is
// durable and that nothing stands behind it. Confined to one thread.

#include <memory>

#include "log/log.hpp"
#include "log/segment/scan.hpp"
#include "platform/platform.hpp"

namespace annals::log {

/// Makes the first segment and then the identity of a new store. Done again from the beginning when it was cut short.
/// Errors: input_output.
[[nodiscard]] Result<> create_log(const LogOptions& options, platform::Platform platform);

/// Makes what `scanned` found valid durable, and all behind it zeros that are durable too. `last_was_durable`: the name
/// of the last segment is known to be on the disk. The last segment's file, for going on. Errors: input_output.
[[nodiscard]] Result<std::unique_ptr<platform::File>> repair(const ScannedLog& scanned, const std::string& directory,
                                                             platform::Platform platform, bool last_was_durable);

}  // namespace annals::log
