#include "http/routes/waiting.hpp"

#include <algorithm>
#include <memory>

namespace annals::http {
namespace {

/// Shared by the two that may end a wait, progress and the timer. Both run on the home executor, so the first to come
/// takes `then`.
struct Wait {
  Call call;
  std::move_only_function<void(Call)> then;
  Position target;
  projection::Progress::Ticket ticket = 0;
  bool ended = false;
};

constexpr std::string_view draining = "the server is going down";

void give_up(Wait& wait, std::string_view why) {
  if (wait.ended) return;
  wait.ended = true;
  wait.call.table().progress().cancel(wait.ticket);
  wait.call.position = wait.call.position_of_table();
  wait.call.refuse(Error(ErrorKind::timed_out, "position_not_reached",
                         "the position asked for by min_position is not waited for any longer: " + std::string(why)));
}

/// A wait for a key to change. Confined to the home executor. Its timer may be the last to hold it, after engine and
/// store have gone, so only `end` touches them.
struct ChangeWait {
  Call call;
  std::function<bool(const model::Record&)> is_news;
  std::move_only_function<void(Call, const model::Record&)> then;
  Duration until{0};  ///< monotonic
  projection::KeyWatch::Ticket ticket;
  bool client_left = false;
  bool ended = false;
};

/// How long a timer outlives its wait, at most: those of waits that ended early would otherwise pile up.
constexpr Duration tick = std::chrono::seconds(2);

/// Registers, and then looks: in this order no change is missed (see KeyWatch).
void watch_and_look(const std::shared_ptr<ChangeWait>& wait) {
  Call& call = wait->call;
  projection::KeyWatch& watch = call.table().watch();
  wait->ticket = watch.wait(call.key, *call.home, [weak = std::weak_ptr(wait)] {
    const auto woken = weak.lock();
    if (woken && !woken->ended) watch_and_look(woken);
  });
  call.position = call.position_of_table();
  const model::Record record = call.table().get(call.key);
  const bool over =
      wait->client_left || call.engine.draining() || call.engine.platform().clock.monotonic() >= wait->until;
  if (!over && !wait->is_news(record)) return;
  watch.cancel(wait->ticket);
  wait->ended = true;
  call.shared.waits.fetch_sub(1);
  wait->then(std::move(call), record);
}

void look_again(const std::shared_ptr<ChangeWait>& wait) {
  if (wait->ended) return;
  wait->call.table().watch().cancel(wait->ticket);
  watch_and_look(wait);
}

void keep_time(const std::shared_ptr<ChangeWait>& wait) {
  if (wait->ended) return;
  const Duration left = wait->until - wait->call.engine.platform().clock.monotonic();
  wait->call.home->post_after(std::clamp<Duration>(left, std::chrono::milliseconds(1), tick), [wait] {
    if (wait->ended) return;
    if (wait->call.engine.platform().clock.monotonic() >= wait->until) return look_again(wait);
    keep_time(wait);
  });
}

}  // namespace

void after_change(Call call, std::function<bool(const model::Record&)> is_news, Duration time,
                  std::move_only_function<void(Call, const model::Record&)> then) {
  call.position = call.position_of_table();
  const model::Record record = call.table().get(call.key);
  if (is_news(record)) return then(std::move(call), record);
  if (call.shared.waits.fetch_add(1) >= call.options.waits_max) {
    call.shared.waits.fetch_sub(1);
    return call.refuse(Error(ErrorKind::overloaded, "too_many_waits",
                             "as many requests as may (server.waits_max) wait for a key to change; ask without `wait`, "
                             "or try again soon"));
  }
  const Duration until = call.engine.platform().clock.monotonic() + time;
  const auto wait = std::make_shared<ChangeWait>(
      ChangeWait{std::move(call), std::move(is_news), std::move(then), until, {}});  // shared with timer and watch
  wait->call.responder.when_client_leaves([weak = std::weak_ptr(wait)] {
    const auto left = weak.lock();
    if (!left) return;
    left->client_left = true;
    look_again(left);
  });
  keep_time(wait);
  watch_and_look(wait);
}

void after_position(Call call, const std::optional<Cursor>& position, std::move_only_function<void(Call)> then) {
  if (!position) {
    then(std::move(call));
    return;
  }
  const auto target = call.engine.store().resolve(*position);
  if (!target) {
    call.refuse(target.error());
    return;
  }
  projection::Progress& progress = call.table().progress();
  if (*target <= progress.position()) {
    then(std::move(call));
    return;
  }
  platform::Executor& home = *call.home;
  const Duration timeout = call.options.min_position_timeout;
  const auto wait = std::make_shared<Wait>(Wait{std::move(call), std::move(then), *target});
  wait->call.responder.when_client_leaves([weak = std::weak_ptr(wait)] {
    if (const auto left = weak.lock()) give_up(*left, "the client has closed its side of the connection");
  });
  wait->ticket = progress.wait(*target, [wait, &home] {
    home.post([wait] {
      if (wait->ended) return;
      if (wait->call.table().progress().position() < wait->target) return give_up(*wait, draining);
      wait->ended = true;
      wait->call.position = wait->call.position_of_table();
      wait->then(std::move(wait->call));
    });
  });
  // Looked at after the wait is there to be woken, so that one of the two ends it.
  if (wait->call.engine.draining()) return give_up(*wait, draining);
  home.post_after(timeout,
                  [wait, timeout] { give_up(*wait, "it was not reached within " + to_text(timeout) + "; try again"); });
}

void after_stored_position(Call call, const std::optional<Cursor>& position, std::move_only_function<void(Call)> then) {
  const EventStore& store = call.engine.store();
  if (position) {
    const auto target = store.resolve(*position);
    if (target && *target <= store.status().visible) {
      then(std::move(call));
      return;
    }
  }
  after_position(std::move(call), position, std::move(then));
}

}  // namespace annals::http
