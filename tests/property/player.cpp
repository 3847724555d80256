#include "tests/property/player.hpp"

#include "http/request.hpp"

namespace annals::property {
namespace {

constexpr std::size_t transcript_lines_max = 40;
constexpr std::size_t line_bytes_max = 3000;

Shape first_shape(std::uint64_t seed) {
  Dice dice(seed);
  return any_shape(dice);
}

std::string cut(const std::string& text) {
  return text.size() <= line_bytes_max ? text : text.substr(0, line_bytes_max) + "...";
}

}  // namespace

std::string path_of(const Reference& reference, const Place& place) {
  return reference.model(place.first).path() + "/" + http::percent_encode(place.second);
}

Json body_of(const Reply& reply) {
  return parsed(reply.body).value_or(Json{});
}

Player::Player(std::uint64_t seed)
    : dice_(seed), reference_(first_shape(seed)), server_(seed, reference_.shape().large ? 16u << 20 : 64u << 10) {
  const auto started = server_.start(reference_.shape());
  if (!started) disagree("a declaration is refused: " + started.error().message);
}

void Player::disagree(const std::string& what) {
  if (ended()) return;
  disagreement_ = declaration_of(reference_.shape()) + "\nThe last requests:\n";
  for (const std::string& line : transcript_) disagreement_ += line + "\n";
  disagreement_ += "\nOf the last: " + what;
}

Reply Player::ask(http::Method method, const std::string& target, const std::string& body, const Fields& fields) {
  std::string line = std::string(http::to_string(method)) + " " + target;
  for (const auto& [name, value] : fields) line += " " + name + ": " + value;
  if (!body.empty()) line += " " + body;
  Reply reply = server_.ask(method, target, body, fields);
  transcript_.push_back(cut(line) + "\n  " + std::to_string(reply.status) + " " + cut(reply.body));
  if (transcript_.size() > transcript_lines_max) transcript_.pop_front();
  return reply;
}

void Player::play(std::size_t steps) {
  for (std::size_t number = 0; number < steps && !ended(); ++number) step();
  if (!ended()) read_everything();
  if (!ended()) restart();
  if (!ended()) read_everything();
}

void Player::step() {
  server_.advance(std::chrono::milliseconds(1 + dice_.below(5)));
  const std::uint64_t number = dice_.below(100);
  if (number < 50) {
    write_one();
  } else if (number < 58) {
    write_batch();
  } else if (number < 62) {
    write_again();
  } else if (number < 72) {
    read_record();
  } else if (number < 77) {
    read_history();
  } else if (number < 80) {
    read_audit();
  } else if (number < 90) {
    read_list();
  } else if (number < 95) {
    read_on();
  } else if (number < 97) {
    restart();
  } else {
    declare_otherwise();
  }
  if (const auto errors = server_.errors(); !errors.empty()) disagree("an error was logged: " + errors.front());
}

void Player::restart() {
  const auto how = static_cast<ServerUnderTest::End>(dice_.below(3));
  static constexpr const char* words[] = {"stopped", "killed", "without power"};
  transcript_.push_back(std::string("-- ") + words[static_cast<std::size_t>(how)]);
  server_.end(how);
  const auto started = server_.start(reference_.shape());
  if (!started) disagree("it does not start again: " + started.error().message);
}

void Player::declare_otherwise() {
  const Shape before = reference_.shape();
  const Shape after = changed_shape(dice_, before);
  transcript_.push_back("-- declared otherwise:\n" + declaration_of(after));
  server_.end(ServerUnderTest::End::stop);
  begun_.reset();
  const bool suits = reference_.declare(after);
  auto started = server_.start(after);
  if (started && !suits) disagree("events that do not suit it are admitted");
  if (!started && (suits || started.error().kind != ErrorKind::usage))
    disagree("a declaration that suits all events is refused: " + started.error().message);
  if (started || ended()) return;
  transcript_.push_back("-- refused: " + cut(started.error().message));
  started = server_.start(before);
  if (!started) disagree("as it was declared before it does not start again: " + started.error().message);
}

}  // namespace annals::property
