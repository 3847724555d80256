#pragma once
// Differences as JSON: what a record was and what it is. Pure functions.

#include <string>
#include <string_view>

#include "http/request.hpp"
#include "http/routes/call.hpp"
#include "http/routes/query_parameters.hpp"
#include "model/decider.hpp"

namespace annals::http {

/// Appends `{"name":...,"change":"changed","from":{"version":1,"value":...,"updated_at":...},"to":...}`; `from` and
/// `to` are null where the record did not exist.
void append_difference(std::string& out, std::string_view key, const model::Record& from, const model::Record& to);

/// The list of a model as differences, for a request with `diff_from`.
void list_differences(const Request& request, const QueryParameters& parameters, Call call);

}  // namespace annals::http
