// Names: percent-decoding, the check of a name, and the way of a name through the API: what is accepted can be written,
// read, listed and found by its prefix under the very bytes that were meant.

#include <algorithm>

#include "base/utf8.hpp"
#include "json/reader.hpp"
#include "tests/fuzz/api_under_fuzz.hpp"

namespace {

using namespace annals;
using fuzz::ApiUnderFuzz;
using http::Method;

/// The rule by another road: the shortest form of each code point, no surrogates, no controls (C0, DEL, C1).
bool is_good_name(std::string_view name) {
  if (name.empty() || name.size() > 512) return false;
  for (std::size_t place = 0; place < name.size();) {
    const auto first = static_cast<unsigned char>(name[place]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || name.size() - place < length) return false;
    std::uint32_t code = length == 1 ? first : first & (0x7fu >> length);
    for (std::size_t more = 1; more < length; ++more) {
      const auto byte = static_cast<unsigned char>(name[place + more]);
      if ((byte & 0xc0u) != 0x80u) return false;
      code = code << 6 | (byte & 0x3fu);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
    place += length;
  }
  return true;
}

/// What may come as one segment of a path, as far as the parser of requests is concerned.
bool is_segment(std::string_view raw) {
  return !raw.empty() && std::ranges::all_of(raw, [](char character) {
    return character > ' ' && character < 0x7f && character != '/' && character != '?' && character != '#';
  });
}

void check_way(const std::string& raw, const std::optional<std::string>& name, bool good) {
  ApiUnderFuzz& api = ApiUnderFuzz::current();
  const auto put = api.ask(Method::put, "/config/" + raw, R"({"value":"v"})");
  INVARIANT(put.status == (good ? 200 : 400), "a name is taken or refused");
  const auto get = api.ask(Method::get, "/config/" + raw, {}, {{"Accept", "application/json"}});
  INVARIANT(get.status == (good ? 200 : 400), "and so when it is read");
  if (!good) return;
  static json::Reader reader;
  const auto record = reader.read_object(get.body);
  INVARIANT(record.has_value() && record->text("name") != nullptr && *record->text("name") == *name,
            "a name comes back as it was meant");
  const std::string encoded = http::percent_encode(*name);
  INVARIANT(api.ask(Method::get, "/config/" + encoded).status == 200, "every way to write a name means the same");
  const auto list = api.ask(Method::get, "/config?limit=1&prefix=" + encoded);
  INVARIANT(list.status == 200 && list.body.size() > 2, "a name is its own prefix");
  const auto listed = reader.read_object(std::string_view(list.body).substr(1, list.body.size() - 2));
  INVARIANT(listed.has_value() && *listed->text("name") == *name, "and the first that has it");
  INVARIANT(api.ask(Method::delete_, "/config/" + raw).status == 200, "and can be deleted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string raw(reinterpret_cast<const char*>(data), size);
  INVARIANT(http::percent_decode(http::percent_encode(raw)) == raw, "any bytes can be sent, escaped");
  INVARIANT(model::check_key(raw).has_value() == is_good_name(raw), "two readers of the rule agree");
  const std::optional<std::string> name = http::percent_decode(raw);
  if (name) INVARIANT(name->size() <= raw.size(), "decoding makes nothing longer");
  const bool good = name && is_good_name(*name);
  if (name) INVARIANT(model::check_key(*name).has_value() == good, "two readers of the rule agree");
  if (is_segment(raw)) check_way(raw, name, good);
  return 0;
}
