// Indexes of sealed segments: streams files and summaries. Whatever becomes of them, the store opens and what it gives
// out is in the log. As long as checksums are wrong where bytes are wrong, answers are right, and what was damaged is
// made anew. Under right checksums (as only a program that is wrong writes them) an index may lie; then there are
// answers or errors, and nothing is brought down.
//
// The input is a program: what happens to the files of a small store, each change given right checksums or not.

#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/invariant.hpp"
#include "platform/simulated.hpp"
#include "store/embedded/index/streams_format.hpp"
#include "store/embedded_store.hpp"
#include "tests/fuzz/silent_logger.hpp"

namespace {

using namespace annals;

constexpr std::uint64_t segment_bytes = 64u << 10;
constexpr std::size_t groups = 220;  // that make some segments more than are merged into one file
const std::string directory = "data";
const std::string index_directory = "data/index";

struct World {
  platform::SimulatedClock clock;
  platform::SimulatedRandom random{1};
  platform::SimulatedFileSystem files;
  fuzz::SilentLogger log;
  platform::SteppedExecutor background{clock};

  [[nodiscard]] platform::Platform platform() { return {clock, random, files, log}; }
  [[nodiscard]] Result<std::unique_ptr<EventStore>> open() {
    return store::open_embedded_store({.directory = directory, .segment_bytes = segment_bytes}, platform(), background);
  }
  void put(const std::string& path, std::string_view bytes) {
    const auto file = files.create(path);
    INVARIANT(file && (*file)->write_at(0, bytes) && (*file)->flush(), "a file can be written");
  }
};

struct Fact {
  std::string stream;
  std::uint64_t version = 0;
  Instant time;
};

/// The files of a store that was stopped cleanly, all indexes written, and what is in it.
struct Original {
  std::map<std::string, std::string> files;  // by path
  std::vector<std::string> indexes;          // paths
  std::vector<Fact> facts;                   // in the order of positions
  std::map<std::string, std::uint64_t> versions;

  Original() {
    World world;
    {
      const auto store = *world.open();
      platform::SimulatedRandom dice(7);
      for (std::size_t group = 0; group < groups; ++group) {
        append(*store, world, dice);
        world.background.run_ready();
      }
      world.background.run_ready();
    }
    world.background.run_ready();
    for (const char* folder : {"data", "data/log", "data/index"}) {
      for (const std::string& name : *world.files.list(folder)) {
        const std::string path = platform::join_path(folder, name);
        if (auto bytes = platform::read_whole_file(world.files, path, 1u << 20)) files[path] = *std::move(bytes);
      }
    }
    files.erase("data/LOCK");
    for (const auto& [path, bytes] : files) {
      if (path.starts_with(index_directory)) indexes.push_back(path);
    }
    INVARIANT(indexes.size() > 10, "there are summaries, streams files, and a merged one");
  }

  void append(EventStore& store, World& world, platform::SimulatedRandom& dice) {
    world.clock.advance(Duration{1000});
    Group group;
    const std::size_t count = 1 + dice.below(3);
    for (std::size_t at = 0; at < count; ++at) {
      const std::string stream = "config-" + std::to_string(dice.below(at == 0 ? 4 : 400)) + "x" + std::to_string(at);
      NewEvent event{.id = platform::make_uuid(world.clock.now(), world.random),
                     .type = "Said",
                     .data = std::string(at == 0 ? 2'500 : 20, ' '),
                     .metadata = "{}",
                     .correlation_id = {},
                     .causation_id = std::nullopt};
      group.appends.push_back({.stream = stream, .expected = ExpectedVersion::any(), .events = {std::move(event)}});
    }
    store.append(std::span(&group, 1), [&](std::vector<AppendResult> results) {
      INVARIANT(results.front().has_value(), "an append to a sound store succeeds");
      std::size_t at = 0;
      for (const StreamAppend& one : group.appends) {
        const std::uint64_t version = ++versions[one.stream];
        facts.push_back({one.stream, version, results.front()->created_at.plus(Duration{static_cast<int>(at++)})});
      }
    });
  }
};

void fix_streams_file(std::string& bytes, std::uint64_t salts) {
  for (std::size_t at = 0; at + store::page_bytes <= bytes.size(); at += store::page_bytes) {
    std::string page = bytes.substr(at, store::page_content_bytes);
    store::finish_page(page, store::page_seed(salts, at / store::page_bytes));
    bytes.replace(at, store::page_bytes, page);
  }
}

void fix_summary(std::string& bytes) {
  constexpr std::size_t fixed_bytes = 160;
  if (bytes.size() < fixed_bytes + 8) return;
  const std::size_t head = std::min<std::size_t>(get_at<std::uint32_t>(bytes.data() + 12), bytes.size());
  if (head < fixed_bytes + 8) return;
  put_at(bytes.data() + 152, XXH3_64bits(bytes.data() + head, bytes.size() - head));
  put_at(bytes.data() + head - 8, XXH3_64bits(bytes.data(), head - 8));
}

/// Changes files as a program says. True when something now lies under right checksums.
class Damage {
 public:
  explicit Damage(std::map<std::string, std::string>& files) : files_(files) {}

  bool follow(ByteReader program, const std::vector<std::string>& paths) {
    for (int changes = 0; changes < 8 && !program.at_end(); ++changes) {
      const std::string& path = paths[program.integer<std::uint8_t>() % paths.size()];
      const auto choice = program.integer<std::uint8_t>();
      std::string& bytes = files_[path];
      const std::string before = bytes;
      change(bytes, choice % 8, program, paths);
      if (choice >= 128 && bytes != before) fix(path, bytes, before);
    }
    return forged_;
  }

 private:
  void change(std::string& bytes, int choice, ByteReader& program, const std::vector<std::string>& paths) {
    // From the front or from the back: the footer is the last page.
    const std::size_t far = program.integer<std::uint16_t>();
    const std::size_t place =
        std::min(far < 32'768 ? far : bytes.size() - std::min(bytes.size(), 65'535 - far), bytes.size());
    switch (choice) {
      case 0:
      case 1: {
        const auto xored = program.integer<std::uint8_t>();
        if (place < bytes.size()) bytes[place] = static_cast<char>(bytes[place] ^ xored);
        break;
      }
      case 2:
      case 3: {
        const auto word = program.integer<std::uint64_t>();
        if (bytes.size() - place >= sizeof word) put_at(bytes.data() + place / 8 * 8, word);
        break;
      }
      case 4: bytes.resize(place); break;
      case 5: bytes.insert(place, std::string(program.integer<std::uint16_t>(), '\0')); break;
      case 6: bytes = files_[paths[program.integer<std::uint8_t>() % paths.size()]]; break;
      default: bytes = program.take(program.integer<std::uint8_t>()); break;
    }
  }

  void fix(const std::string& path, std::string& bytes, const std::string& before) {
    if (path.ends_with(".streams") && before.size() >= store::page_bytes) {
      const auto footer = store::decode_footer(std::string_view(before).substr(before.size() - store::page_bytes));
      if (!footer) return;
      fix_streams_file(bytes, footer->salts);
    } else {
      fix_summary(bytes);
    }
    forged_ = true;
  }

  std::map<std::string, std::string>& files_;
  bool forged_ = false;
};

/// What is given out is in the log; an answer that is not right needs an excuse.
class Questions {
 public:
  Questions(const Original& original, const EventStore& store, bool forged)
      : original_(original), store_(store), forged_(forged) {}

  void ask_all(std::uint8_t from) const {
    const auto all =
        store_.read_all(Position{}, Horizon::visible, PageLimit{.events_max = 10'000, .bytes_max = 1u << 24});
    INVARIANT(all || forged_, "the log can be read");
    INVARIANT(!all || all->events().size() == original_.facts.size(), "what is in the log is not lost for an index");
    for (std::size_t at = from % 5; at < original_.facts.size(); at += 23) ask_about(at);
    right(store_.stream_version("config-unknown"), StreamVersion{0});
  }

 private:
  void ask_about(std::size_t at) const {
    const Fact& fact = original_.facts[at];
    const std::uint64_t newest = original_.versions.at(fact.stream);
    right(store_.stream_version(fact.stream), StreamVersion{newest});
    right(store_.version_at(fact.stream, fact.time), StreamVersion{fact.version});
    right(store_.version_at(fact.stream, fact.time.plus(Duration{-1})), StreamVersion{fact.version - 1});
    right(store_.position_at(fact.time), Position{at + 1});
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      const auto page = store_.read_stream(fact.stream, StreamVersion{fact.version}, direction, {.events_max = 4});
      const std::uint64_t there = direction == Direction::forward ? newest - fact.version + 1 : fact.version;
      INVARIANT(page || forged_, "a stream can be read");
      if (!page) continue;
      INVARIANT(forged_ || page->events().size() == std::min<std::uint64_t>(there, 4), "a page has what there is");
      for (const EventView& event : page->events()) {
        const Fact& given = original_.facts.at(event.position.value - 1);
        INVARIANT(event.stream == fact.stream && given.stream == fact.stream && given.version == event.version.value &&
                      given.time == event.created_at,
                  "an event that is given out is the one in the log");
      }
    }
    const auto page = store_.read_all(Position{at}, Horizon::visible, PageLimit{.events_max = 3});
    INVARIANT(page || forged_, "the log can be read from anywhere");
    INVARIANT(!page || (!page->events().empty() && page->events().front().position == Position{at + 1}),
              "no event is passed over");
  }

  template <class Answer>
  void right(const Result<Answer>& found, Answer expected) const {
    INVARIANT(forged_ || (found && *found == expected), "a damaged index changes no answer");
  }

  const Original& original_;
  const EventStore& store_;
  const bool forged_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Original original;
  ByteReader program({reinterpret_cast<const char*>(data), size});
  const auto options = program.integer<std::uint8_t>();
  std::map<std::string, std::string> files = original.files;
  const bool forged = Damage(files).follow(program, original.indexes);

  World world;
  for (const char* folder : {"data", "data/log", "data/index"}) {
    INVARIANT(world.files.create_directories(folder).has_value(), "a directory can be made");
  }
  for (const auto& [path, bytes] : files) world.put(path, bytes);
  INVARIANT(world.files.flush_directory(index_directory).has_value(), "a directory can be flushed");

  const auto verify = [&] {
    auto report = store::verify_embedded_store(directory, world.files);
    INVARIANT(report && report->last == Position{original.facts.size()}, "no index makes the log look damaged");
    return report->index_faults.empty();
  };
  const bool verifies = options >= 192;  // which takes its time
  if (verifies) {
    const bool sound = verify();
    INVARIANT(forged || sound == (files == original.files), "verify tells of every index that is not right");
  }
  {
    const auto store = world.open();
    INVARIANT(store || forged, "no index keeps a store from being opened");
    if (!store) return 0;
    const Questions questions(original, **store, forged);
    if (options % 2 == 0) world.background.run_ready();
    questions.ask_all(options / 2);
    world.background.run_ready();
    questions.ask_all(options / 2);
  }
  if (verifies) verify();
  return 0;
}
