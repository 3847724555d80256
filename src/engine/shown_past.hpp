#pragma once
// What of the past of a model's records is shown. With `versioned = N` the newest N versions of each are; with
// `retention` what was less than so long ago: events that are not older, and what a record was at a moment that is not.
// The present always is, and the log has everything.
//
// All of it is found without folding. Functions without state; thread-safe.

#include <string_view>

#include "engine/fold.hpp"

namespace annals::engine {

/// The first version of a record whose event a history shows; 1 when none is held back. Errors: those of
/// EventStore::version_at.
[[nodiscard]] Result<StreamVersion> first_in_history(const Past& past, std::string_view key, Instant now);

/// The same of its audit, which `versioned` does not shorten: else whoever changes a record often enough would push
/// what was done before out of it.
[[nodiscard]] Result<StreamVersion> first_in_audit(const Past& past, std::string_view key, Instant now);

/// Whether moments like this are shown, whatever the record. Errors: not_found ("past_not_shown").
[[nodiscard]] Result<> check_time(const model::Model& model, Instant time, Instant now);

/// As far as it can be told from the question: a version must be shown, a time must be one of which something is.
/// Errors: not_found ("past_not_shown"); those of EventStore::version_at.
[[nodiscard]] Result<> check_asked(const Past& past, std::string_view key, const When& when, Instant now);

/// Whether a version is among the newest N. Errors: as check_asked.
[[nodiscard]] Result<> check_version(const Past& past, std::string_view key, StreamVersion version);

}  // namespace annals::engine
