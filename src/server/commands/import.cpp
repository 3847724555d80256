// `annals import`: names with values from a file into a server, or into a store that no server holds. No more than some
// chunks are in memory at a time, whatever the length of the file.

#include <array>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>

#include "base/guarded.hpp"
#include "base/wording.hpp"
#include "event/event.hpp"
#include "model/model.hpp"
#include "platform/platform.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/import_target.hpp"
#include "server/commands/progress.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

constexpr std::size_t piece_bytes = 256u << 10;
constexpr std::size_t chunk_entries = 100;  // a reader of one event reads its group, so groups are not large
constexpr std::size_t chunk_bytes = 128u << 10;
constexpr std::ptrdiff_t chunks_max = 4 * import_lanes;  // read and not yet recorded

/// That it is the name of a file; who gives an address means something else. Errors: usage.
Result<> check_is_file(const std::string& path) {
  if (!is_no_name(path)) return {};
  std::string instead = advice_on_paths(path);
  if (is_server_address(path)) {
    instead =
        "; the server to import into is named with --url, and `annals export --url ...` prints what another one has";
  } else if (is_database_address(path)) {
    instead =
        "; the database to import into is named with --database-url, `annals export --database-url ...` prints the "
        "values of another one, and `annals migrate --from ... --to ...` copies a whole store";
  }
  return fail(ErrorKind::usage, "the file to import is " + in_quotes(path) +
                                    "; expected the name of a file, or - for standard input" + instead);
}

Result<std::string> next_piece(platform::Input& input) {
  std::string piece(piece_bytes, '\0');
  piece.resize(TRY(input.read(piece.data(), piece.size())));
  return piece;
}

/// The file in pieces, or standard input for "-".
Result<TextSource> open_text(const std::string& path) {
  if (path == "-") {
    return TextSource([]() -> Result<std::string> {
      std::string piece(piece_bytes, '\0');
      piece.resize(std::fread(piece.data(), 1, piece.size(), stdin));
      if (std::ferror(stdin) != 0) return fail(ErrorKind::input_output, "standard input cannot be read");
      return piece;
    });
  }
  TRY(check_is_file(path));
  auto opened = platform::posix_files().open_input(path);
  // The first piece tells whether anybody writes into a pipe.
  auto first = opened ? next_piece(**opened) : Result<std::string>(std::unexpected(opened.error()));
  if (!first) return fail(first.error().kind, "the file to import cannot be read: " + first.error().message);
  return TextSource(
      [input = *std::move(opened), first = std::optional(*std::move(first))]() mutable -> Result<std::string> {
        if (first) return *std::exchange(first, std::nullopt);
        return next_piece(*input);
      });
}

/// Whether entries that were refused together may be taken apart to find out which of them it was.
bool is_about_entries(const Error& error) {
  return error.kind == ErrorKind::too_large || error.kind == ErrorKind::invalid || error.kind == ErrorKind::usage ||
         error.kind == ErrorKind::unprocessable;
}

/// Takes entries, and has their chunks written in the order of each lane. `add` and `finish` belong to one thread.
class Importer {
 public:
  Importer(ImportTarget& target, std::string file, bool one_group)
      : target_(target), file_(std::move(file)), one_group_(one_group) {}

  struct Counts {
    std::uint64_t entries = 0;
    std::uint64_t groups = 0;
  };

  /// Errors: the first that a chunk met.
  [[nodiscard]] Result<> add(Entry entry) {
    const std::size_t lane = one_group_ ? 0 : std::hash<std::string>{}(entry.name) % import_lanes;
    Filling& filling = filling_[lane];
    filling.bytes += entry.name.size() + entry.value.size();
    if (one_group_ && (filling.chunk.size() == group_events_max || filling.bytes > group_bytes_max)) {
      return fail(ErrorKind::invalid, where(entry.line) + ": one group holds " + std::to_string(group_events_max) +
                                          " names, and " + std::to_string(group_bytes_max >> 20) +
                                          " MiB of them; nothing was imported; leave --one-group out, or split the "
                                          "file");
    }
    filling.chunk.push_back(std::move(entry));
    if (!one_group_ && (filling.chunk.size() == chunk_entries || filling.bytes >= chunk_bytes)) pass_on(lane);
    return failure();
  }

  /// Waits until all is written. Errors: as add.
  [[nodiscard]] Result<> finish() {
    for (std::size_t lane = 0; lane < import_lanes; ++lane) {
      if (!filling_[lane].chunk.empty()) pass_on(lane);
    }
    wait_for_all();
    return failure();
  }

  /// Waits for what is under way, when there is nothing more to come.
  void wait_for_all() {
    if (waited_) return;
    waited_ = true;
    for (std::ptrdiff_t count = 0; count < chunks_max; ++count) free_.acquire();
  }

  [[nodiscard]] Counts counts() const { return state_.lock()->counts; }

 private:
  using Chunk = std::vector<Entry>;
  struct Filling {
    Chunk chunk;
    std::size_t bytes = 0;
  };
  struct State {
    std::array<std::deque<Chunk>, import_lanes> waiting;
    std::array<bool, import_lanes> busy{};
    Counts counts;
    std::optional<Error> error;
  };

  [[nodiscard]] std::string where(std::uint64_t line) const { return file_ + ":" + std::to_string(line); }

  [[nodiscard]] Result<> failure() const {
    const auto state = state_.lock();
    if (!state->error) return {};
    return std::unexpected(*state->error);
  }

  void pass_on(std::size_t lane) {
    free_.acquire();
    Filling filling = std::exchange(filling_[lane], {});
    {
      auto state = state_.lock();
      state->waiting[lane].push_back(std::move(filling.chunk));
      if (std::exchange(state->busy[lane], true)) return;
    }
    write_next(lane);
  }

  /// The lane is ours until `busy` is taken back.
  void write_next(std::size_t lane) {
    Chunk chunk;
    while (true) {
      auto state = state_.lock();
      if (state->waiting[lane].empty()) {
        state->busy[lane] = false;
        return;
      }
      chunk = std::move(state->waiting[lane].front());
      state->waiting[lane].pop_front();
      if (!state->error) break;
      free_.release();  // the import has failed, and what is left is not written
    }
    write(lane, std::move(chunk), [this, lane] {
      // The next one is begun first, so that whoever has waited for all finds the lane at rest.
      write_next(lane);
      free_.release();
    });
  }

  /// Writes the chunk, in halves when it is refused, until it is known which entry it was.
  void write(std::size_t lane, Chunk chunk, std::move_only_function<void()> then) {
    auto kept = std::make_shared<Chunk>(chunk);  // shared with the answer
    target_.write(lane, std::move(chunk), [this, lane, kept, then = std::move(then)](Result<> written) mutable {
      if (written) {
        auto state = state_.lock();
        state->counts.entries += kept->size();
        ++state->counts.groups;
      } else if (is_about_entries(written.error()) && kept->size() > 1 && !one_group_) {
        const auto middle = kept->begin() + static_cast<std::ptrdiff_t>(kept->size() / 2);
        Chunk first(std::make_move_iterator(kept->begin()), std::make_move_iterator(middle));
        Chunk second(std::make_move_iterator(middle), std::make_move_iterator(kept->end()));
        write(lane, std::move(first), [this, lane, second = std::move(second), then = std::move(then)]() mutable {
          write(lane, std::move(second), std::move(then));
        });
        return;
      } else {
        auto state = state_.lock();
        if (!state->error) {
          Error error = written.error();
          error.message = (kept->size() == 1 ? where(kept->front().line) : file_) + ": " + error.message;
          if (is_about_entries(error)) error.kind = ErrorKind::invalid;
          state->error = std::move(error);
        }
      }
      then();
    });
  }

  ImportTarget& target_;
  const std::string file_;
  const bool one_group_;
  std::array<Filling, import_lanes> filling_;
  std::counting_semaphore<> free_{chunks_max};
  bool waited_ = false;
  Guarded<State> state_;
};

Result<> read_all(EntryReader& reader, const ImportRequest& request, Importer& importer, Progress& progress) {
  const auto at_line = [&](const Error& error) {
    return fail(error.kind, request.file + ":" + std::to_string(reader.line()) + ": " + error.message);
  };
  while (true) {
    auto entry = reader.next();
    if (!entry) return at_line(entry.error());
    if (!*entry) return importer.finish();
    (*entry)->name.insert(0, request.prefix);
    if (auto good = model::check_key((*entry)->name); !good) return at_line(good.error());
    TRY(importer.add(**std::move(entry)));
    progress.count();
  }
}

Result<> import_all(const ImportRequest& request, const Settings& settings) {
  const EntryFormat format =
      request.format.empty() ? entry_format_of_file(request.file) : TRY(entry_format(request.format));
  const auto reader = make_entry_reader(format, TRY(open_text(request.file)));
  auto target = TRY(open_import_target(request, settings));
  Importer importer(*target, request.file, request.one_group);
  Progress progress("imported", "name");
  auto done = read_all(*reader, request, importer, progress);
  importer.wait_for_all();
  target.reset();  // joins the threads that may still be on their way out of the importer
  const Importer::Counts counts = importer.counts();
  progress.finish(counts.entries, " in " + counted(counts.groups, "group"));
  return done;
}

}  // namespace

int import_entries(const ImportRequest& request, const Settings& settings) {
  const auto done_all = import_all(request, settings);
  return done_all ? static_cast<int>(done) : report(done_all.error());
}

}  // namespace annals::server
