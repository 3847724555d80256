// json::Reader: whatever it accepts has text that is text and names that differ, and says the same when written again.

#include <set>

#include "base/invariant.hpp"
#include "base/utf8.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"

namespace {

using namespace annals::json;

void check(const Object& object) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : object.members) {
    INVARIANT(annals::is_utf8(name), "a member's name is text");
    INVARIANT(names.insert(name).second, "no name occurs twice");
    if (const auto* text = std::get_if<std::string_view>(&value)) INVARIANT(annals::is_utf8(*text), "a string is text");
  }
}

/// The members that are strings, as an object of their own.
std::string written_again(const Object& object) {
  std::string out = "{";
  for (const auto& [name, value] : object.members) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) continue;
    if (out.size() > 1) out += ',';
    append_string(out, name);
    out += ':';
    append_string(out, *text);
  }
  return out + "}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Reader first_reader;
  static Reader second_reader;
  const auto object = first_reader.read_object({reinterpret_cast<const char*>(data), size});
  if (!object) {
    INVARIANT(object.error().kind == annals::ErrorKind::invalid, "what is no object is the sender's fault");
    return 0;
  }
  check(*object);
  const auto again = second_reader.read_object(written_again(*object));
  INVARIANT(again.has_value(), "what was written can be read");
  std::size_t place = 0;
  for (const auto& [name, value] : object->members) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) continue;
    const Member& same = again->members.at(place++);
    const auto* same_text = std::get_if<std::string_view>(&same.value);
    INVARIANT(same.name == name && same_text != nullptr && *same_text == *text, "text comes back as it was");
  }
  INVARIANT(place == again->members.size(), "nothing comes back that was not there");
  return 0;
}
