#include "tests/contract/event_store_contract.hpp"

#include <future>
#include <ostream>

namespace annals::contract {

void EventStoreContract::use_place_for(GroupSize size) {
  store_.reset();
  place_ = GetParam().make_place(world(), size);
  open();
}

void EventStoreContract::open() {
  auto opened = place_->open();
  if (!opened) throw std::runtime_error("the store does not open: " + opened.error().message);
  store_ = *std::move(opened);
}

void EventStoreContract::reopen() {
  close();
  open();
}

std::pair<std::unique_ptr<StorePlace>, std::unique_ptr<EventStore>> EventStoreContract::make_other_store() {
  auto place = GetParam().make_place(world(), GroupSize::small);
  auto opened = place->open();
  if (!opened) throw std::runtime_error("the store does not open: " + opened.error().message);
  return {std::move(place), *std::move(opened)};
}

NewEvent event_saying(std::string data) {
  auto& random = platform::system_random();
  const Uuid id = platform::make_uuid(platform::system_clock().now(), random);
  return {.id = id,
          .type = "Said",
          .data = std::move(data),
          .metadata = R"({"actor":"somebody"})",
          .correlation_id = id,
          .causation_id = std::nullopt};
}

StreamAppend append_for(std::string stream, ExpectedVersion expected, std::size_t count) {
  StreamAppend append{.stream = std::move(stream), .expected = expected, .events = {}};
  for (std::size_t number = 1; number <= count; ++number) {
    append.events.push_back(event_saying(append.stream + " " + std::to_string(number)));
  }
  return append;
}

Group group_for(std::string stream, ExpectedVersion expected, std::size_t count) {
  return {.appends = {append_for(std::move(stream), expected, count)}, .nothing_after = std::nullopt};
}

std::vector<AppendResult> append(EventStore& store, const std::vector<Group>& groups) {
  std::promise<std::vector<AppendResult>> promise;
  store.append(groups, [&promise](std::vector<AppendResult> results) { promise.set_value(std::move(results)); });
  return promise.get_future().get();
}

AppendResult append(EventStore& store, const Group& group) {
  std::vector<AppendResult> results = append(store, std::vector<Group>{group});
  if (results.size() != 1)
    return fail(ErrorKind::internal, "one group got " + std::to_string(results.size()) + " results");
  return std::move(results.front());
}

Appended record(EventStore& store, const Group& group) {
  return value_of(append(store, group));
}

std::ostream& operator<<(std::ostream& out, const Recorded& event) {
  return out << event.position << " " << event.stream << "@" << event.version << " " << event.type << " "
             << event.data.substr(0, 80) << " " << event.created_at.to_text();
}

Recorded copy_of(const EventView& event) {
  return {event.position.value,    std::string(event.stream), event.version.value,         event.id,
          std::string(event.type), std::string(event.data),   std::string(event.metadata), event.correlation_id,
          event.causation_id,      event.created_at};
}

std::vector<Recorded> everything(const EventStore& store, PageLimit limit, Horizon horizon) {
  std::vector<Recorded> events;
  Position after;
  for (bool more = true; more;) {
    const EventPage page = value_of(store.read_all(after, horizon, limit));
    for (const EventView& event : page.events()) events.push_back(copy_of(event));
    more = page.more();
    if (page.events().empty()) {
      EXPECT_FALSE(more) << "an empty page has nothing after it";
      break;
    }
    after = page.events().back().position;
  }
  return events;
}

std::vector<Recorded> stream_of(const EventStore& store, std::string_view stream) {
  std::vector<Recorded> events;
  const EventPage page = value_of(
      store.read_stream(stream, StreamVersion{1}, Direction::forward, {.events_max = 100'000, .bytes_max = 1u << 30}));
  EXPECT_FALSE(page.more());
  for (const EventView& event : page.events()) events.push_back(copy_of(event));
  return events;
}

std::vector<std::uint64_t> versions_of(const EventPage& page) {
  std::vector<std::uint64_t> versions;
  for (const EventView& event : page.events()) versions.push_back(event.version.value);
  return versions;
}

std::vector<std::uint64_t> positions_of(const EventPage& page) {
  std::vector<std::uint64_t> positions;
  for (const EventView& event : page.events()) positions.push_back(event.position.value);
  return positions;
}

INSTANTIATE_TEST_SUITE_P(every_store, EventStoreContract, testing::ValuesIn(stores_under_test()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace annals::contract
