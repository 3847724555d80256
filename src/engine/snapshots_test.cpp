// Reads of the past that begin at snapshots, against the same reads folded from the first event.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iterator>

#include "engine/engine.hpp"
#include "engine/test_engine.hpp"
#include "json/reader.hpp"
#include "model/model_file.hpp"
#include "model/resource.hpp"

namespace annals::engine {
namespace {

constexpr std::uint64_t every = 4;
constexpr const char* file = "data/product.snapshots";

model::Model declared(const std::string& fields) {
  const auto root = model::read_declarations(
      "[model.product]\npath = \"/products\"\n[model.product.fields]\nid = { type = \"string\", primary_key = true "
      "}\n" +
          fields,
      "annals.toml");
  model::Model model = std::move(model::read_models(*root.value().find("model")).value().front().model);
  model.snapshot_every = every;  // less than a declaration may say, so that short histories have many
  return model;
}

const std::string as_first_declared = "stock = { type = \"integer\", default = 0 }\nnote = { type = \"string\" }\n";
const std::string as_renamed =
    "amount = { type = \"integer\", default = 0, renamed_from = \"stock\" }\nnote = { type = \"string\" }\n";

json::Object body_of(const std::string& text) {
  return json::thread_reader().read_object(text).value();
}

/// An engine over a store and files, both of which outlive it.
struct ServedSnapshots {
  ServedSnapshots(TestWorld& the_world, ControlledStore& the_store, model::Model model)
      : world(the_world), store(the_store) {
    EngineOptions options;
    options.checkpoint_directory = "data";
    engine = std::make_unique<Engine>(std::vector{std::move(model)}, store, world.platform(), world.executor, options);
    if (!engine->start([] {})) std::abort();
    world.executor.run_ready();
  }

  [[nodiscard]] const model::Model& model() const { return engine->model(0); }
  [[nodiscard]] projection::Snapshots& snapshots() { return *engine->feed(0).snapshots(); }

  void submit(WriteRequest request) {
    engine->writer().submit(std::move(request), world.executor, [](auto) {});
  }
  void create(const std::string& key) {
    WriteRequest request = remove_request(key);
    request.command.operation = model::Operation::create;
    request.command.given =
        model::read_new_record(model(), body_of(R"({"id":")" + key + "\"}"), {Instant{}, [] { return Uuid{}; }})
            .value();
    submit(std::move(request));
  }
  void set_number(const std::string& key, int number) {
    WriteRequest request = remove_request(key);
    request.command.operation = model::Operation::update;
    const std::string text = "{\"" + model().fields[1].name + "\":" + std::to_string(number) + "}";
    request.command.given = model::read_patch(model(), body_of(text), key).value();
    submit(std::move(request));
  }
  void remove(const std::string& key) { submit(remove_request(key)); }
  void roll_back(const std::string& key, StreamVersion version) {
    const auto record = record_at_version(engine->past(0), key, version).value();
    if (!record.exists()) return;
    WriteRequest request = remove_request(key);
    request.command.operation = model::Operation::restore;
    request.command.value = record.value;
    submit(std::move(request));
  }
  /// A record with this many events.
  void fill(const std::string& key, int events) {
    create(key);
    for (int number = 1; number < events; ++number) set_number(key, number);
    world.executor.run_ready();
  }

  [[nodiscard]] static std::string text_of(const model::Record& record) {
    return to_string(record.version) + " " + record.updated_at.to_text() + " " +
           (record.exists() ? std::string(*record.value) : "(none)");
  }
  [[nodiscard]] std::string folded(const std::string& key, std::uint64_t version) const {
    return text_of(record_at_version({store, model()}, key, StreamVersion{version}).value());
  }
  [[nodiscard]] std::string read(const std::string& key, std::uint64_t version) {
    std::string text = text_of(record_at_version(engine->past(0), key, StreamVersion{version}).value());
    world.executor.run_ready();
    return text;
  }
  /// How many events a read folds.
  [[nodiscard]] std::uint64_t cost(const std::string& key, std::uint64_t version) {
    const std::uint64_t before = engine->feed(0).folded();
    (void)read(key, version);
    return engine->feed(0).folded() - before;
  }

  TestWorld& world;
  ControlledStore& store;
  std::unique_ptr<Engine> engine;
};

class EngineSnapshotsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world.files.create_directories("data")); }
  void open(const std::string& fields = as_first_declared) {
    served.reset();
    served = std::make_unique<ServedSnapshots>(world, store, declared(fields));
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  std::unique_ptr<ServedSnapshots> served;
};

TEST_F(EngineSnapshotsTest, a_read_of_the_past_folds_no_more_events_than_the_model_says) {
  open();
  served->fill("a", 42);
  for (std::uint64_t version = 1; version <= 42; ++version) {
    EXPECT_EQ(served->read("a", version), served->folded("a", version));
    EXPECT_EQ(served->cost("a", version), version % every) << "version " << version;
  }
  EXPECT_EQ(served->read("a", 43), served->folded("a", 43)) << "one that never was";
  open();
  EXPECT_EQ(served->cost("a", 41), 1u) << "after a restart, too";
}

TEST_F(EngineSnapshotsTest, the_newest_state_is_loaded_from_a_snapshot) {
  open();
  served->fill("a", 42);
  const std::uint64_t before = served->engine->feed(0).folded();
  EXPECT_EQ(ServedSnapshots::text_of(newest_record(served->engine->past(0), "product-a").value()),
            served->folded("a", 42));
  EXPECT_EQ(served->engine->feed(0).folded() - before, 2u);
}

TEST_F(EngineSnapshotsTest, snapshots_that_were_removed_come_back_by_themselves) {
  open();
  served->fill("a", 42);
  ASSERT_TRUE(world.files.remove(file));
  open();
  EXPECT_EQ(served->cost("a", 41), 41u);
  EXPECT_EQ(served->cost("a", 41), 1u);
  EXPECT_EQ(served->cost("a", 19), 3u) << "all that were missing on the way";
}

TEST_F(EngineSnapshotsTest, a_long_fold_ends_with_its_turn_and_goes_on_in_the_next) {
  open();
  served->fill("a", 42);
  served->fill("b", 42);
  ASSERT_TRUE(world.files.remove(file));
  open();
  const Turn over(world.clock);
  world.clock.advance(turn_time);
  PastRecord read(served->engine->past(0), "a", StreamVersion{42}, std::nullopt);
  int turns = 1;
  while (!read.go_on(over).value()) ++turns;
  EXPECT_GE(turns, 42) << "an event a turn, when each is over at once";
  EXPECT_EQ(ServedSnapshots::text_of(read.take()), served->folded("a", 42));

  // So does a list of the past.
  world.clock.advance(std::chrono::seconds(1));
  const Instant then = world.clock.now();
  world.clock.advance(std::chrono::seconds(1));
  served->set_number("a", 99);
  served->set_number("b", 99);
  world.executor.run_ready();
  ASSERT_TRUE(world.files.remove(file));
  open();
  const Past past = served->engine->past(0);
  ListAtTime list(past, served->engine->feed(0).table(), then, "", std::nullopt);
  std::vector<ListAtTime::Row> rows;
  for (turns = 0; !list.ended(); ++turns) {
    auto some = list.next(10, 1u << 20, over).value();
    std::ranges::move(some, std::back_inserter(rows));
  }
  EXPECT_GE(turns, 84);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(ServedSnapshots::text_of(rows[1].record), served->folded("b", 42));
}

TEST_F(EngineSnapshotsTest, a_snapshot_of_a_tail_that_was_lost_is_not_believed) {
  open();
  served->fill("a", 20);
  // The same log, but for its end: there, other events were recorded.
  TestWorld elsewhere(2);
  ControlledStore other(elsewhere.platform());
  const EventPage page = store.read_all(Position{}, Horizon::visible, PageLimit{}).value();
  ASSERT_TRUE(other.restore(std::span(page.events()).first(10)));
  served.reset();
  ServedSnapshots after(world, other, declared(as_first_declared));
  for (int number = 100; number < 112; ++number) {
    after.set_number("a", number);
    world.executor.run_ready();
  }
  for (std::uint64_t version = 1; version <= 22; ++version)
    EXPECT_EQ(after.read("a", version), after.folded("a", version)) << "version " << version;
  EXPECT_NE(after.read("a", 18),
            ServedSnapshots::text_of(record_at_version({store, after.model()}, "a", StreamVersion{18}).value()));
  EXPECT_EQ(after.cost("a", 18), 2u) << "with snapshots of its own";
}

TEST_F(EngineSnapshotsTest, the_snapshots_of_another_store_are_not_believed) {
  open();
  served->fill("a", 20);
  served.reset();
  TestWorld elsewhere(3);
  ControlledStore other(elsewhere.platform());
  ServedSnapshots after(world, other, declared(as_first_declared));
  after.create("a");
  world.executor.run_ready();
  for (int number = 50; number < 60; ++number) after.set_number("a", number);
  world.executor.run_ready();
  for (std::uint64_t version = 1; version <= 12; ++version)
    EXPECT_EQ(after.read("a", version), after.folded("a", version)) << "version " << version;
}

TEST_F(EngineSnapshotsTest, a_model_whose_table_is_not_live_has_them_too) {
  const model::Model model = [] {
    model::Model eventual = declared(as_first_declared);
    eventual.consistency = model::Consistency::eventual;
    return eventual;
  }();
  served = std::make_unique<ServedSnapshots>(world, store, model);
  served->fill("a", 42);
  while (served->snapshots().status().written < 10 && world.executor.run_next_timer()) {
  }
  EXPECT_EQ(served->cost("a", 41), 1u);
}

/// What may happen to a record, or to the server.
struct SnapshotStep {
  enum class Kind : std::uint8_t { create, set, remove, roll_back, restart, lose_file, redeclare, read };
  Kind kind = Kind::set;
  int key = 0;
  int value = 0;
};

std::ostream& operator<<(std::ostream& out, const SnapshotStep& step) {
  static constexpr const char* kinds[] = {"create",  "set",       "remove",    "roll back",
                                          "restart", "lose file", "redeclare", "read"};
  return out << kinds[static_cast<int>(step.kind)] << " k" << step.key << " " << step.value << "\n";
}

rc::Gen<SnapshotStep> any_snapshot_step() {
  using Kind = SnapshotStep::Kind;
  return rc::gen::build<SnapshotStep>(
      rc::gen::set(&SnapshotStep::kind, rc::gen::weightedElement<Kind>({{3, Kind::create},
                                                                        {20, Kind::set},
                                                                        {2, Kind::remove},
                                                                        {2, Kind::roll_back},
                                                                        {1, Kind::restart},
                                                                        {1, Kind::lose_file},
                                                                        {1, Kind::redeclare},
                                                                        {3, Kind::read}})),
      rc::gen::set(&SnapshotStep::key, rc::gen::inRange(0, 2)),
      rc::gen::set(&SnapshotStep::value, rc::gen::inRange(0, 40)));
}

class Play {
 public:
  Play() {
    RC_ASSERT(world_.files.create_directories("data").has_value());
    serve();
  }

  void take(const SnapshotStep& step) {
    const std::string key = "k" + std::to_string(step.key);
    const auto version = static_cast<std::uint64_t>(step.value);
    switch (step.kind) {
      case SnapshotStep::Kind::create: return served_->create(key);
      case SnapshotStep::Kind::set: return served_->set_number(key, step.value);
      case SnapshotStep::Kind::remove: return served_->remove(key);
      case SnapshotStep::Kind::roll_back: return served_->roll_back(key, StreamVersion{version});
      case SnapshotStep::Kind::restart: return serve();
      case SnapshotStep::Kind::lose_file: return (void)world_.files.remove(file);
      case SnapshotStep::Kind::redeclare: fields_ = as_renamed; return serve();
      case SnapshotStep::Kind::read: return check(key, version);
    }
  }

  /// Whatever was, is read alike, twice: what is missing is made by the first.
  void check_all() {
    world_.executor.run_ready();
    for (const std::string key : {"k0", "k1"}) {
      const std::uint64_t last = store_.stream_version("product-" + key).value().value;
      // A file that was lost is found to be so by the first that is written: then all are made again.
      for (int pass = 0; pass < 2; ++pass) {
        for (std::uint64_t version = 0; version <= last + 1; ++version) check(key, version);
      }
      for (std::uint64_t version = 0; version <= last; ++version) RC_ASSERT(served_->cost(key, version) < every);
    }
    const EventPage page = store_.read_all(Position{}, Horizon::visible, PageLimit{100'000, 1u << 30}).value();
    for (const EventView& event : page.events()) {
      for (const std::string key : {"k0", "k1"}) {
        const auto read = record_at_time(served_->engine->past(0), key, event.created_at);
        const auto folded = record_at_time({store_, served_->model()}, key, event.created_at);
        RC_ASSERT(ServedSnapshots::text_of(read.value()) == ServedSnapshots::text_of(folded.value()));
      }
    }
  }

 private:
  void serve() {
    if (served_) world_.executor.run_ready();
    served_.reset();
    served_ = std::make_unique<ServedSnapshots>(world_, store_, declared(fields_));
  }
  void check(const std::string& key, std::uint64_t version) {
    world_.executor.run_ready();
    const std::string read = served_->read(key, version);
    RC_ASSERT(read == served_->folded(key, version));
  }

  TestWorld world_;
  ControlledStore store_{world_.platform()};
  std::string fields_ = as_first_declared;
  std::unique_ptr<ServedSnapshots> served_;
};

RC_GTEST_PROP(SnapshotsProperty, reads_with_snapshots_are_those_folded_from_nothing, ()) {
  const auto steps = *rc::gen::container<std::vector<SnapshotStep>>(any_snapshot_step());
  Play play;
  for (const SnapshotStep& step : steps) play.take(step);
  play.check_all();
}

}  // namespace
}  // namespace annals::engine
