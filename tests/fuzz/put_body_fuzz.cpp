// The body of a PUT, through the route and the engine: what is accepted is kept as it was meant and comes back by every
// road, what is refused leaves no trace.

#include "base/utf8.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"
#include "tests/fuzz/api_under_fuzz.hpp"

namespace {

using namespace annals;
using fuzz::ApiUnderFuzz;
using http::Method;

constexpr std::size_t value_bytes_max = 1u << 20;

std::string text_member(const std::string& object, std::string_view name) {
  static json::Reader reader;
  const auto read = reader.read_object(object);
  INVARIANT(read.has_value(), "what the API says is JSON");
  const std::string_view* text = read->text(name);
  INVARIANT(text != nullptr, "the member is there");
  return std::string(*text);
}

void check_accepted(ApiUnderFuzz& api, const std::string& tag) {
  const auto read = api.ask(Method::get, "/config/k");
  INVARIANT(read.status == 200 && read.field("ETag") == tag, "what was put can be read");
  INVARIANT(is_utf8(read.body) && read.body.size() <= value_bytes_max, "a value is text within the limit");
  const auto as_json = api.ask(Method::get, "/config/k", {}, {{"Accept", "application/json"}});
  INVARIANT(text_member(as_json.body, "value") == read.body, "the value is the same as JSON");
  const auto list = api.ask(Method::get, "/config?limit=1");
  INVARIANT(list.body.starts_with('[') && list.body.ends_with(']'), "a list is an array");
  INVARIANT(text_member(list.body.substr(1, list.body.size() - 2), "value") == read.body,
            "the value is the same in a list");

  std::string again = "{\"value\":";
  json::append_string(again, read.body);
  INVARIANT(api.ask(Method::put, "/config/k", again + "}").status == 200, "a value can be put as it was read");
  INVARIANT(api.ask(Method::get, "/config/k").body == read.body, "and is then the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ApiUnderFuzz& api = ApiUnderFuzz::current();
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto before = api.ask(Method::get, "/config/k");
  const auto put = api.ask(Method::put, "/config/k", body);
  if (put.status == 200) {
    INVARIANT(put.body == "OK" && put.field("ETag") != before.field("ETag"), "a success has a version of its own");
    check_accepted(api, put.field("ETag"));
    return 0;
  }
  INVARIANT(put.status == 400 || put.status == 413 || put.status == 422, "a body is refused as such");
  INVARIANT(!text_member(put.body, "code").empty(), "a refusal has a code");
  const auto after = api.ask(Method::get, "/config/k");
  INVARIANT(after.status == before.status && after.body == before.body && after.field("ETag") == before.field("ETag"),
            "what is refused leaves no trace");
  return 0;
}
