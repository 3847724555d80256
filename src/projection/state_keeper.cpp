#include "projection/state_keeper.hpp"

#include <algorithm>
#include <utility>

#include "base/invariant.hpp"

namespace annals::projection {
namespace {

constexpr std::uint64_t step_bytes = 2u << 20;

}  // namespace

StateKeeper::StateKeeper(KeptState& state, std::string path, EventStore& store, platform::Platform platform)
    : state_(state), path_(std::move(path)), store_(store), platform_(platform) {}

bool StateKeeper::load(Backing backing) {
  const Duration began = platform_.clock.monotonic();
  auto summary = read_state_file(platform_.files, path_, state_.name(), store_, backing,
                                 [this](std::string_view contents) { return state_.read(contents); });
  Result<> taken;
  if (summary) taken = state_.take_over(*summary);
  if (summary && taken) {
    saved_ = summary->begin.value;
    const Duration took = platform_.clock.monotonic() - began;
    platform_.log.info("A checkpoint was loaded", {{"state", state_.name()},
                                                   {"records", summary->records},
                                                   {"position", summary->begin.value},
                                                   {"ms", took.count() / 1000}});
    return true;
  }
  state_.forget();
  const Error& error = summary ? taken.error() : summary.error();
  if (error.kind != ErrorKind::not_found) {
    platform_.log.warning("A checkpoint cannot be used; what it held is made anew from the log",
                          {{"state", state_.name()}, {"error", error.message}});
  }
  return false;
}

std::uint64_t StateKeeper::behind() const {
  const std::uint64_t position = state_.position().value;
  const std::uint64_t saved = saved_.load();
  return position > saved ? position - saved : 0;
}

Result<StateKeeper::Step> StateKeeper::step() {
  auto step = write_some();
  if (step && *step == Step::waiting && store_.status().flushed >= end_.position) {
    if (auto published = publish(); !published) step = std::unexpected(published.error());
    if (step) step = Step::done;
  }
  if (!step) give_up();
  return step;
}

Result<> StateKeeper::write_all() {
  give_up();
  auto written = write_to_the_end();
  give_up();
  return written;
}

Result<> StateKeeper::write_to_the_end() {
  while (TRY(write_some()) == Step::more) {
  }
  // A checkpoint tells of nothing that the loss of power could take back: it proves that those events were there.
  if (store_.status().flushed < end_.position) TRY(store_.flush());
  if (store_.status().flushed < end_.position)
    return fail(ErrorKind::unavailable, "the store has not flushed the events that the checkpoint reflects");
  return publish();
}

/// `waiting` once all is written.
Result<StateKeeper::Step> StateKeeper::write_some() {
  if (!writer_) {
    reflected_ = state_.position();  // before the first record is looked at, so that all of them reflect it
    state_.begin_writing();
    // The file ends with an event that proves what store it is of. Where the last positions hold none any more, it
    // tells of the last event, and a start passes over them anew.
    begin_ = std::min(reflected_, state_.newest().position);
    TRY(platform::make_directory_again(platform_.files, path_));
    writer_ = TRY(StateFileWriter::create(platform_.files, path_, state_.name(), begin_));
    finished_ = false;
  }
  if (finished_) return Step::waiting;
  const std::uint64_t until = writer_->bytes() + step_bytes;
  while (writer_->bytes() < until) {
    contents_.clear();
    const std::uint64_t count = TRY(state_.write(contents_));
    if (count == 0) {
      end_ = state_.newest();
      INVARIANT(end_.position >= begin_, "a state knows an event no earlier than it said");
      TRY(writer_->finish(store_, end_, state_.note()));
      finished_ = true;
      return Step::waiting;
    }
    TRY(writer_->add(contents_, count));
  }
  return Step::more;
}

Result<> StateKeeper::publish() {
  TRY(writer_->publish());
  writer_.reset();
  saved_ = reflected_.value;
  return {};
}

void StateKeeper::give_up() {
  if (writer_) {
    writer_.reset();
    // Whether or not it can be removed: the next one takes its place.
    (void)platform_.files.remove(path_ + ".new");
  }
  contents_ = {};
}

}  // namespace annals::projection
