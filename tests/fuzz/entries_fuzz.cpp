// The formats of `annals import` and `annals export`: what is read does not depend on how the bytes came in pieces;
// what was read is written in every format that can hold it, and read back from there as the same names with the same
// values.
//
// The first byte of the input chooses the format, the second how many bytes that follow are sizes of pieces; the rest
// is the file.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/invariant.hpp"
#include "base/utf8.hpp"
#include "server/entries/entries.hpp"

namespace {

using namespace annals;
using namespace annals::server;

constexpr EntryFormat formats[] = {EntryFormat::jsonl, EntryFormat::env, EntryFormat::properties};

struct Read {
  std::vector<Entry> entries;
  std::string refusal;  ///< its line and message; empty when all was read
};

bool same(const Entry& left, const Entry& right) {
  return left.name == right.name && left.value == right.value;
}

/// The text comes in pieces of the given sizes, again from the first when they are used up.
Read read(EntryFormat format, std::string_view text, std::span<const std::uint8_t> sizes) {
  std::size_t piece = 0;
  const auto reader = make_entry_reader(format, [&]() -> Result<std::string> {
    const std::size_t wanted = sizes.empty() ? text.size() : std::size_t{sizes[piece++ % sizes.size()]} + 1;
    const std::string_view given = text.substr(0, wanted);
    text.remove_prefix(given.size());
    return std::string(given);
  });
  Read all;
  std::uint64_t line = 0;
  while (true) {
    auto entry = reader->next();
    if (!entry) {
      INVARIANT(entry.error().kind == ErrorKind::invalid, "what is wrong with the text is the text's fault");
      INVARIANT(!entry.error().message.empty() && reader->line() > 0, "a refusal says what and where");
      all.refusal = std::to_string(reader->line()) + ": " + entry.error().message;
      return all;
    }
    if (!*entry) return all;
    INVARIANT((*entry)->line > line, "each entry begins on a later line");
    INVARIANT(is_utf8((*entry)->name) && is_utf8((*entry)->value), "names and values are UTF-8");
    line = (*entry)->line;
    all.entries.push_back(**std::move(entry));
  }
}

void check_same(const Read& left, const Read& right) {
  INVARIANT(left.refusal == right.refusal, "pieces make no difference to what is refused");
  INVARIANT(std::ranges::equal(
                left.entries, right.entries,
                [](const Entry& one, const Entry& other) { return same(one, other) && one.line == other.line; }),
            "pieces make no difference to what is read");
}

/// Written in a format and read back. What the format cannot hold is refused, and leaves nothing behind.
void check_comes_back(EntryFormat format, const std::vector<Entry>& entries) {
  std::string text;
  std::vector<Entry> held;
  for (const Entry& entry : entries) {
    const std::size_t before = text.size();
    if (append_entry(format, text, entry.name, entry.value)) {
      held.push_back(entry);
      continue;
    }
    INVARIANT(format == EntryFormat::env, "the other formats hold everything");
    INVARIANT(text.size() == before, "what is refused is not written by half");
  }
  const Read again = read(format, text, {});
  INVARIANT(again.refusal.empty(), "what was written is read without complaint");
  INVARIANT(std::ranges::equal(again.entries, held, same), "what was written comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const EntryFormat format = formats[data[0] % std::size(formats)];
  const std::size_t size_count = std::min<std::size_t>(data[1] % 16, size - 2);
  const std::span<const std::uint8_t> sizes(data + 2, size_count);
  const std::string_view text(reinterpret_cast<const char*>(data) + 2 + size_count, size - 2 - size_count);

  const Read whole = read(format, text, {});
  const std::uint8_t single_bytes = 0;
  check_same(read(format, text, sizes), whole);
  check_same(read(format, text, {&single_bytes, 1}), whole);
  for (const EntryFormat other : formats) check_comes_back(other, whole.entries);
  for (const Entry& entry : whole.entries) {
    std::string written;
    // A NUL can be read from a .env file, as any byte that is UTF-8, but no shell would take it from one that is
    // written.
    const bool holds = format != EntryFormat::env || entry.value.find('\0') == std::string::npos;
    INVARIANT(append_entry(format, written, entry.name, entry.value).has_value() == holds,
              "a format holds what was read in it");
  }
  return 0;
}
