// Checkpoints: the state files of a read table and of receipts, and the place of a subscriber. Whatever lies where they
// should, a start ends, and what it answers is what the log says: a file that is not what was written is not believed.
// One that lies under right checksums (as only a program that is wrong writes it) may be believed, and brings nothing
// down.
//
// The input is a program: its first byte chooses the file, then come changes to it, first of blocks, which are given
// right checksums, then of bytes, which are not.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <xxhash.h>

#include "base/bytes.hpp"
#include "projection/checkpoint.hpp"
#include "tests/fuzz/api_under_fuzz.hpp"

namespace {

using namespace annals;
using fuzz::ApiUnderFuzz;
using http::Method;

const std::string directory = "checkpoints";
const std::string names[] = {"config.table", "receipts"};

/// A state file taken apart (docs/formats/state_file.md).
struct Block {
  std::uint32_t kind = 0;
  std::string contents;
};
constexpr std::size_t prelude_bytes = 12;

std::vector<Block> blocks_of(std::string_view file) {
  std::vector<Block> blocks;
  ByteReader reader(file.substr(prelude_bytes));
  while (!reader.at_end()) {
    Block& block = blocks.emplace_back();
    block.kind = reader.integer<std::uint32_t>();
    block.contents = reader.take(reader.integer<std::uint32_t>());
    (void)reader.integer<std::uint64_t>();
  }
  INVARIANT(reader.ok(), "this program knows the format");
  return blocks;
}

std::string file_of(std::string_view prelude, const std::vector<Block>& blocks) {
  std::string file;
  std::uint64_t checksum = 0;
  for (const Block& block : blocks) {
    std::string bytes(file.empty() ? prelude : std::string_view{});
    put(bytes, block.kind);
    put(bytes, static_cast<std::uint32_t>(block.contents.size()));
    bytes += block.contents;
    checksum = XXH3_64bits_withSeed(bytes.data(), bytes.size(), checksum);
    file += bytes;
    put(file, checksum);
  }
  return file;
}

/// Makes one change to the blocks.
void forge(std::vector<Block>& blocks, std::uint8_t choice, ByteReader& program) {
  if (blocks.empty()) return;
  const std::size_t number = program.integer<std::uint8_t>() % blocks.size();
  const auto at = blocks.begin() + static_cast<std::ptrdiff_t>(number);
  std::string& contents = at->contents;
  const std::size_t place = program.integer<std::uint16_t>() % (contents.size() + 1);
  switch (choice % 8) {
    case 0: {
      const auto change = program.integer<std::uint8_t>();
      if (place < contents.size()) contents[place] = static_cast<char>(contents[place] ^ change);
      break;
    }
    case 1: {
      const auto word = program.integer<std::uint64_t>();
      if (contents.size() - place >= sizeof word) put_at(contents.data() + place, word);
      break;
    }
    case 2: contents.resize(place); break;
    case 3: contents.insert(place, program.take(program.integer<std::uint8_t>())); break;
    case 4: contents = program.take(program.integer<std::uint16_t>() % 512); break;
    case 5: at->kind = program.integer<std::uint8_t>() % 5; break;
    case 6: blocks.insert(at, Block(*at)); break;
    default: blocks.erase(at); break;
  }
}

/// Makes one change to the bytes.
void damage(std::string& bytes, std::uint8_t choice, ByteReader& program) {
  const std::size_t place = program.integer<std::uint16_t>() % (bytes.size() + 1);
  switch (choice % 4) {
    case 0: {
      const auto change = program.integer<std::uint8_t>();
      if (place < bytes.size()) bytes[place] = static_cast<char>(bytes[place] ^ change);
      break;
    }
    case 1: bytes.resize(place); break;
    case 2: bytes.insert(place, program.take(program.integer<std::uint8_t>())); break;
    default: bytes = std::string(program.rest()); break;
  }
}

/// What a server says of everything that its checkpoints hold.
std::string asked(ApiUnderFuzz& api) {
  std::string all;
  const auto take = [&](const fuzz::Reply& reply) {
    all += std::to_string(reply.status) + "\n" + reply.fields + reply.body + "\n";
  };
  take(api.ask(Method::get, "/config"));
  for (const char* key : {"a", "b", "c", "deleted", "late", "never"}) {
    take(api.ask(Method::get, std::string("/config/") + key));
    take(api.ask(Method::get, std::string("/config/") + key, {}, {{"Accept", "application/json"}}));
  }
  for (const char* key : {"first", "second", "late"}) {
    take(api.ask(Method::put, std::string("/config/") + key, "{\"value\":\"again\"}", {{"Idempotency-Key", key}}));
  }
  return all;
}

engine::EngineOptions with_checkpoints() {
  engine::EngineOptions options;
  options.checkpoint_directory = directory;
  return options;
}

/// A server that wrote its checkpoints, and something that came after them. Always the same.
struct Past {
  ApiUnderFuzz api;

  Past() {
    INVARIANT(api.files().create_directories(directory).has_value(), "a directory can be made");
    api.restart(with_checkpoints());
    put("a", "one");
    put("b", "two");
    put("first", "x", true);
    put("second", "y", true);
    put("deleted", "z");
    INVARIANT(api.ask(Method::delete_, "/config/deleted").status == 200, "what is there can be deleted");
    put("a", "one more");
    api.restart({});  // has written the files, and writes none
    put("b", "three");
    put("late", "w", true);
    put("c", "four");
  }

  void put(const std::string& key, const std::string& value, bool with_key = false) {
    std::vector<http::Field> fields;
    if (with_key) fields.push_back({"Idempotency-Key", key});
    api.advance(std::chrono::seconds(1));
    const auto reply = api.ask(Method::put, "/config/" + key, "{\"value\":\"" + value + "\"}", std::move(fields));
    INVARIANT(reply.status == 200, "a PUT succeeds");
  }
};

std::string path_of(const std::string& name) {
  return platform::join_path(directory, name);
}

void check_place(ApiUnderFuzz& api, std::string_view bytes) {
  const std::string path = path_of("audit");
  INVARIANT(platform::replace_file(api.files(), path, bytes).has_value(), "a file can be written");
  projection::CheckpointFile file(api.files(), path);
  const auto place = file.load(api.store());
  INVARIANT(place || place.error().kind == ErrorKind::corrupt || place.error().kind == ErrorKind::gone,
            "a place that is not believed is damaged or gone");
  if (!place) return;
  INVARIANT(*place <= api.store().status().flushed, "no place is beyond the store's end");
  INVARIANT(file.save(api.store().cursor(*place)).has_value(), "a place can be written");
  INVARIANT(*platform::read_whole_file(api.files(), path, 4096) == bytes, "a place is written in one way");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string truth = [] {
    Past past;
    past.api.restart({});
    return asked(past.api);
  }();

  Past past;
  ByteReader program({reinterpret_cast<const char*>(data), size});
  const std::string path = path_of(names[program.integer<std::uint8_t>() % std::size(names)]);
  const std::string written = *platform::read_whole_file(past.api.files(), path, 1u << 20);
  std::vector<Block> blocks = blocks_of(written);
  for (auto changes = program.integer<std::uint8_t>() % 4; changes > 0; --changes) {
    forge(blocks, program.integer<std::uint8_t>(), program);
  }
  std::string bytes = file_of(std::string_view(written).substr(0, prelude_bytes), blocks);
  const bool forged = bytes != written;
  for (auto changes = program.integer<std::uint8_t>() % 4; changes > 0; --changes) {
    damage(bytes, program.integer<std::uint8_t>(), program);
  }
  past.api.files().damage(path, [&](std::string& all) { all = bytes; });
  check_place(past.api, program.rest());

  past.api.restart(with_checkpoints());
  const std::string answers = asked(past.api);
  INVARIANT(forged || answers == truth, "a damaged checkpoint changes no answer");
  return 0;
}
