#include "engine/shown_past.hpp"

#include <algorithm>

namespace annals::engine {
namespace {

/// Before what moment nothing is shown.
Instant begin_of(const model::Model& model, Instant now) {
  return Instant{now.microseconds - model.retention.count()};
}

std::unexpected<Error> not_shown(const std::string& why) {
  return fail(ErrorKind::not_found, "past_not_shown", why);
}

std::unexpected<Error> older(const model::Model& model, std::string what) {
  return not_shown(std::move(what) + " of a " + model.name + " lies more than " + to_text(model.retention) +
                   " back (retention), and is not shown");
}

/// The first of the newest N versions.
Result<StreamVersion> first_of_newest(const Past& past, std::string_view key) {
  const std::uint64_t shown = past.model.versioned;
  if (shown == 0) return StreamVersion{1};
  const StreamVersion last = TRY(past.store.stream_version(past.model.stream(key)));
  return StreamVersion{last.value > shown ? last.value - shown + 1 : 1};
}

}  // namespace

Result<StreamVersion> first_in_audit(const Past& past, std::string_view key, Instant now) {
  if (past.model.retention.count() == 0) return StreamVersion{1};
  // The last event that is older, if there is one.
  const Instant before{begin_of(past.model, now).microseconds - 1};
  return TRY(past.store.version_at(past.model.stream(key), before)).next();
}

Result<StreamVersion> first_in_history(const Past& past, std::string_view key, Instant now) {
  return std::max(TRY(first_in_audit(past, key, now)), TRY(first_of_newest(past, key)));
}

Result<> check_time(const model::Model& model, Instant time, Instant now) {
  if (model.retention.count() == 0 || time >= begin_of(model, now)) return {};
  return older(model, "this moment");
}

Result<> check_version(const Past& past, std::string_view key, StreamVersion version) {
  const StreamVersion first = TRY(first_of_newest(past, key));
  if (version >= first || first.value == 1) return {};
  return not_shown("of a " + past.model.name + " the newest " + std::to_string(past.model.versioned) +
                   " versions are shown (versioned); of \"" + std::string(key) + "\" they begin with version " +
                   to_string(first));
}

Result<> check_asked(const Past& past, std::string_view key, const When& when, Instant now) {
  if (const auto* time = std::get_if<Instant>(&when)) return check_time(past.model, *time, now);
  const StreamVersion version = std::get<StreamVersion>(when);
  TRY(check_version(past, key, version));
  if (past.model.retention.count() == 0) return {};
  // What the record was as the time began that is shown, is shown.
  const StreamVersion first = TRY(past.store.version_at(past.model.stream(key), begin_of(past.model, now)));
  if (version >= first) return {};
  return older(past.model, "version " + to_string(version));
}

}  // namespace annals::engine
