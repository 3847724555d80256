// What PostgresStore knows of the whole: how far the events reach and in which epochs; and the thread that follows what
// others record.

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "store/postgres/libpq_message.hpp"
#include "store/postgres/postgres_store.hpp"

namespace annals::store {
namespace {

/// Those of the embedded store, so that one page of metrics fits both.
constexpr std::array<std::uint64_t, 15> flush_bounds{
    50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 5'000'000, 30'000'000};

/// After a hint, so that a busy server's own hints do not keep the thread running.
constexpr int breath_ms = 5;
constexpr Duration retry_pause = std::chrono::milliseconds{100};

/// A server that was killed a moment ago may still seem to be there, so the node id is asked for again and again.
constexpr Duration claim_pause = std::chrono::seconds{1};
constexpr Duration claim_patience = std::chrono::seconds{5};

/// What to do about it is somebody's to see to.
bool is_for_somebody(std::string_view code) {
  return code == "another_database" || code == "no_tables" || code == "database_missing" ||
         code == "database_refused" || code == "database_untrusted" || code == "database_read_only";
}

/// What is said to clients, who need not know where the database is.
std::string_view away_sentence(std::string_view code) {
  if (code == "another_database") {
    return "another database answers than the one that the checkpoints are of; bring that one back, or restart the "
           "server to serve this one";
  }
  if (code == "no_tables") {
    return "the database that answers has no tables of an event store; bring back the one that the checkpoints are of";
  }
  if (code == "database_missing") {
    return "a server answers that does not have the database, or its user; bring the database back";
  }
  if (code == "database_refused") {
    return "the database refuses this server's login; correct its user, its password or its rights";
  }
  if (code == "database_untrusted") {
    return "the database does not show the certificate, or the encryption, that this server asks of it; correct its "
           "TLS";
  }
  if (code == "database_read_only") {
    return "the database is read-only, as a standby is; promote it, or give the server the address of the primary";
  }
  if (code == connection_lost) return "the database does not answer";
  if (code == "55P03") return "somebody has locked the tables of the database for longer than 10 s";
  return "the database cannot be used; the log of the server says why";
}

/// Of the pool's, those that neither append nor follow.
std::size_t reading_connections(const PostgresOptions& options) {
  return std::max<std::size_t>(options.pool_size, 3) - 2;
}

std::string draw_name(platform::Random& random) {
  return std::to_string(random.next());
}

}  // namespace

PostgresStore::PostgresStore(PostgresOptions options, Destination destination, Dialect dialect,
                             platform::Platform platform)
    : options_(std::move(options)),
      destination_(std::move(destination)),
      dialect_(std::move(dialect)),
      platform_(platform),
      name_(draw_name(platform.random)),
      canceller_(destination_, dialect_, platform),
      reading_(
          destination_, dialect_, reading_connections(options_), platform,
          [this](Connection& connection) { return check_connection(connection); },
          [this](const Backend& backend) { canceller_.cancel(backend); }),
      appending_(destination_, dialect_, 1, platform,
                 [this](Connection& connection) { return check_connection(connection); }),
      following_(destination_, dialect_, 1, platform,
                 [this](Connection& connection) { return check_connection(connection); }),
      seen_(options_.seen),
      flush_durations_(flush_bounds),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

PostgresStore::~PostgresStore() {
  {
    const std::lock_guard lock(closing_mutex_);
    closing_ = true;
  }
  closing_told_.notify_all();
  (void)::eventfd_write(wake_, 1);
  // A database that says nothing keeps nobody from going down.
  following_.let_wait(false);
  appending_.let_wait(false);
  follower_.reset();
  listening_.reset();
  ::close(wake_);
}

// --- What is visible
// ---------------------------------------------------------------------------------------------------

Result<> PostgresStore::note(Connection& connection, const Outlook& found) const {
  const std::vector<Epoch> known = view_.lock()->epochs;
  if (known.size() != found.epochs) {
    std::vector<Epoch> epochs = TRY(read_epochs(connection));
    if (!known.empty() && !continues(epochs, known)) return displace("its epochs are others");
    take_epochs(std::move(epochs));
  }
  publish(found.head, found.last);
  return {};
}

Result<std::vector<Epoch>> PostgresStore::read_epochs(Connection& connection) const {
  const Rows rows = TRY(connection.run(Sql::epochs));
  std::vector<Epoch> epochs;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    epochs.push_back(
        {static_cast<std::uint32_t>(rows.integer(row, 0)), Position(static_cast<std::uint64_t>(rows.integer(row, 1)))});
  }
  return epochs;
}

/// Epochs only ever join: a shorter list was read earlier.
void PostgresStore::take_epochs(std::vector<Epoch> epochs) const {
  const auto view = view_.lock();
  if (epochs.size() > view->epochs.size()) view->epochs = std::move(epochs);
}

void PostgresStore::publish(Position head, const std::optional<Uuid>& last) const {
  const auto view = view_.lock();
  view->head = std::max(view->head, head);
  if (!last || head <= view->position) return;
  view->position = head;
  view->event = *last;
}

/// By chance, so that a cursor of another store is recognised; never 0, which stands for the start.
std::uint32_t PostgresStore::draw_epoch() const {
  const auto epochs = view_.lock()->epochs;
  for (;;) {
    const auto number = static_cast<std::uint32_t>(platform_.random.next());
    if (number != 0 && std::ranges::find(epochs, number, &Epoch::number) == epochs.end()) return number;
  }
}

Cursor PostgresStore::cursor(Position position) const {
  const auto view = view_.lock();
  for (auto epoch = view->epochs.rbegin(); epoch != view->epochs.rend(); ++epoch) {
    if (epoch->before < position) return {epoch->number, position};
  }
  return {};
}

bool PostgresStore::knows(const Cursor& cursor) const {
  if (cursor.is_start()) return true;
  const auto view = view_.lock();
  return std::ranges::find(view->epochs, cursor.epoch, &Epoch::number) != view->epochs.end();
}

/// Of the connections that read, one or two are left to the tables, the writer and whoever asks for health.
std::size_t PostgresStore::remote_reads_max() const {
  const std::size_t connections = reading_connections(options_);
  return std::max<std::size_t>(connections, 3) - 2;
}

Result<Position> PostgresStore::resolve(const Cursor& cursor) const {
  if (cursor.is_start()) return Position{};
  for (int attempt = 0;; ++attempt) {
    const std::vector<Epoch> epochs = view_.lock()->epochs;
    for (std::size_t at = 0; at < epochs.size(); ++at) {
      if (epochs[at].number != cursor.epoch) continue;
      if (at + 1 == epochs.size() || cursor.position <= epochs[at + 1].before) return cursor.position;
      return fail(ErrorKind::gone, "cursor_gone",
                  "the cursor points to position " + to_string(cursor.position) +
                      " of events that are no longer there: the database was set back to position " +
                      to_string(epochs[at + 1].before) + "; read again from there or from the start");
    }
    // Another server may have begun its epoch a moment ago.
    if (attempt > 0) break;
    (void)TRY(newest_of_all());
  }
  return fail(ErrorKind::gone, "cursor_gone", "the cursor comes from another store; read again from the start");
}

StoreStatus PostgresStore::status() const {
  StoreStatus status;
  status.visible = status.flushed = view_.lock()->head;
  const auto condition = condition_.lock();
  for (const std::string* reason : {&condition->displaced, &condition->lost, &condition->doubt, &condition->away}) {
    if (reason->empty()) continue;
    status.writable = false;
    status.reason = *reason;
    break;
  }
  if (!reached_.load()) {
    status.away = away_sentence(condition->away_code);
  } else if (!condition->away.empty()) {
    status.unreachable = away_sentence(condition->away_code);
  }
  if (!condition->displaced.empty()) {
    status.displaced =
        "another database answers than the one that this server has served, or an older state of that one; bring the "
        "right one back, or restart the server to serve this one";
  }
  status.has_room = condition->has_room;
  status.last_flush_ok = condition->last_flush_ok;
  status.last_flush_duration = condition->last_flush_duration;
  return status;
}

StoreMetrics PostgresStore::metrics() const {
  StoreMetrics metrics;
  metrics.flush_durations = flush_durations_.snapshot();
  return metrics;
}

std::unique_ptr<Watch> PostgresStore::watch(std::function<void(Position flushed)> progress) {
  auto watch = watches_.add(std::move(progress), view_.lock()->head);
  watches_.tell(view_.lock()->head);  // what came between those two
  return watch;
}

// --- Following
// ---------------------------------------------------------------------------------------------------------

/// One look after another, until the store closes.
void PostgresStore::follow() {
  const auto looked = look();
  {
    const std::lock_guard lock(closing_mutex_);
    if (closing_) return;  // a look that was given up for it tells nothing of the database
  }
  set_away(looked);
  watches_.tell(view_.lock()->head);
  const std::lock_guard lock(closing_mutex_);
  if (closing_) return;
  if (looked) {
    follower_->post([this] { follow(); });
  } else {
    follower_->post_after(retry_pause, [this] { follow(); });
  }
}

Result<Position> PostgresStore::newest_of_all() const {
  return read([&](Connection& connection) { return ask_head(connection); });
}

Result<Position> PostgresStore::newest() {
  const auto head = newest_of_all();
  if (!head) return fail(ErrorKind::unavailable, "database_away", head.error().message);
  watches_.tell(*head);
  return *head;
}

Result<> PostgresStore::start_to_read() {
  condition_.lock()->lost = "the " + destination_.text() + " was opened to read, because this user may not write to it";
  (void)TRY(reading_.read([&](Connection& connection) { return ask_head(connection); }));
  reached_ = true;
  return {};
}

/// Asks how far the events reach, and notes it.
Result<Position> PostgresStore::ask_head(Connection& connection) const {
  const Seen seen = this->seen();
  const std::vector<Rows> rows = TRY(connection.run(std::array{ask_for(seen)}));
  const Outlook found = TRY(outlook(rows.front(), seen));
  TRY(note(connection, found));
  return found.head;
}

/// Waits for a hint or for the interval to pass, and looks how far the events reach.
Result<> PostgresStore::look() {
  if (!reached_.load()) TRY(reach());
  std::uint64_t displaced_count = 0;
  {
    const auto condition = condition_.lock();
    displaced_count = condition->displaced_count;
    if (!condition->displaced.empty()) listening_.reset();
  }
  if (!listening_) {
    auto lease = TRY(following_.borrow());
    lease->ask_in_silence([this] { return answers_another(); });
    TRY(lease->run(Sql::listen));
    listening_.emplace(std::move(lease));
    node_claim_ = {.told = node_claim_.told};
  } else {
    wait_for_hint();
  }
  claim_node();
  {
    // Of what is in doubt somebody else may be finding out; then there is nothing to do.
    const std::unique_lock writing(writer_mutex_, std::try_to_lock);
    if (writing && doubt_) (void)TRY(find_out());
  }
  rehearse();
  const auto head = ask_head(**listening_);
  if (head) {
    recognise(displaced_count);
    remember_soon();
    return {};
  }
  if (is_lost(head.error())) listening_.reset();
  return std::unexpected(displaced_if_without_tables(head.error()));
}

/// Asked while the server does not answer the thread that follows, whose questions take it a moment. One that is slow,
/// or whose tables are locked, takes a connection all the same, or says why not.
bool PostgresStore::answers_another() {
  const auto another = Connection::open(destination_, dialect_, wake_);
  if (another || !is_lost(another.error()) || !tells_of_silence(another.error().message)) return true;
  reading_.be_silent(another.error());
  return false;
}

/// Says so when another server goes by the same node id, and when it does no longer.
void PostgresStore::claim_node() {
  NodeClaim& claim = node_claim_;
  if (!options_.claims_node || claim.is_ours) return;
  const Duration now = platform_.clock.monotonic();
  if (claim.refused_at && now - claim.asked_at < claim_pause) return;
  const auto asked = (*listening_)->run(Sql::claim_node, Parameters().add(std::int64_t{options_.node_id}));
  if (!asked) return;  // whether the connection is lost, the next question tells
  claim.is_ours = asked->boolean(0, 0);
  claim.asked_at = now;
  if (!claim.refused_at) claim.refused_at = now;
  if (claim.is_ours && std::exchange(claim.told, false)) {
    platform_.log.info("No other server uses this database with this node id any more",
                       {{"node_id", std::uint64_t{options_.node_id}}});
  } else if (!claim.is_ours && now - *claim.refused_at >= claim_patience && !std::exchange(claim.told, true)) {
    platform_.log.warning(
        "Another server uses this database with the same node id, so that events do not tell which of the two recorded "
        "them; start one of them again with a --node-id of its own",
        {{"node_id", std::uint64_t{options_.node_id}}});
  }
}

void PostgresStore::wait_for_hint() {
  // A hint may have come with the answer to a question: then the socket has nothing more to say of it.
  if ((*listening_)->take_notifications(name_)) return;
  std::array<pollfd, 2> waited{
      {{.fd = wake_, .events = POLLIN, .revents = 0}, {.fd = (*listening_)->socket(), .events = POLLIN, .revents = 0}}};
  const auto interval = static_cast<int>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::max(options_.poll_interval, Duration{1000})).count());
  for (int left = interval; left > 0; left -= breath_ms) {
    // At most the interval in all, in breaths, of which each hint ends one.
    const int ready = ::poll(waited.data(), waited.size(), left);
    if (ready <= 0 || waited[0].revents != 0) return;
    if ((*listening_)->take_notifications(name_) || !(*listening_)->is_whole()) return;
    if (::poll(waited.data(), 1, breath_ms) != 0) return;
  }
}

void PostgresStore::set_away(const Result<>& looked) {
  // Whoever finds that it answers again, the thread that follows or one that appends, finds it for all.
  if (looked && !condition_.lock()->away.empty()) {
    for (ConnectionPool* const pool : {&reading_, &appending_, &following_}) pool->try_again();
  }
  const auto condition = condition_.lock();
  condition->away = looked ? "" : looked.error().message;
  // What a flush could not reach is there again; whether it takes what is written, the next one tells.
  if (looked && std::exchange(condition->flush_found_nobody, false)) condition->last_flush_ok.reset();
  const std::string code = looked ? "" : looked.error().code;
  if (std::exchange(condition->away_code, code) == code) return;
  if (looked) {
    platform_.log.info("The database answers again");
    return;
  }
  if (!condition->displaced.empty()) return;  // that has been said
  const std::array fields{LogField("error", std::string_view(condition->away))};
  if (is_for_somebody(code)) {
    platform_.log.write(LogLevel::error, "The database cannot be used as it is; it is tried again all the time",
                        fields);
  } else {
    platform_.log.write(LogLevel::warning, "The database cannot be asked; it is tried again all the time", fields);
  }
}

}  // namespace annals::store
