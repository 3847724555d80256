#pragma once
// The forms in which lists of records go out: a page as JSON; JSON lines (NDJSON: one object and a line feed a record);
// comma-separated values (RFC 4180: a line of names, lines end in CR LF). Immutable.
//
// In comma-separated values a field without a value is empty, and an empty text is two quotes; texts are as they are,
// lists and json as JSON. Nothing is done about texts that spreadsheets take for formulas.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/request.hpp"
#include "http/routes/expansion.hpp"
#include "model/model.hpp"

namespace annals::http {

enum class ListFormat : std::uint8_t { page, lines, table };

/// What the request accepts: a page unless it likes one of the others better.
[[nodiscard]] ListFormat list_format_of(const Request& request);
[[nodiscard]] std::string_view content_type_of(ListFormat format);

class RecordWriter {
 public:
  /// `fields` are the places of those that are shown, in this order; none: all that are exposed. `model` outlives it.
  /// `expansion` is of JSON only.
  RecordWriter(const model::Model& model, std::vector<std::size_t> fields, ListFormat format, Expansion expansion = {});

  /// What comes before the first record: the line of names.
  void begin(std::string& out) const;
  /// A record by its text, with what it refers to. Errors: corrupt, when that is none of the model.
  [[nodiscard]] Result<> append(std::string& out, std::string_view text) const;

 private:
  void append_object(std::string& out, const std::vector<std::string_view>& values) const;
  [[nodiscard]] Result<> append_line(std::string& out, const std::vector<std::string_view>& values) const;

  const model::Model& model_;
  const bool whole_;  // each record as it is
  std::vector<std::size_t> fields_;
  const ListFormat format_;
  const Expansion expansion_;
};

}  // namespace annals::http
