#include "store/embedded/index/index_group.hpp"

#include "store/embedded/event_codec.hpp"

namespace annals::store {

Result<> index_group(log::Place place, const log::GroupView& group, SegmentStreams& streams,
                     std::optional<std::string_view> only) {
  auto walk = group.walk();
  std::size_t number = 0;
  while (const auto record = walk.next()) {
    const auto event = TRY(event_of(*record));
    const Address address(place, number++);
    if (only && event.stream != *only) continue;
    if (!streams.add(event.stream, event.version, address)) {
      return fail(ErrorKind::corrupt, "the record at position " + to_string(record->position) + " has version " +
                                          to_string(event.version) + " of its stream where " +
                                          to_string(streams.find(event.stream)->last().next()) + " should follow");
    }
  }
  return {};
}

Result<EventView> event_of(const log::RecordView& record) {
  const auto where = [&] { return "the record at position " + to_string(record.position); };
  const auto event = decode_event(record);
  if (!event) return fail(ErrorKind::corrupt, where() + " is not an event");
  if (event->stream.empty()) return fail(ErrorKind::corrupt, where() + " names no stream");
  if (event->version.value == 0) return fail(ErrorKind::corrupt, where() + " has version 0 of its stream");
  return *event;
}

}  // namespace annals::store
