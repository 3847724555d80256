#include "http/routes/reading.hpp"

#include <optional>

#include "event/read_interest.hpp"

namespace annals::http {
namespace {

bool goes_to_readers(const CallsShared& shared, From from) {
  return from == From::store && shared.readers.exist();
}

/// A further turn of what has begun.
void run_later(CallsShared& shared, platform::Executor& home, From from, platform::Task turn) {
  if (goes_to_readers(shared, from)) return shared.readers.run(std::move(turn));
  shared.turns.go_on(home, std::move(turn));
}

void run_turn(const std::shared_ptr<LongRead>& read) {
  if (!read->call.responder.wanted()) return;
  std::optional<ReadInterest> interest;
  if (goes_to_readers(read->call.shared, read->from())) interest.emplace(read->call.responder.interest());
  if (!read->work(engine::Turn(read->call.engine.platform().clock))) return;
  Call& call = read->call;
  run_later(call.shared, *call.home, read->from(), [read] { run_turn(read); });
}

/// A body that is sent while it is read; shared by the connection and the turn that reads.
struct Stream {
  CallsShared& shared;
  platform::Executor& home;
  const platform::Clock& clock;
  From from;
  std::unique_ptr<PieceSource> source;
  std::optional<std::string> first;  // unless it is nothing
};

// How long nothing may come of a body before the connection looks whether anybody still listens.
constexpr Duration silence_max = std::chrono::seconds(1);

/// Turns until one brings a piece, or silence_max is over.
void give_next_piece(std::shared_ptr<Stream> stream, PieceTaker taker, Duration silent_until) {
  Stream& of = *stream;
  run_later(of.shared, of.home, of.from,
            [stream = std::move(stream), taker = std::move(taker), silent_until]() mutable {
              if (!taker.wanted()) return;
              std::optional<ReadInterest> interest;
              if (goes_to_readers(stream->shared, stream->from)) interest.emplace(taker.interest());
              auto piece = stream->source->next(engine::Turn(stream->clock));
              const bool is_nothing = piece && piece->empty();
              if (is_nothing && stream->source->ended()) return taker.give(std::nullopt);
              if (is_nothing && stream->clock.monotonic() < silent_until)
                return give_next_piece(std::move(stream), std::move(taker), silent_until);
              taker.give(std::move(piece));
            });
}

LateBodySource late_body_of(std::shared_ptr<Stream> stream) {
  return [stream = std::move(stream)](PieceTaker taker) {
    if (stream->first) return taker.give(std::exchange(stream->first, std::nullopt));
    if (stream->source->ended()) return taker.give(std::nullopt);
    give_next_piece(stream, std::move(taker), stream->clock.monotonic() + silence_max);
  };
}

BodySource body_of(const platform::Clock& clock, std::unique_ptr<PieceSource> source, std::string first) {
  return [&clock, source = std::move(source),
          first = std::optional(std::move(first))]() mutable -> Result<std::optional<std::string>> {
    if (first) return std::exchange(first, std::nullopt);
    if (source->ended()) return std::nullopt;
    return TRY(source->next(engine::Turn(clock)));
  };
}

/// The first piece of a body, which may turn out to be none.
struct FirstPiece final : LongRead {
  FirstPiece(Call the_call, From from, Response the_response, std::unique_ptr<PieceSource> the_source)
      : LongRead(std::move(the_call), from), response(std::move(the_response)), source(std::move(the_source)) {}

  [[nodiscard]] bool work(const engine::Turn& turn) override {
    auto piece = source->next(turn);
    if (!piece) {
      call.refuse(piece.error());
      return false;
    }
    const platform::Clock& clock = call.engine.platform().clock;
    if (source->ended()) {
      response.body = *std::move(piece);
    } else if (from() == From::memory) {
      response.body = body_of(clock, std::move(source), *std::move(piece));
    } else {
      std::optional<std::string> first;
      if (!piece->empty()) first = *std::move(piece);
      response.body = late_body_of(
          std::make_shared<Stream>(call.shared, *call.home, clock, from(), std::move(source), std::move(first)));
    }
    call.send(std::move(response));
    return false;
  }

  Response response;
  std::unique_ptr<PieceSource> source;
};

}  // namespace

Error too_many_reads() {
  return {ErrorKind::overloaded, "too_many_reads",
          "as many reads as may (server.reads_max) wait for the database to answer others; try again soon"};
}

void read_store(Call call, std::move_only_function<void(Call)> then) {
  Readers& readers = call.shared.readers;
  if (!readers.exist()) return then(std::move(call));
  if (readers.are_full()) return call.refuse(too_many_reads());
  readers.run([call = std::move(call), then = std::move(then)]() mutable {
    if (!call.responder.wanted()) return;
    const ReadInterest interest(call.responder.interest());
    then(std::move(call));
  });
}

void resolve(Call call, const Cursor& cursor, std::move_only_function<void(Call, Result<Position>)> then) {
  const EventStore& store = call.engine.store();
  if (store.knows(cursor)) {
    auto position = store.resolve(cursor);
    return then(std::move(call), std::move(position));
  }
  read_store(std::move(call), [cursor, then = std::move(then)](Call reading) mutable {
    auto position = reading.engine.store().resolve(cursor);
    platform::Executor& home = *reading.home;
    home.post([call = std::move(reading), position = std::move(position), then = std::move(then)]() mutable {
      then(std::move(call), std::move(position));
    });
  });
}

void take_turns(std::shared_ptr<LongRead> read, First first) {
  if (first == First::at_once) return run_turn(read);
  CallsShared& shared = read->call.shared;
  platform::Executor& home = *read->call.home;
  const bool elsewhere = goes_to_readers(shared, read->from());
  if (elsewhere && shared.readers.are_full()) return read->call.refuse(too_many_reads());
  platform::Task turn = [read = std::move(read)] { run_turn(read); };
  if (elsewhere) return shared.readers.run(std::move(turn));
  shared.turns.begin(home, std::move(turn));
}

void send_in_pieces(Call call, Response response, std::unique_ptr<PieceSource> source, From from, First first) {
  take_turns(std::make_shared<FirstPiece>(std::move(call), from, std::move(response), std::move(source)), first);
}

}  // namespace annals::http
