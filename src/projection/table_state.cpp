#include "projection/table_state.hpp"

#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace annals::projection {
namespace {

constexpr std::size_t block_bytes = 128u << 10;
// What the table is held for at a time: some microseconds.
constexpr std::size_t slice_rows = 64;
constexpr std::size_t slice_bytes = 64u << 10;

constexpr std::uint32_t no_value = UINT32_MAX;

void append(std::string& out, const StoredRow& row, const model::Record& record) {
  put(out, static_cast<std::uint16_t>(row.key().size()));
  put(out, record.exists() ? static_cast<std::uint32_t>(record.value->size()) : no_value);
  put(out, row.version().value);
  put(out, row.updated_at().microseconds);
  out += row.key();
  out += *record.value;
}

}  // namespace

void TableState::begin_writing() {
  last_ = {};
  newest_ = {};
}

Result<std::uint64_t> TableState::write(std::string& contents) {
  std::uint64_t count = 0;
  while (contents.size() < block_bytes) {
    ReadTable::Slice slice = table_.slice(last_ ? &*last_ : nullptr, slice_rows, slice_bytes);
    newest_ = slice.newest;
    if (slice.rows.empty()) break;
    for (std::span<const RowHolder> rest = slice.rows; !rest.empty();) {
      const std::vector<model::Record> records = TRY(table_.records(rest, slice_bytes, Use::passes));
      for (std::size_t at = 0; at < records.size(); ++at) append(contents, *rest[at], records[at]);
      rest = rest.subspan(records.size());
    }
    count += slice.rows.size();
    last_ = std::move(slice.rows.back());
  }
  if (count == 0) last_ = {};
  return count;
}

Result<std::uint64_t> TableState::read(std::string_view contents) {
  ByteReader reader(contents);
  std::uint64_t count = 0;
  while (!reader.at_end()) {
    const auto key_bytes = reader.integer<std::uint16_t>();
    const auto value_bytes = reader.integer<std::uint32_t>();
    const StreamVersion version{reader.integer<std::uint64_t>()};
    const Instant updated_at{reader.integer<std::int64_t>()};
    const std::string_view key = reader.take(key_bytes);
    const bool exists = value_bytes != no_value;
    const std::string_view value = reader.take(exists ? value_bytes : 0);
    if (!reader.ok() || version.value == 0 || !StoredRow::fits(key, version) || !is_time(updated_at) ||
        !table_.restore({key, version, exists, updated_at}, value)) {
      return fail(ErrorKind::corrupt, "row " + std::to_string(count) + " of a block is not what a table writes");
    }
    ++count;
  }
  return count;
}

Result<> TableState::take_over(const StateFileSummary& summary) {
  if (summary.note != row_form_)
    return fail(ErrorKind::gone,
                "its rows are of the model as it was declared before; they are made anew from the log");
  return table_.adopt(summary.begin, summary.end);
}

}  // namespace annals::projection
