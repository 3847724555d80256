#include "http/routes/past_reading.hpp"

#include <memory>
#include <utility>

#include "http/routes/reading.hpp"

namespace annals::http {
namespace {

struct PastRead final : LongRead {
  using Then = std::move_only_function<void(Call, Result<model::Record>)>;

  PastRead(Call the_call, engine::When when, Then the_then)
      : LongRead(std::move(the_call), From::store),
        record(call.past(), call.key, when, call.engine.platform().clock.now()),
        then(std::move(the_then)) {}

  [[nodiscard]] bool work(const engine::Turn& turn) override {
    const auto done = record.go_on(turn);
    if (done && !*done) return true;
    auto found = done ? Result<model::Record>(record.take()) : std::unexpected(done.error());
    then(std::move(call), std::move(found));
    return false;
  }

  engine::PastRecord record;
  Then then;
};

}  // namespace

void read_past(Call call, engine::When when, PastRead::Then then) {
  auto read = [when, then = std::move(then)](Call reading) mutable {
    take_turns(std::make_shared<PastRead>(std::move(reading), when, std::move(then)), First::at_once);
  };
  const auto* time = std::get_if<Instant>(&when);
  if (time == nullptr) return read_store(std::move(call), std::move(read));
  engine::Engine& engine = call.engine;
  platform::Executor& home = *call.home;
  engine.settle(*time, home, [call = std::move(call), read = std::move(read)](const Result<>& settled) mutable {
    if (!settled) return call.refuse(settled.error());
    read_store(std::move(call), std::move(read));
  });
}

}  // namespace annals::http
