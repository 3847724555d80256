// The contract as a model: a vector of events and a few lines say what a store must answer; random appends and
// questions find where a store answers otherwise.

#include <algorithm>
#include <set>

#include "tests/contract/event_store_contract.hpp"

namespace annals::contract {
namespace {

/// What every store must behave like.
class ModelStore {
 public:
  [[nodiscard]] std::uint64_t version(const std::string& stream) const {
    return static_cast<std::uint64_t>(std::ranges::count(events_, stream, &Recorded::stream));
  }

  [[nodiscard]] bool admits(const Group& group, std::uint64_t before) const {
    if (group.nothing_after && before > group.nothing_after->value) return false;
    return std::ranges::all_of(group.appends, [&](const StreamAppend& append) {
      return append.expected.admits(StreamVersion{version(append.stream)});
    });
  }

  void record(const Group& group, Instant now) {
    Instant stamp = events_.empty() ? now : std::max(now, events_.back().created_at.plus(Duration{1}));
    for (const StreamAppend& append : group.appends) {
      for (const NewEvent& event : append.events) {
        events_.push_back({events_.size() + 1, append.stream, version(append.stream) + 1, event.id, event.type,
                           event.data, event.metadata, event.correlation_id, event.causation_id, stamp});
        stamp = stamp.plus(Duration{1});
      }
    }
  }

  [[nodiscard]] const std::vector<Recorded>& events() const { return events_; }
  [[nodiscard]] std::vector<Recorded> stream(const std::string& name) const {
    std::vector<Recorded> found;
    std::ranges::copy_if(events_, std::back_inserter(found),
                         [&](const Recorded& event) { return event.stream == name; });
    return found;
  }

 private:
  std::vector<Recorded> events_;
};

class RandomGroups {
 public:
  explicit RandomGroups(platform::SimulatedRandom& dice) : dice_(dice) {}

  [[nodiscard]] std::string stream() { return "s-" + std::to_string(dice_.below(6)); }

  /// Conditions that hold about as often as not.
  Group next(const ModelStore& model) {
    Group group;
    const std::uint64_t count = 1 + dice_.below(3);
    while (group.appends.size() < count) {
      const std::string name = stream();
      if (std::ranges::find(group.appends, name, &StreamAppend::stream) != group.appends.end()) continue;
      group.appends.push_back(append_for(name, expectation(model.version(name)), 1 + dice_.below(3)));
      group.appends.back().events.front().data =
          std::string(dice_.below(4'000), static_cast<char>('a' + dice_.below(26)));
    }
    if (dice_.below(6) == 0) {
      const std::uint64_t slack = dice_.below(3);
      group.nothing_after = Position{std::max<std::uint64_t>(model.events().size() + slack, 1) - 1};
    }
    return group;
  }

 private:
  ExpectedVersion expectation(std::uint64_t version) {
    switch (dice_.below(6)) {
      case 0: return ExpectedVersion::none();
      case 1: return ExpectedVersion::exists();
      case 2: return ExpectedVersion::exact(StreamVersion{version + dice_.below(3)});
      case 3: return ExpectedVersion::exact(StreamVersion{version});
      default: return ExpectedVersion::any();
    }
  }

  platform::SimulatedRandom& dice_;
};

TEST_P(EventStoreContract, random_appends_and_questions_are_answered_as_the_model_says) {
  const std::uint64_t seed = platform::system_random().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  platform::SimulatedRandom dice(seed);
  RandomGroups random(dice);
  ModelStore model;
  for (int round = 0; round < 120; ++round) {
    clock_.advance(Duration{dice.below(20)});
    std::vector<Group> groups;
    std::vector<bool> admitted;
    std::vector<std::uint64_t> firsts;
    const std::uint64_t before = model.events().size();
    std::set<std::string> refused;  // streams of the call's refused groups
    for (std::uint64_t count = dice.below(5); count > 0; --count) {
      groups.push_back(random.next(model));
      const bool rests_on_refused = std::ranges::any_of(
          groups.back().appends, [&](const StreamAppend& append) { return refused.contains(append.stream); });
      admitted.push_back(!rests_on_refused && model.admits(groups.back(), before));
      firsts.push_back(model.events().size() + 1);
      if (admitted.back()) {
        model.record(groups.back(), clock_.now());
      } else {
        for (const StreamAppend& append : groups.back().appends) refused.insert(append.stream);
      }
    }
    const auto results = append(store(), groups);
    ASSERT_EQ(results.size(), groups.size());
    for (std::size_t at = 0; at < groups.size(); ++at) {
      ASSERT_EQ(results[at].has_value(), admitted[at]) << "round " << round << " group " << at;
      if (results[at]) {
        ASSERT_EQ(results[at]->first.value, firsts[at]);
        ASSERT_EQ(results[at]->created_at, model.events()[firsts[at] - 1].created_at);
      } else {
        ASSERT_THAT(results[at], conflicts());
      }
    }
    if (GetParam().keeps && dice.below(15) == 0) reopen();

    const std::string stream = random.stream();
    const auto expected = model.stream(stream);
    ASSERT_EQ(value_of(store().stream_version(stream)).value, expected.size());
    ASSERT_EQ(stream_of(store(), stream), expected);
    if (!model.events().empty()) {
      const std::uint64_t after = dice.below(model.events().size());
      const EventPage page =
          value_of(store().read_all(Position{after}, Horizon::visible, {.events_max = 1 + dice.below(9)}));
      for (std::size_t at = 0; at < page.events().size(); ++at) {
        ASSERT_EQ(copy_of(page.events()[at]), model.events()[after + at]);
      }
      ASSERT_EQ(page.more(), after + page.events().size() < model.events().size());
    }
  }
  EXPECT_EQ(everything(store()), model.events());
}

}  // namespace
}  // namespace annals::contract
