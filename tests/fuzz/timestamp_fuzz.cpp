// The times of the API: `/at/TIME` and `?at=TIME` mean the same moment as the text does, show what was then, and refuse
// what is no time.

#include <algorithm>

#include "tests/fuzz/api_under_fuzz.hpp"

namespace {

using namespace annals;
using fuzz::ApiUnderFuzz;
using http::Method;

/// What may stand for a time in a path and in a query without meaning anything there.
bool is_plain(std::string_view raw) {
  return !raw.empty() && std::ranges::all_of(raw, [](char character) {
    return character > ' ' && character < 0x7f && std::string_view("/?#&").find(character) == std::string_view::npos;
  });
}

/// An API in which `k` is `old` from `first` on and `new` from `second` on.
struct Past {
  ApiUnderFuzz api;
  Instant first;
  Instant second;

  Past() {
    first = put("old");
    api.advance(std::chrono::hours(1));
    second = put("new");
    api.advance(std::chrono::hours(1));
  }
  Instant put(const std::string& value) {
    INVARIANT(api.ask(Method::put, "/config/k", "{\"value\":\"" + value + "\"}").status == 200, "a PUT succeeds");
    const auto history = api.ask(Method::get, "/config/k/history");
    const std::size_t place = history.body.rfind("\"created_at\":\"") + 14;
    const auto time = Instant::from_text(std::string_view(history.body).substr(place, 27));
    INVARIANT(time.has_value(), "an event has its time");
    return *time;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Past past;
  const std::string raw(reinterpret_cast<const char*>(data), size);
  const std::string target = http::percent_encode(raw);
  const std::optional<Instant> time = Instant::from_text(raw);
  // A time that is not over is answered from what has been recorded up to now.
  const int expected = !time ? 400 : *time < past.first ? 404 : 200;
  const std::string value = !time || *time < past.first ? "" : *time < past.second ? "old" : "new";
  if (raw.empty()) return 0;
  for (const std::string& written : {target, is_plain(raw) && raw.find('%') == std::string::npos ? raw : target}) {
    for (const std::string& road : {"/config/k/at/" + written, "/config/k?at=" + written}) {
      const auto reply = past.api.ask(Method::get, road);
      INVARIANT(reply.status == expected, "a time is understood as the text says, or refused");
      INVARIANT(expected != 200 || reply.body == value, "a time shows what was then");
    }
    const auto list = past.api.ask(Method::get, "/config?at=" + written);
    INVARIANT(list.status == (time ? 200 : 400), "a list takes the same times");
    INVARIANT(!time || (list.body == "[]") == value.empty(), "a list shows what was then");
  }
  return 0;
}
