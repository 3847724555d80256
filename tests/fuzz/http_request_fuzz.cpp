// The HTTP request parser: the outcome depends on the bytes and never on how they were cut into pieces; no two readers
// could take what it accepts for different requests; limits hold.
//
// The first byte of the input chooses the limits, the second how many bytes that follow are sizes of pieces; the rest
// is what the client sends.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/invariant.hpp"
#include "http/characters.hpp"
#include "http/server/request_parser.hpp"

namespace {

using namespace annals::http;

std::string shown(std::string_view text) {
  return std::to_string(text.size()) + ":" + std::string(text) + "\n";
}

struct Counted {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
};

/// What must be true of every request that was taken, whatever the parser thinks of itself.
void check(const Request& request, const Framing& framing, const ParserLimits& limits) {
  INVARIANT(is_token(request.method_text), "a method is a token");
  INVARIANT(!request.target.empty() && request.target.size() <= limits.head.target_bytes_max, "a target has a limit");
  for (char character : request.target) {
    INVARIANT(static_cast<unsigned char>(character) > ' ' && character != 0x7f, "a target has no blanks or controls");
  }
  const std::size_t mark = request.target.find('?');
  INVARIANT(request.path == request.target.substr(0, mark), "the path is the target up to the question mark");
  INVARIANT(request.query == (mark == std::string_view::npos ? "" : request.target.substr(mark + 1)),
            "the query is the rest");
  INVARIANT(request.fields.size() <= limits.head.fields_max, "fields have a limit");
  INVARIANT(request.body.size() <= limits.body_bytes_max, "bodies have a limit");

  Counted counted;
  std::size_t header_bytes = request.method_text.size() + request.target.size();
  for (const auto& [name, value] : request.fields) {
    INVARIANT(is_token(name), "a field's name is a token");
    INVARIANT(characters::all_in(characters::text, value) && trim(value) == value, "a field's value is trimmed text");
    header_bytes += name.size() + value.size() + 3;
    counted.hosts += equal_ignoring_case(name, "host");
    if (equal_ignoring_case(name, "transfer-encoding")) {
      ++counted.codings;
      INVARIANT(equal_ignoring_case(value, "chunked"), "no other coding is taken");
    }
    if (equal_ignoring_case(name, "content-length")) {
      ++counted.lengths;
      INVARIANT(!value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos,
                "a length is digits");
      const std::size_t digits = std::min(value.find_first_not_of('0'), value.size());
      INVARIANT((value.size() == digits ? "0" : value.substr(digits)) == std::to_string(request.body.size()),
                "a body has the length that its head claims");
    }
  }
  INVARIANT(header_bytes <= limits.head.header_bytes_max, "heads have a limit");
  INVARIANT(counted.hosts == 1 || (counted.hosts == 0 && framing.http_1_0), "a request names one host");
  INVARIANT(counted.lengths + counted.codings <= 1, "a body is told once and in one way");
  INVARIANT(counted.codings == 1 || counted.lengths == 1 || request.body.empty(), "what was not announced is no body");
  INVARIANT(framing.chunked == (counted.codings == 1), "only what says so is chunked");
}

/// Everything that came out of `bytes` in pieces of the given sizes (again from the first when they are used up), as
/// text.
std::string transcript_of(std::string_view bytes, std::span<const std::uint8_t> sizes, const ParserLimits& limits) {
  using Step = RequestParser::Step;
  RequestParser parser(limits);
  std::string transcript;
  Step step = Step::between;
  for (std::size_t piece = 0; !bytes.empty() && step != Step::refused; ++piece) {
    const std::size_t wanted = sizes.empty() ? bytes.size() : std::size_t{sizes[piece % sizes.size()]} + 1;
    const std::string_view fed = bytes.substr(0, wanted);
    bytes.remove_prefix(fed.size());
    parser.feed(fed);
    while ((step = parser.advance()) == Step::complete) {
      const Request& request = parser.request();
      check(request, parser.framing(), limits);
      transcript += shown(request.method_text) + shown(request.target) + shown(request.body);
      transcript += parser.framing().keep_alive ? "keep-alive\n" : "close\n";
      for (const auto& [name, value] : request.fields) transcript += shown(name) + shown(value);
      parser.next();
    }
  }
  if (step == Step::refused) {
    const Refusal& refusal = parser.refusal();
    INVARIANT(refusal.status >= 400 && refusal.status < 600 && !refusal.code.empty(), "a refusal says what is wrong");
    return transcript + std::to_string(refusal.status) + " " + std::string(refusal.code) + "\n";
  }
  return transcript + "step " + std::to_string(static_cast<int>(step)) + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ParserLimits limits;
  if (data[0] % 2 == 1) {
    limits.head = {.header_bytes_max = 300, .target_bytes_max = 60, .fields_max = 6};
    limits.body_bytes_max = 100;
  }
  const std::size_t size_count = std::min<std::size_t>(data[1] % 16, size - 2);
  const std::span<const std::uint8_t> sizes(data + 2, size_count);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2 + size_count, size - 2 - size_count);

  const std::string whole = transcript_of(bytes, {}, limits);
  const std::uint8_t single_bytes = 0;
  INVARIANT(transcript_of(bytes, sizes, limits) == whole, "pieces make no difference");
  INVARIANT(transcript_of(bytes, {&single_bytes, 1}, limits) == whole, "single bytes make no difference");
  return 0;
}
