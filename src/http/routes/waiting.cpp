#include "http/routes/waiting.hpp"

#include <memory>

namespace annals::http {
namespace {

/// Shared by the two that may end a wait, progress and the timer. Both run on the home executor, so the first to come
/// takes `then`.
struct Wait {
  Call call;
  std::move_only_function<void(Call)> then;
  projection::Progress::Ticket ticket = 0;
  bool ended = false;
};

void give_up(Wait& wait, const std::string& why) {
  if (wait.ended) return;
  wait.ended = true;
  wait.call.table().progress().cancel(wait.ticket);
  wait.call.position = wait.call.position_of_table();
  wait.call.refuse(Error(ErrorKind::timed_out, "position_not_reached",
                         "the position asked for by min_position is not waited for any longer: " + why));
}

}  // namespace

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
  const auto wait = std::make_shared<Wait>(Wait{std::move(call), std::move(then)});
  wait->call.responder.when_client_leaves([weak = std::weak_ptr(wait)] {
    if (const auto left = weak.lock()) give_up(*left, "the client has closed its side of the connection");
  });
  wait->ticket = progress.wait(*target, [wait, &home] {
    home.post([wait] {
      if (wait->ended) return;
      wait->ended = true;
      wait->call.position = wait->call.position_of_table();
      wait->then(std::move(wait->call));
    });
  });
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
