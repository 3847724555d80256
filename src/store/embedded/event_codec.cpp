#include "store/embedded/event_codec.hpp"

#include <limits>

#include "base/invariant.hpp"

namespace annals::store {
namespace {

void put_uuid(std::string& out, const Uuid& uuid) {
  out.append(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size());
}

}  // namespace

static_assert(stream_name_bytes_max <= std::numeric_limits<std::uint16_t>::max());
static_assert(event_type_bytes_max <= std::numeric_limits<std::uint8_t>::max());

void encode_event(std::string& out, std::string_view stream, StreamVersion version, const NewEvent& event) {
  INVARIANT(stream.size() <= stream_name_bytes_max && event.type.size() <= event_type_bytes_max &&
                event.metadata.size() <= event_metadata_bytes_max,
            "groups are checked before they are encoded");
  put_uuid(out, event.id);
  put_uuid(out, event.correlation_id);
  put_uuid(out, event.causation_id.value_or(Uuid{}));
  put<std::uint64_t>(out, version.value);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(event.metadata.size()));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(stream.size()));
  put<std::uint8_t>(out, static_cast<std::uint8_t>(event.type.size()));
  put<std::uint8_t>(out, event.causation_id ? 1 : 0);
  out.append(stream).append(event.type).append(event.metadata).append(event.data);
}

}  // namespace annals::store
