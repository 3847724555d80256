#include "http/server/request_parser.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "http/server/malformed_requests.hpp"

namespace annals::http {
namespace {

using Step = RequestParser::Step;

/// What a parser made of some bytes, as text to be compared.
struct Outcome {
  std::vector<std::string> requests;
  int refused = 0;
  Step step = Step::between;
  bool operator==(const Outcome&) const = default;
};

std::string describe(const RequestParser& parser, const Request& request) {
  std::string text = std::string(request.method_text) + " " + std::string(request.target) +
                     " path=" + std::string(request.path) + " query=" + std::string(request.query);
  for (const Field& field : request.fields)
    text += " [" + std::string(field.name) + "=" + std::string(field.value) + "]";
  if (!request.body.empty()) text += " body=" + std::string(request.body);
  if (!parser.framing().keep_alive) text += " close";
  if (parser.framing().expects_continue) text += " continue";
  return text;
}

void drive(RequestParser& parser, Outcome& outcome) {
  while ((outcome.step = parser.advance()) == Step::complete) {
    outcome.requests.push_back(describe(parser, parser.request()));
    parser.next();
  }
  if (outcome.step == Step::refused) outcome.refused = parser.refusal().status;
}

/// Parses `bytes` given in pieces that end at `cuts`.
Outcome parse(std::string_view bytes, std::vector<std::size_t> cuts = {}) {
  RequestParser parser({});
  Outcome outcome;
  cuts.push_back(bytes.size());
  std::size_t begin = 0;
  for (std::size_t end : cuts) {
    if (outcome.step == Step::refused) break;
    // At most as much as there is room for at once, as from a socket.
    while (begin < end && outcome.step != Step::refused) {
      const std::size_t count = std::min(parser.room().size(), end - begin);
      parser.feed(bytes.substr(begin, count));
      begin += count;
      drive(parser, outcome);
    }
  }
  return outcome;
}

TEST(RequestParser, a_request_is_read_with_its_parts) {
  const Outcome outcome =
      parse("GET /config/a%2Fb?at=1&x HTTP/1.1\r\nHost: example.com:4000\r\nX-Empty:\r\nX-Padded: \t a b \t\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 1u);
  EXPECT_EQ(
      outcome.requests[0],
      "GET /config/a%2Fb?at=1&x path=/config/a%2Fb query=at=1&x [Host=example.com:4000] [X-Empty=] [X-Padded=a b]");
  EXPECT_EQ(outcome.step, Step::between);
}

TEST(RequestParser, methods_are_recognised) {
  const std::pair<std::string_view, Method> expected[] = {
      {"GET", Method::get},
      {"HEAD", Method::head},
      {"PUT", Method::put},
      {"POST", Method::post},
      {"PATCH", Method::patch},
      {"DELETE", Method::delete_},
      {"OPTIONS", Method::options},
      {"TRACE", Method::other},
      // What llhttp does not know, and what it knows and reads otherwise.
      {"FOO", Method::other},
      {"get", Method::other},
      {"!#$%&'*+-.^_`|~09az", Method::other},
      {"PRI", Method::other},
      {"CONNECT", Method::other},
      {"SOURCE", Method::other},
      {"QUERY", Method::other}};
  for (const auto& [text, method] : expected) {
    RequestParser parser({});
    parser.feed(std::string(text) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parser.advance(), Step::complete) << text;
    EXPECT_EQ(parser.request().method, method) << text;
    EXPECT_EQ(parser.request().method_text, text);
  }
}

TEST(RequestParser, a_method_nobody_knows_changes_nothing_of_where_the_request_ends) {
  const Outcome outcome = parse(
      "FOO /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "BAR /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      "CONNECT /c HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiTRACE http://a/d HTTP/1.1\r\nHost: a\r\n\r\n"
      "BAZ /e HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nGET /f HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 6u);
  EXPECT_EQ(outcome.requests[0], "FOO /a path=/a query= [Host=a] [Content-Length=5] body=hello");
  EXPECT_EQ(outcome.requests[1], "BAR /b path=/b query= [Host=a] [Transfer-Encoding=chunked] body=abc");
  EXPECT_EQ(outcome.requests[2], "CONNECT /c path=/c query= [Host=a] [Content-Length=2] body=hi");
  EXPECT_EQ(outcome.requests[3], "TRACE /d path=/d query= [Host=a]");
  EXPECT_EQ(outcome.requests[4], "BAZ /e path=/e query= [Host=a] [Connection=Upgrade] [Upgrade=x]");
  EXPECT_EQ(outcome.requests[5], "GET /f path=/f query= [Host=a]");
}

TEST(RequestParser, requests_in_one_piece_are_read_one_after_another) {
  const Outcome outcome = parse(
      "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "PUT /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 4u);
  EXPECT_EQ(outcome.requests[0], "PUT /a path=/a query= [Host=a] [Content-Length=5] body=hello");
  EXPECT_EQ(outcome.requests[1], "PUT /b path=/b query= [Host=a] [Transfer-Encoding=chunked] body=abcde");
  EXPECT_EQ(outcome.requests[2], "GET /c path=/c query= [Host=a]");
  EXPECT_EQ(outcome.requests[3], "GET /d path=/d query= [Host=a] [Connection=close] close");
}

/// Whatever is kept of one request to read the next one by must not be seen.
TEST(RequestParser, a_request_behind_another_with_the_same_fields_is_read_as_if_it_came_first) {
  const std::string fields = "Host: a\r\nAccept: */*\r\nX-Empty:\r\nUser-Agent: b\tc\r\n";
  const std::string with_tabs = "Host: a\r\nAccept:\t*/*\t\r\nX-Empty:\t\r\nUser-Agent: b\tc\r\n";
  const std::string with_blanks = "Host: a\r\nAccept: */* \r\nX-Empty: \r\nUser-Agent: b\tc\r\n";
  const std::string visible = [] {
    std::string path = "/";
    for (char character = 0x21; character < 0x7f; ++character) path += character == '#' ? '-' : character;
    return path;
  }();
  const std::vector<std::string> requests{
      "GET /x HTTP/1.1\r\n" + fields + "\r\n",
      "GET /x HTTP/1.1\r\n" + with_tabs + "\r\n",
      "GET /x HTTP/1.1\r\n" + with_blanks + "\r\n",
      "GET /longer?than=it HTTP/1.1\r\n" + fields + "\r\n",
      "GET " + visible + " HTTP/1.1\r\n" + fields + "\r\n",
      "GET /caf\xc3\xa9 HTTP/1.1\r\n" + fields + "\r\n",
      "GET /x HTTP/1.0\r\n" + fields + "\r\n",
      "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n" + fields + "\r\n",
      "GET http://a/x HTTP/1.1\r\n" + fields + "\r\n",
      "GET http://other/x HTTP/1.1\r\n" + fields + "\r\n",
      "OPTIONS * HTTP/1.1\r\n" + fields + "\r\n",
      "HEAD /x HTTP/1.1\r\n" + fields + "\r\n",
      "BREW /x HTTP/1.1\r\n" + fields + "\r\n",
      "CONNECT /x HTTP/1.1\r\n" + fields + "\r\n",
      "CONNECT a:1 HTTP/1.1\r\n" + fields + "\r\n",
      "GET /x HTTP/1.1\r\n" + fields + "X-More: d\r\n\r\n",
      "GET /x HTTP/1.1\r\n" + fields + fields + "\r\n",
      "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /x HTTP/1.1\r\nHost: b\r\n\r\n",
      "GET /x#y HTTP/1.1\r\nHost: b\r\n\r\n",
      "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none",
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo",
      "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none",
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
      "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1",
      "PUT /x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\n1",
  };
  for (const std::string& first : requests) {
    const Outcome alone = parse(first);
    for (const std::string& second : requests) {
      Outcome expected = alone;
      if (alone.refused == 0) {
        expected = parse(second);
        expected.requests.insert(expected.requests.begin(), {alone.requests[0], alone.requests[0]});
      }
      EXPECT_EQ(parse(first + first + second), expected) << first << second;
    }
  }
}

TEST(RequestParser, fields_that_repeat_are_within_the_same_limits) {
  ParserLimits limits;
  const std::string fields = " HTTP/1.1\r\nHost: a\r\n\r\n";
  limits.head.header_bytes_max = fields.size() + 10;
  RequestParser parser(limits);
  parser.feed("GET /12345" + fields);
  EXPECT_EQ(parser.advance(), Step::complete);
  parser.next();
  parser.feed("GET /54321" + fields);
  EXPECT_EQ(parser.advance(), Step::complete);
  parser.next();
  parser.feed("GET /123456" + fields);
  EXPECT_EQ(parser.advance(), Step::refused);
  EXPECT_EQ(parser.refusal().status, 431);
}

TEST(RequestParser, absolute_form_is_reduced_to_origin_form) {
  const std::pair<std::string_view, std::string_view> expected[] = {{"http://a/x?y", "/x?y"},
                                                                    {"HTTP://A/x", "/x"},
                                                                    {"https://a/", "/"},
                                                                    {"http://a", "/"},
                                                                    {"http://a?y=http://b/", "/?y=http://b/"}};
  for (const auto& [sent, target] : expected) {
    RequestParser parser({});
    parser.feed("GET " + std::string(sent) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parser.advance(), Step::complete) << sent;
    EXPECT_EQ(parser.request().target, target);
    EXPECT_TRUE(parser.request().path.starts_with('/'));
  }
}

TEST(RequestParser, blanks_and_tabs_around_a_value_are_no_part_of_it) {
  for (const std::string_view space : {"", " ", "\t", " \t ", "\t\t"}) {
    const std::string around(space);
    const Outcome outcome =
        parse("PUT /a HTTP/1.1\r\nHost:" + around + "a" + around + "\r\nContent-Length:" + around + "5" + around +
              "\r\nX:" + around + "a\tb" + around +
              "\r\n\r\nhelloPUT /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:" + around + "chunked" + around +
              "\r\nConnection:" + around + "close" + around + "\r\nX:" + around + "\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    ASSERT_EQ(outcome.requests.size(), 2u) << outcome.refused;
    EXPECT_EQ(outcome.requests[0], "PUT /a path=/a query= [Host=a] [Content-Length=5] [X=a\tb] body=hello");
    EXPECT_EQ(outcome.requests[1],
              "PUT /b path=/b query= [Host=a] [Transfer-Encoding=chunked] [Connection=close] [X=] body=abc close");
  }
}

TEST(RequestParser, what_lasts_follows_from_version_and_connection) {
  const std::pair<std::string_view, bool> expected[] = {
      {"HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.1\r\nHost: a\r\nconnection: x, CLOSE ,y\r\n\r\n", false},
      {"HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.2\r\nHost: a\r\n\r\n", true},
      {"HTTP/1.9\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.0\r\n\r\n", false},
      {"HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", true},
      {"HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
  };
  for (const auto& [rest, lasts] : expected) {
    RequestParser parser({});
    parser.feed("GET / " + std::string(rest));
    ASSERT_EQ(parser.advance(), Step::complete) << rest;
    EXPECT_EQ(parser.framing().keep_alive, lasts) << rest;
  }
}

TEST(RequestParser, what_is_unusual_and_legal_is_taken) {
  for (const std::string& bytes : {
           std::string("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n"),
           std::string("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
           std::string("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhOST:[::1]:4000\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9 \"quoted\"\ttab\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                       "h2c\r\nHTTP2-Settings: AA\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a\r\nConnection: ,close, ,\r\n\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello"),
           std::string(
               "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n000A\r\n0123456789\r\n0\r\n\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;last\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
           std::string("GET /%00%zz?[] HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET http://a/x HTTP/1.0\r\n\r\n"),
           std::string("GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
           std::string("POST / HTTP/1.9\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
       }) {
    const Outcome outcome = parse(bytes);
    EXPECT_EQ(outcome.requests.size(), 1u) << bytes;
    EXPECT_EQ(outcome.refused, 0) << bytes;
  }
}

TEST(RequestParser, everything_malformed_is_refused_and_nothing_behind_it_is_read) {
  for (const MalformedRequest& malformed : malformed_requests()) {
    const Outcome outcome = parse(malformed.bytes + "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(outcome.refused, malformed.status) << malformed.what;
    EXPECT_EQ(outcome.requests, std::vector<std::string>{}) << malformed.what;
  }
}

TEST(RequestParser, a_malformed_request_is_refused_as_well_behind_a_good_one) {
  for (const MalformedRequest& malformed : malformed_requests()) {
    if (malformed.bytes.starts_with("\r\n")) continue;  // the first empty line then belongs to what was before
    const Outcome outcome =
        parse("GET /good HTTP/1.1\r\nHost: a\r\n\r\n" + malformed.bytes + "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(outcome.refused, malformed.status) << malformed.what;
    EXPECT_EQ(outcome.requests.size(), 1u) << malformed.what;
  }
}

TEST(RequestParser, the_outcome_does_not_depend_on_where_the_bytes_are_cut) {
  std::vector<std::string> inputs;
  for (const MalformedRequest& malformed : malformed_requests()) {
    inputs.push_back(malformed.bytes + "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  inputs.emplace_back(
      "\r\nPUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloPUT http://a?b HTTP/1.1\r\nHost: "
      "a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;e\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: u\r\nV: w\r\n\r\nGET /c HTTP/1.0\r\n\r\nPUT /x "
      "HTTP/1.1\r\nHost: a\r\nContent-Len");
  for (const std::string& input : inputs) {
    const Outcome whole = parse(input);
    const std::size_t step = input.size() > 2000 ? 997 : 1;  // every place, but for the long ones
    for (std::size_t cut = 1; cut < input.size(); cut += step)
      EXPECT_EQ(parse(input, {cut}), whole) << input << " cut at " << cut;
    if (input.size() > 2000) continue;
    std::vector<std::size_t> everywhere;
    for (std::size_t cut = 1; cut < input.size(); ++cut) everywhere.push_back(cut);
    EXPECT_EQ(parse(input, everywhere), whole) << input << " byte by byte";
  }
}

TEST(RequestParser, random_damage_never_makes_the_outcome_depend_on_the_cuts) {
  const std::string original =
      "PUT /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloPOST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "3;e\r\nabc\r\n0\r\nT: u\r\n\r\nGET /d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n";
  const std::string_view alphabet("\r\n\t :;,/?*#0123456789abfx\0\x7f\xff", 29);
  const unsigned seed = 20260212;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 dice(seed);
  for (int round = 0; round < 3000; ++round) {
    std::string input = original;
    for (auto changes = 1 + dice() % 3; changes > 0; --changes) {
      const std::size_t place = dice() % input.size();
      const char character = alphabet[dice() % alphabet.size()];
      switch (dice() % 3) {
        case 0: input[place] = character; break;
        case 1: input.insert(place, 1, character); break;
        default: input.erase(place, 1); break;
      }
    }
    std::vector<std::size_t> cuts;
    for (std::size_t place = dice() % 20; place < input.size(); place += 1 + dice() % 20) cuts.push_back(place);
    ASSERT_EQ(parse(input, cuts), parse(input)) << input;
  }
}

TEST(RequestParser, limits_are_exact) {
  const ParserLimits limits{.head = {.header_bytes_max = 100, .target_bytes_max = 20, .fields_max = 3},
                            .body_bytes_max = 10};
  const auto refused = [&](const std::string& bytes) {
    RequestParser parser(limits);
    parser.feed(bytes);
    const Step step = parser.advance();
    return step == Step::refused ? parser.refusal().status : step == Step::complete ? 200 : 0;
  };
  EXPECT_EQ(refused("GET /" + std::string(19, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
  EXPECT_EQ(refused("GET /" + std::string(20, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nA: a\r\nB: b\r\n\r\n"), 200);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nA: a\r\nB: b\r\nC: c\r\n\r\n"), 431);
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  EXPECT_EQ(refused(head + std::string(100 - head.size() - 4, 'x') + "\r\n\r\n"), 200);
  EXPECT_EQ(refused(head + std::string(101 - head.size() - 4, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(refused("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"), 200);
  EXPECT_EQ(refused("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"), 413);
  const std::string chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(refused(chunked + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), 200);
  EXPECT_EQ(refused(chunked + "5\r\n01234\r\n6\r\n"), 413);
}

TEST(RequestParser, a_large_body_arrives_whole_in_either_form) {
  std::string body;
  for (int number = 0; body.size() < (3u << 20); ++number) body += std::to_string(number) + " ";
  const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::mt19937 dice(7);
  for (std::size_t begin = 0; begin < body.size();) {
    const std::size_t count = std::min<std::size_t>(1 + dice() % 5000, body.size() - begin);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", count);
    chunked += size + body.substr(begin, count) + "\r\n";
    begin += count;
  }
  chunked += "0\r\n\r\n";
  for (const std::string& bytes : {chunked + next, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                                       std::to_string(body.size()) + "\r\n\r\n" + body + next}) {
    RequestParser parser({});
    std::string_view rest = bytes;
    while (parser.advance() != Step::complete) {
      const std::size_t count = std::min(rest.size(), std::min<std::size_t>(parser.room().size(), 20000));
      ASSERT_GT(count, 0u);
      parser.feed(rest.substr(0, count));
      rest.remove_prefix(count);
    }
    EXPECT_TRUE(parser.request().body == body);
    parser.next();
    parser.feed(rest);
    ASSERT_EQ(parser.advance(), Step::complete);
    EXPECT_EQ(parser.request().target, "/next");
    parser.next();
    EXPECT_LE(parser.room().size(), 64u << 10) << "the memory of a large body is given back";
  }
}

TEST(RequestParser, a_body_that_never_comes_takes_no_memory) {
  RequestParser parser({});
  parser.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000000\r\n\r\n");
  ASSERT_EQ(parser.advance(), Step::body);
  EXPECT_LE(parser.room().size(), 16u << 10);
}

TEST(RequestParser, bodies_that_together_take_more_than_their_budget_are_refused_and_give_back_what_they_took) {
  constexpr std::uint64_t budget_bytes = 1u << 20;
  const std::string fixed = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n";
  const std::string chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ndbba0\r\n";
  const std::string half(450'000, 'x');
  BodyBudget budget(budget_bytes);
  for (const std::string& head : {fixed, chunked}) {
    // Each alone is small enough, and so are their beginnings, which is all that there is at first.
    RequestParser first({}, &budget);
    RequestParser second({}, &budget);
    for (RequestParser* parser : {&first, &second}) {
      parser->feed(head);
      ASSERT_EQ(parser->advance(), Step::body);
    }
    EXPECT_EQ(budget.taken(), 0u) << "what has not come takes nothing";
    const auto send = [](RequestParser& parser, std::string_view bytes) {
      Step step = Step::body;
      while (!bytes.empty() && step == Step::body) {
        const std::size_t count = std::min(parser.room().size(), bytes.size());
        parser.feed(bytes.substr(0, count));
        bytes.remove_prefix(count);
        step = parser.advance();
      }
      return step;
    };
    ASSERT_EQ(send(first, half), Step::body);
    EXPECT_GE(budget.taken(), half.size() - BodyBudget::bytes_free);
    ASSERT_EQ(send(second, half), Step::body);
    EXPECT_LE(budget.taken(), budget_bytes);
    const bool in_chunks = head == chunked;
    ASSERT_EQ(send(second, half), Step::refused);
    EXPECT_EQ(second.refusal().status, 503);
    EXPECT_EQ(second.refusal().code, "body_memory_full");
    EXPECT_EQ(second.request().path, "/");
    RequestParser third({}, &budget);
    third.feed(fixed);
    EXPECT_EQ(third.advance(), Step::refused) << "what cannot come is refused before it comes";
    RequestParser small({}, &budget);
    small.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(small.advance(), Step::complete) << "small ones are no matter";
    second.discard();
    ASSERT_EQ(send(first, half + (in_chunks ? "\r\n0\r\n\r\n" : "")), Step::complete);
    EXPECT_EQ(first.request().body.size(), 900'000u);
    first.next();
    (void)first.room();
    EXPECT_EQ(budget.taken(), 0u);
  }
}

TEST(RequestParser, a_refusal_knows_the_head_when_it_was_whole_and_good) {
  const std::string head = "PUT /x HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n";
  for (std::string_view rest : {"Transfer-Encoding: chunked\r\n\r\nx", "Content-Length: 99999999999\r\n\r\n",
                                "Expect: 200-ok\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\nxx"}) {
    RequestParser parser({});
    parser.feed(head + std::string(rest));
    ASSERT_EQ(parser.advance(), Step::refused) << rest;
    EXPECT_TRUE(parser.has_head()) << rest;
    EXPECT_EQ(parser.request().method, Method::put) << rest;
    EXPECT_EQ(parser.request().path, "/x") << rest;
    EXPECT_EQ(parser.request().field("accept"), "text/plain") << rest;
  }
  for (std::string_view rest : {"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "Host: b\r\n\r\n", "\n"}) {
    RequestParser parser({});
    parser.feed("GET /before HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parser.advance(), Step::complete);
    EXPECT_TRUE(parser.has_head());
    parser.next();
    parser.feed(head + std::string(rest));
    ASSERT_EQ(parser.advance(), Step::refused) << rest;
    EXPECT_FALSE(parser.has_head()) << rest;
    EXPECT_EQ(parser.request().path, "") << rest;
  }
}

}  // namespace
}  // namespace annals::http
