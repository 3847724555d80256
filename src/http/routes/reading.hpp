#pragma once
// Reading: where reads are made and how long ones take turns. What asks the store goes to the threads for that
// (http/routes/readers.hpp) where there are some, else it stays on the I/O thread, and its turns are those of
// http/routes/turns.hpp; what asks read tables alone always stays there.
//
// Between two turns of a read, and before a thread takes it up, it is looked whether anybody still waits for the answer
// (Responder::wanted): if not, it ends there.
//
// A call is handed from thread to thread and confined to one at a time.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "engine/turn.hpp"
#include "http/routes/call.hpp"

namespace annals::http {

/// What a read asks.
enum class From : std::uint8_t { store, tables, memory };

/// Goes on with `then(call)` where the store may be read: here and at once, or, when that may wait for another machine,
/// on a thread for it. Refuses: overloaded ("too_many_reads"), when as many wait for one as may.
void read_store(Call call, std::move_only_function<void(Call)> then);

/// What is said when no further read is taken on.
[[nodiscard]] Error too_many_reads();

/// As read_store, for a question that the store can mostly answer from what it has in memory: then here and at once;
/// else `then` runs on the call's home executor after the store has been asked.
void resolve(Call call, const Cursor& cursor, std::move_only_function<void(Call, Result<Position>)> then);

/// A read in turns. Confined to one thread at a time.
class LongRead {
 public:
  /// `from`: the store or tables.
  LongRead(Call the_call, From from) : call(std::move(the_call)), from_(from) {}
  virtual ~LongRead() = default;

  /// Works until the turn is over or all is done; false once the call has been answered or refused, or handed on.
  [[nodiscard]] virtual bool work(const engine::Turn& turn) = 0;
  [[nodiscard]] From from() const { return from_; }

  Call call;

 private:
  const From from_;
};

/// When the first turn of a read runs: after those of others that wait; or here and at once, for what is done with it,
/// as a rule. Of a read of the store that is where read_store goes on.
enum class First : std::uint8_t { in_turn, at_once };

/// Runs the turns of a read, one after another. Refuses as read_store.
void take_turns(std::shared_ptr<LongRead> read, First first = First::in_turn);

/// What a piece of a body has, about.
inline constexpr std::size_t piece_bytes = 256u << 10;

/// A body in pieces, each of which a turn brings. Confined to one thread at a time.
class PieceSource {
 public:
  virtual ~PieceSource() = default;
  /// The next piece; an empty one when the turn has brought nothing, of a body of tables or of the store. Only while
  /// not `ended`.
  [[nodiscard]] virtual Result<std::string> next(const engine::Turn& turn) = 0;
  [[nodiscard]] virtual bool ended() const = 0;
};

/// Answers with `response` and what the source gives as its body, in pieces if it is more than one. Refuses with the
/// error of the first piece, and as read_store.
void send_in_pieces(Call call, Response response, std::unique_ptr<PieceSource> source, From from,
                    First first = First::in_turn);

}  // namespace annals::http
