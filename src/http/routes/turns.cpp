#include "http/routes/turns.hpp"

#include <utility>

namespace annals::http {

void Turns::begin(platform::Executor& home, platform::Task turn) {
  if (!lane_of(home)->posted) return turn();
  go_on(home, std::move(turn));
}

void Turns::go_on(platform::Executor& home, platform::Task turn) {
  std::shared_ptr<Lane> lane = lane_of(home);
  lane->waiting.push_back(std::move(turn));
  if (!lane->posted) post_next(std::move(lane), home);
}

std::shared_ptr<Turns::Lane> Turns::lane_of(platform::Executor& home) {
  const auto lanes = lanes_.lock();
  std::shared_ptr<Lane>& lane = (*lanes)[&home];
  if (!lane) lane = std::make_shared<Lane>();
  return lane;
}

void Turns::post_next(std::shared_ptr<Lane> lane, platform::Executor& home) {
  lane->posted = true;
  home.post([lane = std::move(lane), &home]() mutable {
    platform::Task turn = std::move(lane->waiting.front());
    lane->waiting.pop_front();
    const auto go_on = [&] {
      lane->posted = false;
      if (!lane->waiting.empty()) post_next(std::move(lane), home);
    };
    try {
      turn();  // it may ask for a further one, which waits behind the others
    } catch (...) {
      go_on();  // else all who come to this lane would wait for good
      throw;
    }
    go_on();
  });
}

}  // namespace annals::http
