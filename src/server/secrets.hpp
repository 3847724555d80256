#pragma once
// The keys of secret fields, from the file that the settings name.

#include "base/result.hpp"
#include "platform/clock.hpp"
#include "server/settings.hpp"

namespace annals::server {

/// The settings whose models have the keys for their secret fields, which `random` outlives. The file is read when one
/// is named. Errors: usage, when a model has secret fields and no file is named, when the file cannot be read, others
/// may read it, or it is none of keys.
[[nodiscard]] Result<Settings> with_secret_keys(Settings settings, platform::Random& random);

}  // namespace annals::server
