#include "http/routes/waiting.hpp"

#include <algorithm>
#include <memory>

#include "http/routes/reading.hpp"

namespace annals::http {
namespace {

/// Shared by the two that may end a wait, progress and the timer. Both run on the home executor, so the first to come
/// takes `then`.
struct Wait {
  Call call;
  std::move_only_function<void(Call)> then;
  Position target;
  Duration until;  ///< monotonic
  projection::Progress::Ticket ticket = 0;
  bool ended = false;
};

constexpr std::string_view draining = "the server is going down";

/// How long a timer outlives its wait, at most: those of waits that ended early would otherwise pile up.
constexpr Duration tick = std::chrono::seconds(2);

void give_up(Wait& wait, std::string_view why) {
  if (wait.ended) return;
  wait.ended = true;
  wait.call.table().progress().cancel(wait.ticket);
  wait.call.position = wait.call.position_of_table();
  wait.call.refuse(Error(ErrorKind::timed_out, "position_not_reached",
                         "the position asked for by min_position is not waited for any longer: " + std::string(why)));
}

void keep_time(const std::shared_ptr<Wait>& wait) {
  if (wait->ended) return;
  const Duration left = wait->until - wait->call.engine.platform().clock.monotonic();
  wait->call.home->post_after(std::clamp<Duration>(left, std::chrono::milliseconds(1), tick), [wait] {
    if (wait->ended) return;
    if (wait->call.engine.platform().clock.monotonic() < wait->until) return keep_time(wait);
    give_up(*wait, "it was not reached within " + to_text(wait->call.options.min_position_timeout) + "; try again");
  });
}

/// A wait for something in the call's read table to change. Confined to the home executor. Its timer may be the last to
/// hold it, after engine and store have gone, so only what ends it touches them.
struct ChangeWait : std::enable_shared_from_this<ChangeWait> {
  ChangeWait(Call the_call, Duration time)
      : call(std::move(the_call)), until(call.engine.platform().clock.monotonic() + time), counted(time.count() > 0) {}
  virtual ~ChangeWait() = default;

  /// Registers, and then looks: in this order no change is missed (see KeyWatch). Ends the wait when there is news, or
  /// when it is over.
  virtual void watch_and_look() = 0;
  virtual void cancel() = 0;

  /// Not what is under way: that ends the wait, too, when it is over.
  void look_again() {
    if (ended || looking) return;
    cancel();
    watch_and_look();
  }
  [[nodiscard]] bool is_over() const {
    return client_left || call.engine.draining() || call.engine.platform().clock.monotonic() >= until;
  }
  /// What the registration calls.
  [[nodiscard]] projection::KeyWatch::Changed waker() {
    return [weak = weak_from_this()] {
      const auto woken = weak.lock();
      if (!woken || woken->ended) return;
      // A look that began anew with every change would not end while there are changes.
      woken->woken_meanwhile = woken->looking;
      if (!woken->looking) woken->watch_and_look();
    };
  }
  /// Ends the wait, and refuses, when the table does not learn of changes any more.
  [[nodiscard]] bool ends_failing() {
    const auto good = call.engine.feed(call.model).check();
    if (good) return false;
    end();
    call.refuse(good.error());
    return true;
  }
  void end() {
    cancel();
    ended = true;
    if (counted) call.shared.waits.fetch_sub(1);
  }

  Call call;
  const Duration until;  ///< monotonic
  const bool counted;    ///< among those who wait: who only asks does not
  bool client_left = false;
  bool looking = false;  ///< a look takes several pieces, and is under way
  bool woken_meanwhile = false;
  bool ended = false;
};

/// For the record of one key.
struct RecordWait final : ChangeWait {
  using ChangeWait::ChangeWait;

  void watch_and_look() override {
    ticket = call.table().watch().wait(call.key, *call.home, waker());
    call.position = call.position_of_table();
    if (ends_failing()) return;
    const Result<model::Record> record = call.table().get(call.key);
    if (record && !is_news(*record) && !is_over()) return;
    end();
    if (!record) return call.refuse(record.error());
    then(std::move(call), *record);
  }
  void cancel() override { call.table().watch().cancel(ticket); }

  std::function<bool(const model::Record&)> is_news;
  std::move_only_function<void(Call, const model::Record&)> then;
  projection::KeyWatch::Ticket ticket;
};

/// For the records whose keys begin with a prefix. There may be millions of them, so they are looked at a piece at a
/// time, and others on the thread have their turn in between.
struct ListWait final : ChangeWait {
  using ChangeWait::ChangeWait;

  void watch_and_look() override {
    ticket = call.table().watch().wait_for_prefix(since.prefix, *call.home, waker());
    call.position = call.position_of_table();
    if (ends_failing()) return;
    if (call.table().newest() <= since.position) return looked(false);
    looking = true;
    look_on(std::nullopt);
  }
  void look_on(const std::optional<std::string>& after) {
    auto look = call.table().look_for_change(since.prefix, after, since.time, rows_at_once);
    if (look.changed || !look.after) return looked(look.changed);
    // The wait is kept: its timer may have let go of it before the look is over.
    call.shared.turns.go_on(*call.home,
                            [wait = shared_from_this(), this, from = std::move(look.after)] { look_on(from); });
  }
  void looked(bool changed) {
    looking = false;
    // What changed behind the look, was it after `since`, is found by the next one.
    if (!changed && std::exchange(woken_meanwhile, false)) return watch_and_look();
    if (!changed && !is_over()) return;
    end();
    then(std::move(call), changed);
  }
  void cancel() override { call.table().watch().cancel(ticket); }

  static constexpr std::size_t rows_at_once = 2048;
  ListState since;
  std::move_only_function<void(Call, bool)> then;
  projection::KeyWatch::PrefixTicket ticket;
};

void keep_time(const std::shared_ptr<ChangeWait>& wait) {
  if (wait->ended) return;
  const Duration left = wait->until - wait->call.engine.platform().clock.monotonic();
  wait->call.home->post_after(std::clamp<Duration>(left, std::chrono::milliseconds(1), tick), [wait] {
    if (wait->ended) return;
    if (wait->call.engine.platform().clock.monotonic() >= wait->until) return wait->look_again();
    keep_time(wait);
  });
}

/// False when as many as may wait already: the call is then refused.
bool count_in(Call& call, Duration time) {
  if (time.count() == 0) return true;
  if (call.shared.waits.fetch_add(1) < call.options.waits_max) return true;
  call.shared.waits.fetch_sub(1);
  call.refuse(Error(ErrorKind::overloaded, "too_many_waits",
                    "as many requests as may (server.waits_max) wait for a change; ask without `wait`, or try again "
                    "soon"));
  return false;
}

/// `wait` is shared with the timer and the watch.
void begin(const std::shared_ptr<ChangeWait>& wait) {
  wait->call.responder.when_client_leaves([weak = std::weak_ptr(wait)] {
    const auto left = weak.lock();
    if (!left) return;
    left->client_left = true;
    left->look_again();
  });
  keep_time(wait);
  wait->watch_and_look();
}

/// True when the server, or the table, will not come to what is waited for; then the wait is ended.
bool is_hopeless(Wait& wait) {
  if (wait.ended) return true;
  if (wait.call.engine.draining()) {
    give_up(wait, draining);
  } else if (wait.call.refuse_failing()) {
    wait.ended = true;
    wait.call.table().progress().cancel(wait.ticket);
  }
  return wait.ended;
}

/// Waits for progress, as often as that is made without coming to the target.
void wait_on(const std::shared_ptr<Wait>& wait) {
  platform::Executor& home = *wait->call.home;
  wait->ticket = wait->call.table().progress().wait(wait->target, [wait, &home] {
    home.post([wait] {
      if (wait->ended) return;
      if (wait->call.table().progress().position() < wait->target) return wait_on(wait);
      wait->ended = true;
      wait->call.position = wait->call.position_of_table();
      wait->then(std::move(wait->call));
    });
  });
  // Looked at after the wait is there to be woken, so that one of the two ends it.
  (void)is_hopeless(*wait);
}

/// Until the call's read table reflects `target`.
void wait_for(Call call, Position target, std::move_only_function<void(Call)> then) {
  if (const Position reached = call.table().progress().position(); target <= reached) {
    // The table may have come here since the call took its position from it.
    call.position = call.engine.store().cursor(reached);
    then(std::move(call));
    return;
  }
  const Duration until = call.engine.platform().clock.monotonic() + call.options.min_position_timeout;
  const auto wait = std::make_shared<Wait>(Wait{std::move(call), std::move(then), target, until});
  wait->call.responder.when_client_leaves([weak = std::weak_ptr(wait)] {
    if (const auto left = weak.lock()) give_up(*left, "the client has closed its side of the connection");
  });
  wait_on(wait);
  keep_time(wait);
}

}  // namespace

void after_change(Call call, std::function<bool(const model::Record&)> is_news, Duration time,
                  std::move_only_function<void(Call, const model::Record&)> then) {
  if (call.refuse_failing()) return;
  call.position = call.position_of_table();
  const Result<model::Record> record = call.table().get(call.key);
  if (!record) return call.refuse(record.error());
  if (is_news(*record)) return then(std::move(call), *record);
  if (!count_in(call, time)) return;
  const auto wait = std::make_shared<RecordWait>(std::move(call), time);
  wait->is_news = std::move(is_news);
  wait->then = std::move(then);
  begin(wait);
}

void after_list_change(Call call, ListState since, Duration time, std::move_only_function<void(Call, bool)> then) {
  if (!count_in(call, time)) return;
  const auto wait = std::make_shared<ListWait>(std::move(call), time);
  wait->since = std::move(since);
  wait->then = std::move(then);
  begin(wait);
}

void after_position(Call call, const std::optional<Cursor>& position, std::move_only_function<void(Call)> then) {
  if (!position) {
    then(std::move(call));
    return;
  }
  call.responder.take_longer(call.options.min_position_timeout);
  resolve(std::move(call), *position, [then = std::move(then)](Call ready, const Result<Position>& target) mutable {
    if (!target) return ready.refuse(target.error());
    wait_for(std::move(ready), *target, std::move(then));
  });
}

void after_stored_position(Call call, const std::optional<Cursor>& position, std::move_only_function<void(Call)> then) {
  if (!position) {
    then(std::move(call));
    return;
  }
  call.responder.take_longer(call.options.min_position_timeout);
  resolve(std::move(call), *position, [then = std::move(then)](Call ready, const Result<Position>& target) mutable {
    if (!target) return ready.refuse(target.error());
    const EventStore& store = ready.engine.store();
    if (const Position visible = store.status().visible; *target <= visible) {
      ready.position = store.cursor(visible);
      return then(std::move(ready));
    }
    wait_for(std::move(ready), *target, std::move(then));
  });
}

}  // namespace annals::http
