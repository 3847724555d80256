#include "benchmarks/stages/whole_requests.hpp"

#include <optional>
#include <utility>

#include "http/server/response_head.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::size_t page_rows = 100;

/// Lines of the audit log cost what making them costs; where they go is the machine's affair.
class Nowhere final : public platform::LineOutput {
 public:
  Result<> write(std::string_view) override { return {}; }
};

std::string_view body_of(const http::Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  if (const auto* shared = std::get_if<SharedText>(&response.body)) return **shared;
  return {};
}

/// A page of which there is more; another one for each number.
std::string page_request(std::uint64_t number) {
  const std::uint64_t hundredths = price_hundredths_min + number * price_step % (prices * 9 / 10);
  const std::string cents = std::to_string(100 + hundredths % 100).substr(1);
  return get_request("/api/products?price[gte]=" + std::to_string(hundredths / 100) + "." + cents +
                         "&sort=price&limit=" + std::to_string(page_rows),
                     "127.0.0.1:4000");
}

}  // namespace

class WholeRequests::Answer final : public http::Responder::Target {
 public:
  void respond(http::Response&& answer) override { response = std::move(answer); }
  void dropped() override {}
  std::optional<http::Response> response;
};

WholeRequests::WholeRequests(engine::Engine& engine, platform::SteppedExecutor& home, const ValueMaker& values,
                             const std::string& audit_checkpoint, Laps& laps)
    : engine_(engine),
      home_(home),
      laps_(laps),
      api_(http::make_api(engine, {})),
      requests_(values, "127.0.0.1:4000", "/api/products/", 1),
      identities_(engine.platform().random),
      nowhere_(std::make_unique<Nowhere>()),
      audit_({.values = false, .checkpoint_path = audit_checkpoint}, engine, *nowhere_),
      texts_(stages_batch),
      audited_(engine.store().status().visible) {
  for (std::size_t i = 0; i < stages_batch; ++i) answers_.push_back(std::make_shared<Answer>());
}

Result<> WholeRequests::run(std::uint64_t first) {
  const auto post_all = [&]() -> Result<> {
    for (std::size_t i = 0; i < stages_batch; ++i) TRY(hand_in(i, texts_[i]));
    home_.run_ready();
    for (std::size_t i = 0; i < stages_batch; ++i) TRY(take(i, 201));
    return {};
  };
  const auto get = [&](std::size_t i) -> Result<> {
    TRY(hand_in(i, texts_[i]));
    home_.run_ready();
    return take(i, 200);
  };
  const auto audit = [&]() -> Result<> { return audit_batch(); };
  for (std::size_t i = 0; i < stages_batch; ++i) texts_[i] = requests_.write(first + i, 1, 1);
  TRY(laps_.whole("POST as a whole, but for sockets and the flush", post_all, Stage::Kind::aside));
  for (std::size_t i = 0; i < stages_batch; ++i) texts_[i] = requests_.get(first + i);
  TRY(laps_.each("GET as a whole, but for sockets", get, Stage::Kind::aside));
  for (std::size_t i = 0; i < stages_batch; ++i) texts_[i] = page_request(first + i);
  TRY(laps_.each("page of 100 by an index as a whole, but for sockets", get, Stage::Kind::aside));
  return laps_.whole("audit log, on its own thread: read the event back, write its line", audit, Stage::Kind::aside);
}

Result<> WholeRequests::hand_in(std::size_t i, std::string_view text) {
  parser_.feed(text);
  if (parser_.advance() != http::RequestParser::Step::complete)
    return fail(ErrorKind::internal, "the parser did not take a request whole");
  http::Request& request = parser_.request();
  request.received_at = engine_.platform().clock.now();
  request.home = &home_;
  identities_.identify(request);
  answers_[i]->response.reset();
  api_(request, http::Responder(answers_[i]));
  parser_.next();
  return {};
}

/// The reply of request `i`, rendered as a connection does.
Result<> WholeRequests::take(std::size_t i, int status) {
  const std::optional<http::Response>& response = answers_[i]->response;
  if (!response || response->status != status) {
    return fail(ErrorKind::internal, "a request is answered " + (response ? std::to_string(response->status) + ": " +
                                                                                std::string(body_of(*response))
                                                                          : "with nothing"));
  }
  const std::string_view body = body_of(*response);
  if (body.empty()) return fail(ErrorKind::internal, "the body of a reply does not come at once");
  out_.clear();
  const http::BodyForm form = http::body_form(*response, false, false);
  http::append_head(out_, *response, form, http::ConnectionSaying::nothing, date_.at(engine_.platform().clock.now()),
                    "0192e4a0-7a3c-7def-8123-456789abcdef");
  out_ += body;
  return {};
}

Result<> WholeRequests::audit_batch() {
  const EventPage page =
      TRY(engine_.store().read_all(audited_, Horizon::visible, PageLimit{stages_batch, std::size_t{1} << 20}));
  if (page.events().size() != stages_batch) return fail(ErrorKind::internal, "there are not the events of a batch");
  audited_ = page.events().back().position;
  return audit_.handle(page);
}

}  // namespace annals::benchmarks
