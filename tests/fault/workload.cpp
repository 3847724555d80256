#include "tests/fault/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

namespace annals::fault {
namespace {

std::string filled(platform::SimulatedRandom& dice, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < bytes; at += 8) {
    const std::uint64_t word = dice.next();
    for (std::size_t byte = at; byte < std::min(bytes, at + 8); ++byte) {
      text[byte] = static_cast<char>('a' + ((word >> (8 * (byte - at))) & 15));
    }
  }
  return text;
}

std::size_t data_bytes(platform::SimulatedRandom& dice) {
  switch (dice.below(12)) {
    case 0: return 2'000 + dice.below(9'000);
    case 1: return 500 + dice.below(1'500);
    default: return 2 + dice.below(250);
  }
}

Uuid uuid(platform::SimulatedRandom& dice) {
  return Uuid::version_7(Instant{0}, dice.next(), dice.next());
}

Recorded recorded(const EventView& event) {
  return {std::string(event.stream), event.version.value,         event.id,          std::string(event.type),
          std::string(event.data),   std::string(event.metadata), event.causation_id};
}

template <class Read>
std::optional<std::vector<Recorded>> all_pages(Read read, std::vector<Position>& positions,
                                               std::vector<Instant>* times) {
  std::vector<Recorded> events;
  for (bool more = true; more;) {
    const Result<EventPage> page = read(events.size());
    if (!page) {
      ADD_FAILURE() << page.error().message;
      return std::nullopt;
    }
    for (const EventView& event : page->events()) {
      events.push_back(recorded(event));
      positions.push_back(event.position);
      if (times) times->push_back(event.created_at);
    }
    more = page->more();
    if (more && page->events().empty()) {
      ADD_FAILURE() << "an empty page promises more";
      return std::nullopt;
    }
  }
  return events;
}

}  // namespace

std::uint64_t stride() {
  const char* text = std::getenv("ANNALS_FAULT_STRIDE");
  return text == nullptr ? 1 : std::max<std::uint64_t>(std::strtoull(text, nullptr, 10), 1);
}

std::vector<std::uint64_t> sampled(std::uint64_t first, std::uint64_t end, std::uint64_t every) {
  const std::uint64_t factor = stride();
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t at = first + every * (platform::system_random().next() % factor); at < end; at += every * factor)
    numbers.push_back(at);
  return numbers;
}

Workload make_workload(std::uint64_t seed, std::size_t appends) {
  platform::SimulatedRandom dice(seed);
  Workload workload;
  std::map<std::string, std::uint64_t> versions;
  for (std::size_t call = 0; call < appends; ++call) {
    auto& groups = workload.appends.emplace_back();
    for (std::size_t left = dice.below(4) == 0 ? 1 + dice.below(6) : 1; left > 0; --left) {
      Group& group = groups.emplace_back();
      auto& wanted = workload.groups.emplace_back();
      const std::uint64_t first_stream = dice.below(6);
      for (std::uint64_t stream = 0, streams = dice.below(3) == 0 ? 1 + dice.below(4) : 1; stream < streams; ++stream) {
        StreamAppend& append = group.appends.emplace_back();
        append.stream = "config-" + std::to_string((first_stream + stream) % 6);
        std::uint64_t& version = versions[append.stream];
        append.expected = ExpectedVersion::exact(StreamVersion{version});
        for (std::uint64_t event = 0, events = dice.below(3) == 0 ? 1 + dice.below(5) : 1; event < events; ++event) {
          NewEvent& made = append.events.emplace_back();
          made.id = uuid(dice);
          made.type = "ConfigValueSet";
          made.data = "{\"value\":\"" + filled(dice, data_bytes(dice)) + "\"}";
          made.metadata = "{\"actor\":\"anonymous\"}";
          made.correlation_id = uuid(dice);
          if (dice.below(2) == 0) made.causation_id = uuid(dice);
          wanted.push_back({append.stream, ++version, made.id, made.type, made.data, made.metadata, made.causation_id});
        }
      }
    }
  }
  return workload;
}

std::optional<Content> read_everything(const EventStore& store) {
  Content content;
  std::vector<Position> positions;
  auto events = all_pages(
      [&](std::size_t count) { return store.read_all(Position{count}, Horizon::visible, {.events_max = 333}); },
      positions, &content.times);
  if (!events) return std::nullopt;
  content.events = *std::move(events);
  for (std::size_t at = 0; at < positions.size(); ++at) {
    if (positions[at] != Position{at + 1} || (at > 0 && content.times[at] <= content.times[at - 1])) {
      ADD_FAILURE() << "position " << positions[at].value << " comes " << at + 1 << "th, or its time is not later";
      return std::nullopt;
    }
  }
  if (store.status().visible != Position{content.events.size()}) {
    ADD_FAILURE() << "the status says " << store.status().visible.value << " of " << content.events.size();
    return std::nullopt;
  }
  std::map<std::string, std::vector<std::pair<Recorded, Position>>> streams;
  for (std::size_t at = 0; at < content.events.size(); ++at) {
    streams[content.events[at].stream].emplace_back(content.events[at], positions[at]);
  }
  for (const auto& [name, wanted] : streams) {
    std::vector<Position> places;
    const auto found = all_pages(
        [&](std::size_t count) {
          return store.read_stream(name, StreamVersion{count + 1}, Direction::forward, {.events_max = 57});
        },
        places, nullptr);
    if (!found) return std::nullopt;
    bool same = found->size() == wanted.size();
    for (std::size_t at = 0; same && at < wanted.size(); ++at) {
      same = wanted[at] == std::pair((*found)[at], places[at]) && wanted[at].first.version == at + 1;
    }
    if (!same) {
      ADD_FAILURE() << "stream " << name << " differs from what read_all says of it";
      return std::nullopt;
    }
  }
  return content;
}

std::optional<std::size_t> groups_in(const Content& content, const Workload& workload) {
  std::size_t at = 0;
  for (std::size_t group = 0; group < workload.groups.size(); ++group) {
    if (at == content.events.size()) return group;
    for (const Recorded& wanted : workload.groups[group]) {
      if (at == content.events.size() || content.events[at] != wanted) return std::nullopt;
      ++at;
    }
  }
  return at == content.events.size() ? std::optional(workload.groups.size()) : std::nullopt;
}

store::EmbeddedOptions options(store::Sync sync) {
  return {.directory = "data", .segment_bytes = segment_bytes, .sync = sync, .node_id = 3};
}

Session::Session(log::TestWorld& world, store::Sync sync) : world_(world) {
  auto opened = store::open_embedded_store(options(sync), world.platform(), world.background);
  if (opened) {
    store_ = *std::move(opened);
  } else {
    open_error_ = std::move(opened).error();
  }
}

std::size_t Session::run(const Workload& workload, std::size_t groups, std::size_t calls_max) {
  std::size_t acknowledged = groups;
  std::size_t before = 0;  // groups of the calls passed by
  for (const auto& call : workload.appends) {
    const std::size_t skipped = std::min(call.size(), groups - std::min(groups, before));
    before += call.size();
    if (skipped == call.size()) continue;
    if (calls_max-- == 0) break;
    acknowledged += append(std::span(call).subspan(skipped));
    if (out_of_room_) break;
    // Two refusals are enough to see that it stays so.
    if (failed_ && calls_max > 2) calls_max = 2;
  }
  EXPECT_FALSE(failed_ && store_->status().writable);
  EXPECT_EQ(out_of_room_, !store_->status().has_room);
  return acknowledged;
}

std::size_t Session::append(std::span<const Group> groups) {
  std::size_t acknowledged = 0;
  // What is refused for want of room may be tried again, and there may be some by then.
  for (int tries = 0; tries < 3; ++tries) {
    const Position before = store_->status().visible;
    out_of_room_ = false;
    store_->append(groups, [&](std::vector<AppendResult> results) {
      EXPECT_EQ(results.size(), groups.size());
      out_of_room_ = !results.front() && results.front().error().code == "no_room";
      for (const AppendResult& result : results) {
        if (result) {
          EXPECT_FALSE(failed_ || out_of_room_) << "an append succeeds after one has failed";
          ++acknowledged;
        } else {
          EXPECT_EQ(result.error().kind, ErrorKind::unavailable) << result.error().message;
          failed_ = failed_ || !out_of_room_;
        }
      }
    });
    world_.clock.advance(out_of_room_ ? std::chrono::milliseconds{1000} : std::chrono::milliseconds{3});
    world_.background.run_ready();
    if (!out_of_room_) break;
    EXPECT_EQ(store_->status().visible, before);
    EXPECT_TRUE(store_->status().writable);
  }
  return acknowledged;
}

std::size_t expect_recovery(log::TestWorld& world, const Workload& workload, std::size_t acknowledged) {
  std::size_t groups = 0;
  {
    Session session(world);
    if (!session.is_open()) {
      ADD_FAILURE() << "recovery refuses: " << session.open_error().message;
      return 0;
    }
    const auto content = read_everything(session.store());
    const auto found = content ? groups_in(*content, workload) : std::nullopt;
    if (!found) {
      ADD_FAILURE() << "what was recovered is not the first groups of the workload, whole";
      return 0;
    }
    EXPECT_GE(*found, acknowledged) << "acknowledged groups are lost";
    groups = session.run(workload, *found, 5);
    EXPECT_FALSE(session.failed()) << session.store().status().reason;
  }
  const auto report = store::verify_embedded_store("data", world.files);
  EXPECT_TRUE(report && report->clean && !report->torn) << (report ? "not clean" : report.error().message);
  Session again(world);
  if (!again.is_open()) {
    ADD_FAILURE() << "after a clean stop: " << again.open_error().message;
    return 0;
  }
  const auto content = read_everything(again.store());
  EXPECT_EQ(content ? groups_in(*content, workload) : std::nullopt, groups);
  return groups;
}

}  // namespace annals::fault
