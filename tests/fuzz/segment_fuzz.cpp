// The log's reader: no bytes of a segment bring it down; what `verify` finds sound, an opening serves whole, goes on
// behind, and finds sound again; what `verify` refuses, an opening refuses too or leaves to be found by who reads it.
//
// Bytes drawn at random never have the right checksum, so the input is a program that writes a log: sound groups and
// marks, frames with right checksums and wrong contents, rubbish, and at last some changed bytes.

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/invariant.hpp"
#include "log/log.hpp"
#include "log/segment/format.hpp"
#include "log/segment/hasher.hpp"
#include "log/segment/scan.hpp"
#include "log/test_world.hpp"

namespace {

using namespace annals;
using namespace annals::log;

const std::string directory = "/data";
const Uuid store{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
constexpr std::int64_t first_time = 1'770'890'400'000'000;  // 2026-02-12T10:00:00Z
constexpr std::size_t segments_max = 3;

class LogMaker {
 public:
  LogMaker() { begin_segment(); }

  void follow(ByteReader program) {
    while (!program.at_end() && program.ok()) step(program);
  }

  void write_to(platform::FileSystem& files) const {
    std::vector<std::pair<std::string, std::string>> contents{{identity_path(directory), encode_identity(store)}};
    for (const Segment& segment : segments_) {
      contents.emplace_back(platform::join_path(segments_directory(directory), segment_name(segment.header.first)),
                            segment.bytes);
    }
    INVARIANT(files.create_directories(segments_directory(directory)).has_value(),
              "the simulated disk takes a directory");
    for (const auto& [path, bytes] : contents) {
      const auto file = files.create(path);
      INVARIANT(file && (*file)->write_at(0, bytes) && (*file)->flush(), "the simulated disk takes a file");
    }
    for (const std::string& flushed : {directory, segments_directory(directory)}) {
      INVARIANT(files.flush_directory(flushed).has_value(), "the simulated disk keeps names");
    }
  }

 private:
  struct Segment {
    SegmentHeader header;
    std::string bytes;
    std::size_t end = segment_header_bytes;
  };

  void step(ByteReader& program) {
    const auto choice = program.integer<std::uint8_t>();
    switch (choice % 8) {
      case 0: add_group(program, choice, false); break;
      case 1: add_group(program, choice, true); break;
      case 2: append(encode_opened({program.integer<std::uint32_t>(), last_}, last_.next(), end(), salt())); break;
      case 3: append(encode_end(FrameKind::clean_stop, last_, last_hash_, end(), salt())); break;
      case 4: add_seal(); break;
      case 5: add_odd_frame(program); break;
      case 6: append(std::string(program.take(program.integer<std::uint8_t>()))); break;
      default: change(program); break;
    }
  }

  /// A group, sound unless `odd`: then a place of it is changed before its checksum is made.
  void add_group(ByteReader& program, std::uint8_t choice, bool odd) {
    std::string frame(frame_header_bytes, '\0');
    const std::uint32_t count = choice / 8 % 3 + 1;
    Position last = last_;
    Hash hash = last_hash_;
    std::int64_t time = time_;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string_view body = program.take(program.integer<std::uint8_t>());
      const std::size_t begin = frame.size();
      time += 1 + program.integer<std::uint8_t>();
      frame.append(reinterpret_cast<const char*>(hash.data()), hash.size());
      put<std::int64_t>(frame, time);
      put<std::uint32_t>(frame, 1);
      put<std::uint32_t>(frame, static_cast<std::uint32_t>(body.size()));
      frame.append(body);
      hash = hasher_.hash(std::string_view(frame).substr(begin));
      last = last.next();
    }
    frame.resize(padded(frame.size()));
    if (odd) change(program, frame.data(), frame.size());
    const std::uint64_t flushed_to = choice >= 128 ? flushed_to_ : end();
    seal(frame, {.kind = FrameKind::group,
                 .length = static_cast<std::uint32_t>(frame.size()),
                 .count = count,
                 .first = last_.next(),
                 .flushed_to = flushed_to});
    if (append(frame)) {
      last_ = last;
      last_hash_ = hash;
      time_ = time;
      flushed_to_ = flushed_to;
    }
  }

  void add_seal() {
    if (segments_.size() == segments_max) return;
    append(encode_end(FrameKind::seal, last_, last_hash_, end(), salt()));
    begin_segment();
  }

  /// Right checksums around whatever the program says. A frame that is too long for the segment is cut off at its end.
  void add_odd_frame(ByteReader& program) {
    const auto kind = static_cast<FrameKind>(program.integer<std::uint8_t>() % 6);
    const auto count = program.integer<std::uint32_t>();
    const Position first{last_.value + program.integer<std::uint8_t>()};
    const auto flushed_to = program.integer<std::uint32_t>();
    const auto zeros = program.integer<std::uint16_t>();
    std::string frame(frame_header_bytes, '\0');
    frame.append(program.take(program.integer<std::uint8_t>()));
    frame.resize(padded(frame.size() + zeros));
    seal(frame, {kind, static_cast<std::uint32_t>(frame.size()), count, first, flushed_to});
    frame.resize(std::min<std::size_t>(frame.size(), segment_bytes_min - end()));
    append(frame);
  }

  /// Changes a byte of what has been written to some segment.
  void change(ByteReader& program) {
    Segment& segment = segments_[program.integer<std::uint8_t>() % segments_.size()];
    change(program, segment.bytes.data(), segment.end);
  }

  static void change(ByteReader& program, char* bytes, std::size_t size) {
    const std::size_t place = program.integer<std::uint16_t>() % size;
    bytes[place] = static_cast<char>(bytes[place] ^ program.integer<std::uint8_t>());
  }

  void begin_segment() {
    const SegmentHeader header{.store = store,
                               .bytes = segment_bytes_min,
                               .first = last_.next(),
                               .salt = 42,
                               .hash_before = last_hash_,
                               .time_before = Instant{last_.value == 0 ? 0 : time_},
                               .epoch_before = 0};
    // No two segments begin with one position: the file would be the same.
    if (!segments_.empty() && segments_.back().header.first == header.first) return;
    segments_.push_back({header, encode_segment_header(header)});
    segments_.back().bytes.resize(segment_bytes_min);
    flushed_to_ = segment_header_bytes;
  }

  bool append(std::string bytes) {
    bytes.resize(padded(bytes.size()));
    Segment& segment = segments_.back();
    if (bytes.size() > segment.bytes.size() - segment.end) return false;
    std::memcpy(segment.bytes.data() + segment.end, bytes.data(), bytes.size());
    segment.end += bytes.size();
    return true;
  }

  void seal(std::string& frame, const FrameHeader& header) {
    seal_frame(frame.data(), header, frame_seed(salt(), end()));
  }
  [[nodiscard]] std::uint64_t end() const { return segments_.back().end; }
  [[nodiscard]] std::uint64_t salt() const { return segments_.back().header.salt; }

  std::vector<Segment> segments_;
  Hasher hasher_;
  Position last_;
  Hash last_hash_ = hash_of_nothing;
  std::int64_t time_ = first_time;
  std::uint64_t flushed_to_ = segment_header_bytes;
};

/// Every record that is given out, as text, in the order that the log promises.
class Transcript {
 public:
  [[nodiscard]] OnGroup collector() {
    return [this](Place, const GroupView& group) -> Result<> {
      for (auto walk = group.walk(); const auto record = walk.next();) {
        INVARIANT(record->position == last_.next(), "no position is skipped or repeated");
        INVARIANT(last_.value == 0 || record->created_at > last_time_, "time strictly increases with the position");
        last_ = record->position;
        last_time_ = record->created_at;
        text_ += to_string(record->position) + " " + std::to_string(record->created_at.microseconds) + " " +
                 std::string(record->body) + "\n";
      }
      return {};
    };
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  Position last_;
  Instant last_time_;
};

struct Found {
  Result<VerifyReport> report;
  std::string records;
};

Found verify(TestWorld& world) {
  Transcript transcript;
  auto report = verify_log(world.files, directory, transcript.collector());
  return {std::move(report), transcript.text()};
}

/// Reads all that an opened log holds, as a client would.
Result<std::string> read_all(const Log& log) {
  Transcript transcript;
  Chunks chunks;
  const OnGroup collect = transcript.collector();
  TRY(log.read(Position{}, log.last(), 0, chunks, [&](const GroupView& group) {
    INVARIANT(collect({}, group).has_value(), "a transcript takes everything");
    return true;
  }));
  return transcript.text();
}

/// Appends one record behind all others, and stops cleanly.
void append_one(Log& log, Instant now) {
  Batch& batch = log.start_batch();
  batch.begin_group(now);
  batch.begin_record().append("one more");
  batch.end_record();
  INVARIANT(batch.end_group().has_value(), "a small group fits a segment");
  INVARIANT(log.commit(batch).has_value(), "a log that was opened takes a group");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  TestWorld world;
  LogMaker maker;
  maker.follow(ByteReader({reinterpret_cast<const char*>(data), size}));
  maker.write_to(world.files);

  const Found before = verify(world);
  LogOptions options;
  options.directory = directory;
  options.segment_bytes = segment_bytes_min;
  {
    auto log = open_log(options, world.platform(), world.background, {});
    if (!before.report) {
      INVARIANT(before.report.error().kind == ErrorKind::corrupt, "what is wrong with bytes is called damage");
      INVARIANT(log || log.error().kind == ErrorKind::corrupt, "and so does an opening call it");
      // An opening looks at the two ends of a segment that has no summary; the rest is found by who reads it.
      world.background.run_ready();
      return 0;
    }
    INVARIANT(log.has_value(), "what verify finds sound is served");
    const auto served = read_all(**log);
    INVARIANT(served && *served == before.records, "a log serves what verify has seen");
    INVARIANT((*log)->last() == before.report->last, "an opening goes on where verify has seen the end");
    append_one(**log, world.clock.now());
    world.background.run_ready();
  }
  world.background.run_ready();

  const Found after = verify(world);
  INVARIANT(after.report && after.report->clean && !after.report->torn,
            "what was opened and stopped is sound and clean");
  INVARIANT(after.records.starts_with(before.records), "nothing that was served is lost or changed");
  INVARIANT(after.report->last == before.report->last.next(), "one record has come, and nothing that had been cut off");
  return 0;
}
