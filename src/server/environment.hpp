#pragma once
// Variables of the environment whose names begin as those of settings do. Pure functions.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace annals::server {

/// One that begins with ANNALS_ and that nothing reads.
struct StrayVariable {
  std::string name;
  std::string meant;  ///< the variable of a setting that is called nearly so; empty when there is none
};

/// Those of `environment`, lines of NAME=value in any order, in order of names. Not what Kubernetes and Docker set
/// where a service is called annals (ANNALS_SERVICE_HOST, ANNALS_PORT=tcp://..., ANNALS_PORT_4000_TCP), which nobody
/// wrote.
[[nodiscard]] std::vector<StrayVariable> stray_variables(std::span<const std::string_view> environment);

/// What somebody is to read of it, who may look at a terminal. The value is in none of it.
[[nodiscard]] std::string warning_of(const StrayVariable& variable);

}  // namespace annals::server
