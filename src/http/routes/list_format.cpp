#include "http/routes/list_format.hpp"

#include <array>

#include "http/fields.hpp"
#include "json/writer.hpp"
#include "model/record_text.hpp"
#include "model/value_order.hpp"

namespace annals::http {
namespace {

constexpr std::string_view line_end = "\r\n";

void append_cell(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos && text.front() != ' ' &&
                     text.back() != ' ';
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (char character : text) {
    if (character == '"') out += '"';
    out += character;
  }
  out += '"';
}

}  // namespace

ListFormat list_format_of(const Request& request) {
  constexpr std::array<std::string_view, 3> offers{"application/json", "application/x-ndjson", "text/csv"};
  return static_cast<ListFormat>(preferred(request, offers).value_or(0));
}

std::string_view content_type_of(ListFormat format) {
  switch (format) {
    case ListFormat::page: return "application/json";
    case ListFormat::lines: return "application/x-ndjson";
    case ListFormat::table: return "text/csv; charset=utf-8; header=present";
  }
  return "application/json";
}

RecordWriter::RecordWriter(const model::Model& model, std::vector<std::size_t> fields, ListFormat format,
                           Expansion expansion)
    : model_(model),
      whole_(fields.empty() && format != ListFormat::table && !model.hides),
      fields_(std::move(fields)),
      format_(format),
      expansion_(std::move(expansion)) {
  const bool all = fields_.empty();
  for (std::size_t place = 0; all && place < model.fields.size(); ++place) {
    if (model.fields[place].exposed) fields_.push_back(place);
  }
}

void RecordWriter::begin(std::string& out) const {
  if (format_ != ListFormat::table) return;
  for (const std::size_t field : fields_) {
    if (field != fields_.front()) out += ',';
    out += model_.fields[field].name;
  }
  out += line_end;
}

Result<> RecordWriter::append(std::string& out, std::string_view text) const {
  if (whole_) {
    out += text;
  } else {
    const std::vector<std::string_view> values = TRY(model::values_of(model_, text));
    if (format_ == ListFormat::table) return append_line(out, values);
    append_object(out, values);
  }
  TRY(expansion_.append(out, text));
  if (format_ == ListFormat::lines) out += '\n';
  return {};
}

void RecordWriter::append_object(std::string& out, const std::vector<std::string_view>& values) const {
  out += '{';
  for (const std::size_t field : fields_) {
    json::append_member(out, model_.fields[field].name);
    out += values[field];
  }
  out += '}';
}

Result<> RecordWriter::append_line(std::string& out, const std::vector<std::string_view>& values) const {
  for (const std::size_t field : fields_) {
    if (field != fields_.front()) out += ',';
    if (values[field] == "null") continue;
    const model::FieldValue value = TRY(model::stored_value(model_.fields[field], values[field]));
    const auto* text = value.as<std::string>();
    const auto* decimal = value.as<model::WrittenDecimal>();
    append_cell(out, text ? std::string_view(*text) : decimal ? std::string_view(decimal->text) : values[field]);
  }
  out += line_end;
  return {};
}

}  // namespace annals::http
