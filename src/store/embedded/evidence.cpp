#include "store/embedded/evidence.hpp"

#include <algorithm>
#include <charconv>

#include "base/wording.hpp"
#include "store/embedded/index/streams_file.hpp"

namespace annals::store {
namespace {

/// A streams file is written once its segments are sealed, and the segment behind them is durable by then.
Result<bool> check_streams(const platform::FileSystem& files, const std::string& directory,
                           const log::FoundLog& found) {
  const std::string folder = platform::join_path(directory, "index");
  if (!TRY(files.exists(folder))) return false;
  const std::size_t count = found.salts.size();
  bool last_was_durable = false;
  for (const std::string& name : TRY(files.list(folder))) {
    const auto span = span_of_streams_name(name);
    if (!span || span->last + 2 < count) continue;
    const std::string path = platform::join_path(folder, name);
    const auto footer = read_streams_footer(files, path);
    if (!footer || footer->store != found.store || footer->span != *span) continue;
    if (span->last < count) {
      const std::vector<std::uint64_t> salts(found.salts.begin() + span->first, found.salts.begin() + span->last + 1);
      if (footer->salts != digest_of_salts(salts)) continue;
    }
    if (span->last + 2 == count) {
      last_was_durable = true;
      continue;
    }
    return fail(
        ErrorKind::corrupt, "segment_missing",
        platform::join_path(directory, "log") + " has " + counted(count, "segment") + " and ends at position " +
            to_string(found.last) + ", but " + path + " was written when there were " + std::to_string(span->last + 2) +
            " at least; put those that are missing back from a backup. If an older copy of the log was put back on "
            "purpose, without what was recorded since, delete the directory " +
            folder + ", which is made anew");
  }
  return last_was_durable;
}

Result<> check_seen(const std::vector<SeenFlushed>& seen, const log::FoundLog& found) {
  for (const SeenFlushed& one : seen) {
    // Of another epoch than the last, it may be of a log that went on elsewhere; then whoever keeps it begins anew.
    if (found.epochs.empty() || one.cursor.epoch != found.epochs.back().number) continue;
    if (one.cursor.position <= found.last) continue;
    return fail(ErrorKind::corrupt, "events_missing",
                "the log ends at position " + to_string(found.last) + ", but " + one.path + " tells of position " +
                    to_string(one.cursor.position) +
                    ", which had been flushed: what lies between was lost by the disk or taken away; put it back from "
                    "a backup. If an older copy of the log was put back on purpose, without what was recorded since, "
                    "delete " +
                    one.path + ", which is made anew");
  }
  return {};
}

std::string hex(const log::Hash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::unexpected<Error> missed(const Anchor& expected, const std::string& found) {
  return fail(ErrorKind::corrupt, "anchor_missed",
              "the log is not the one that was expected: at position " + to_string(expected.position) +
                  " the chain should have the hash " + hex(expected.hash) + ", and " + found);
}

}  // namespace

Result<bool> check_end(const platform::FileSystem& files, const std::string& directory,
                       const std::vector<SeenFlushed>& seen, const log::FoundLog& found) {
  const bool last_was_durable = TRY(check_streams(files, directory, found));
  TRY(check_seen(seen, found));
  return last_was_durable;
}

std::string Anchor::to_text() const {
  return annals::to_string(position) + ":" + hex(hash);
}

std::optional<Anchor> Anchor::from_text(std::string_view text) {
  Anchor anchor;
  const char* end = text.data() + text.size();
  const auto [colon, error] = std::from_chars(text.data(), end, anchor.position.value);
  const auto digits = static_cast<std::size_t>(2 * anchor.hash.size());
  if (error != std::errc{} || anchor.position.value == 0 || colon == end || *colon != ':' ||
      static_cast<std::size_t>(end - colon) != 1 + digits) {
    return std::nullopt;
  }
  for (std::size_t at = 0; at < anchor.hash.size(); ++at) {
    const char* pair = colon + 1 + 2 * at;
    if (std::from_chars(pair, pair + 2, anchor.hash[at], 16).ptr != pair + 2) return std::nullopt;
  }
  return anchor;
}

AnchorCheck::AnchorCheck(const std::vector<Anchor>& expected) : expected_(expected) {
  std::ranges::sort(expected_, {}, &Anchor::position);
}

void AnchorCheck::take(const log::RecordView& record) {
  // A record carries the hash of the one before it.
  while (next_ < expected_.size() && expected_[next_].position.next() <= record.position) {
    Anchor& seen = found_.emplace_back(Anchor{Position{record.position.value - 1}});
    std::ranges::copy(record.previous_hash, reinterpret_cast<char*>(seen.hash.data()));
    ++next_;
  }
}

Result<> AnchorCheck::end(const Anchor& last) const {
  for (std::size_t at = 0; at < expected_.size(); ++at) {
    const Anchor& expected = expected_[at];
    if (expected.position > last.position) {
      return missed(expected, "the log ends at position " + to_string(last.position));
    }
    const Anchor& there = at < found_.size() ? found_[at] : last;
    if (there != expected) return missed(expected, "it has " + hex(there.hash));
  }
  return {};
}

}  // namespace annals::store
