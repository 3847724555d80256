#include "store/postgres/append_plan.hpp"

#include <algorithm>
#include <array>

#include "event/group_check.hpp"

namespace annals::store {

std::string_view without_original_prefix(std::string_view type) {
  return type.starts_with(original_type_prefix) ? type.substr(original_type_prefix.size()) : type;
}

bool is_original_type(std::string_view type) {
  constexpr std::array<std::string_view, 2> types{"ConfigValueSet", "ConfigValueDeleted"};
  return std::ranges::find(types, type) != types.end();
}

// --- NamedStreams
// ------------------------------------------------------------------------------------------------------

void NamedStreams::add(const Group& group) {
  for (const StreamAppend& append : group.appends) {
    if (places_.emplace(append.stream, streams_.size()).second) streams_.push_back({.name = append.stream});
  }
}

void NamedStreams::locate(const Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Stream& stream = streams_[static_cast<std::size_t>(rows.integer(row, 0)) - 1];
    stream.id = rows.integer(row, 1);
    stream.version = StreamVersion(static_cast<std::uint64_t>(rows.integer(row, 2)));
  }
}

// --- AppendPlan
// --------------------------------------------------------------------------------------------------------

void AppendPlan::plan(const NewEvent& event, NamedStreams::Stream& stream, Instant time, std::uint32_t node_id) {
  if (!stream.is_changed) {
    stream.is_changed = true;
    stream.is_new = stream.id == 0;
    stream.first_time = time;
  }
  stream.version = stream.version.next();
  stream.last_event.reset();
  events_.push_back({&event, &stream.id, stream.version, time, node_id});
  last_time_ = time;
  head_ = head_.next();
}

AppendResult AppendPlan::add(const Group& group, Position before_call) {
  TRY(check_conditions(group, before_call));
  Appended appended{
      .first = head_.next(),
      .last = head_,
      .created_at = last_time_.microseconds == INT64_MIN ? now_ : std::max(now_, last_time_.plus(Duration{1})),
      .versions = {}};
  Instant time = appended.created_at;
  for (const StreamAppend& append : group.appends) {
    NamedStreams::Stream& stream = streams_.at(append.stream);
    for (const NewEvent& event : append.events) {
      plan(event, stream, time, node_id_);
      time = time.plus(Duration{1});
    }
    appended.versions.push_back(stream.version);
  }
  appended.last = head_;
  return appended;
}

Result<> AppendPlan::add_restored(const EventView& event, const Group& group) {
  const StreamAppend& append = group.appends.front();
  NamedStreams::Stream& stream = streams_.at(append.stream);
  const std::optional<Instant> last_time = head_.value == 0 ? std::nullopt : std::optional(last_time_);
  TRY(check_next(event, head_, stream.version, last_time));
  plan(append.events.front(), stream, event.created_at, event.node_id);
  return {};
}

namespace {

/// Versions do not go back while the database is the one that it was.
std::unexpected<Error> removed(const StreamAppend& append) {
  return fail(ErrorKind::gone, "stream_removed",
              "events of the stream " + append.stream + ", which this server has at version " +
                  to_string(append.expected.version()) +
                  ", were removed from the database for good; nothing was recorded; for what is left there, start the "
                  "server again without its checkpoints (*.table)");
}

}  // namespace

bool may_have_lost_its_end(const StreamAppend& append, const NamedStreams::Stream& stream, Position head) {
  // Who has not taken in all there is will find what comes after; that is no reason to look.
  if (append.known_at && *append.known_at < head) return false;
  return !append.expected.admits(stream.version) && stream.version > append.expected.version();
}

Result<> AppendPlan::check_conditions(const Group& group, Position before_call) {
  if (group.nothing_after && before_call > *group.nothing_after) {
    return fail(ErrorKind::conflict, "version_conflict",
                "the store is at position " + to_string(before_call) + ", and nothing was to be recorded after " +
                    to_string(*group.nothing_after));
  }
  for (const StreamAppend& append : group.appends) {
    const NamedStreams::Stream& stream = streams_.at(append.stream);
    const StreamVersion version = stream.last_event.value_or(stream.version);
    if (append.expected.admits(version)) continue;
    if (append.known_at && append.expected.version() > version) return removed(append);
    return fail(ErrorKind::conflict, "version_conflict",
                "stream " + append.stream + " is at version " + to_string(version) + ", and the append expects " +
                    append.expected.to_text());
  }
  return {};
}

std::size_t AppendPlan::new_streams() const {
  return static_cast<std::size_t>(std::ranges::count_if(streams_.all(), &NamedStreams::Stream::is_new));
}

namespace {

/// The rows of streams: those that are new, and those that have grown.
void put_streams(const NamedStreams& streams, std::vector<Call>& calls) {
  using enum ArrayParameter::Element;
  ArrayParameter new_ids(integer), new_names(text), new_versions(integer), new_times(time);
  ArrayParameter ids(integer), versions(integer);
  for (const NamedStreams::Stream& stream : streams.all()) {
    const auto version = static_cast<std::int64_t>(stream.version.value);
    if (stream.is_new) {
      new_ids.add(stream.id);
      new_names.add(stream.name);
      new_versions.add(version);
      new_times.add(stream.first_time);
    } else if (stream.is_changed) {
      ids.add(stream.id);
      versions.add(version);
    }
  }
  if (new_ids.size() > 0) {
    Parameters parameters;
    parameters.add(std::move(new_ids)).add(std::move(new_names)).add(std::move(new_versions)).add(std::move(new_times));
    calls.push_back({Sql::insert_streams, std::move(parameters)});
  }
  if (ids.size() > 0) {
    calls.push_back({Sql::update_streams, std::move(Parameters().add(std::move(ids)).add(std::move(versions)))});
  }
}

}  // namespace

void AppendPlan::put_statements(const Dialect& dialect, std::vector<Call>& calls) const {
  using enum ArrayParameter::Element;
  put_streams(streams_, calls);
  ArrayParameter ids(uuid), ids_again(uuid), types(text), causes(uuid), correlations(uuid), times(time);
  ArrayParameter data(dialect.data_is_json() ? text : bytes);
  ArrayParameter metadata(dialect.metadata_is_json() ? text : bytes);
  ArrayParameter streams(integer), versions(integer);
  std::string type;
  for (const Planned& planned : events_) {
    const NewEvent& event = *planned.event;
    ids.add(event.id);
    ids_again.add(event.id);
    if (is_original_type(event.type)) {
      type.assign(original_type_prefix).append(event.type);
      types.add(std::string_view(type));
    } else {
      types.add(std::string_view(event.type));
    }
    if (event.causation_id) {
      causes.add(*event.causation_id);
    } else {
      causes.add_null();
    }
    correlations.add(event.correlation_id);
    data.add(std::string_view(event.data));
    if (event.metadata.empty()) {
      metadata.add_null();
    } else {
      metadata.add(std::string_view(event.metadata));
    }
    times.add(planned.time);
    streams.add(*planned.stream_id);
    versions.add(static_cast<std::int64_t>(planned.version.value));
  }
  Parameters of_events;
  of_events.add(std::move(ids)).add(std::move(types)).add(std::move(causes)).add(std::move(correlations));
  of_events.add(std::move(data)).add(std::move(metadata)).add(std::move(times));
  calls.push_back({Sql::insert_events, std::move(of_events)});
  Parameters of_places;
  of_places.add(std::move(ids_again)).add(std::move(streams)).add(std::move(versions)).add(before_.value);
  calls.push_back({Sql::insert_stream_events, std::move(of_places)});
  calls.push_back({Sql::update_all, std::move(Parameters().add(head_.value))});
}

void AppendPlan::put_nodes(std::uint32_t node_before, std::vector<Call>& calls) const {
  Position position = before_;
  for (const Planned& planned : events_) {
    position = position.next();
    if (planned.node_id == node_before) continue;
    node_before = planned.node_id;
    calls.push_back(
        {Sql::insert_writer, std::move(Parameters().add(position.value).add(std::int64_t{planned.node_id}))});
  }
}

}  // namespace annals::store
