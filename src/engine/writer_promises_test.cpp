// What is told of a write is what holds: over an embedded store in a world that loses power.

#include <gtest/gtest.h>

#include <array>
#include <deque>

#include "engine/test_engine.hpp"
#include "log/test_world.hpp"
#include "model/model_file.hpp"
#include "store/embedded_store.hpp"

namespace annals::engine {
namespace {

using store::Sync;
using Survival = platform::SimulatedFileSystem::Survival;

constexpr std::string_view fields = R"(
[model.NAME.fields]
id   = { type = "string", primary_key = true }
size = { type = "integer" }
)";

std::string declared(std::string_view name, std::string_view lines, std::string_view more_fields = "") {
  std::string text = "[model." + std::string(name) + "]\npath = \"/" + std::string(name) + "\"\n" + std::string(lines);
  std::string of_model(fields);
  of_model.replace(of_model.find("NAME"), 4, name);
  return text + of_model + std::string(more_fields) + "\n";
}

std::vector<model::Model> models_of(const std::string& text) {
  const auto root = model::read_declarations(text, "annals.toml");
  auto read = model::read_models(*root.value().find("model"));
  if (!read) throw std::runtime_error(read.error().message);
  std::vector<model::Model> models;
  for (model::DeclaredModel& one : *read) models.push_back(std::move(one.model));
  return models;
}

class WriterPromisesTest : public testing::Test {
 protected:
  struct Running {
    std::vector<model::Model> models;
    std::unique_ptr<EventStore> store;
    std::vector<std::unique_ptr<projection::TableFeed>> feeds;
    std::unique_ptr<Writer> writer;
  };

  void serve(const std::string& declaration, Sync sync, std::size_t batch_size = 1024) {
    server.emplace();
    server->models = models_of(declaration);
    auto opened = store::open_embedded_store({.directory = "data", .segment_bytes = 64u << 10, .sync = sync},
                                             world->platform(), world->background);
    ASSERT_TRUE(opened) << opened.error().message;
    server->store = *std::move(opened);
    std::vector<projection::TableFeed*> feeds;
    for (const model::Model& model : server->models) {
      server->feeds.push_back(std::make_unique<projection::TableFeed>(model, *server->store, world->platform(), *home));
      feeds.push_back(server->feeds.back().get());
    }
    WriterOptions options;
    options.batch_size = batch_size;
    server->writer = std::make_unique<Writer>(*server->store, feeds, world->platform(), options);
    ASSERT_TRUE(server->writer->load());
    for (const auto& feed : server->feeds) feed->start([] {});
    home->run_ready();
  }
  /// What was not flushed may be gone afterwards, and the server is.
  void lose_power(platform::SimulatedFileSystem::Survival survival) {
    world->files.crash(survival, world->random);
    server.reset();
  }
  /// An empty disk.
  void begin_anew(std::uint64_t seed) {
    server.reset();
    home.reset();
    world = std::make_unique<log::TestWorld>(seed);
    home.emplace(world->clock);
  }

  WriteRequest create(const std::string& id, std::size_t model = 0) {
    WriteRequest request;
    request.model = model;
    request.command.operation = model::Operation::create;
    request.command.key = id;
    request.command.given.push_back({0, model::FieldValue{id}});
    request.actor = "anonymous";
    return request;
  }
  WriteRequest update(const std::string& id, std::int64_t size, std::size_t model = 0) {
    WriteRequest request = create(id, model);
    request.command.operation = model::Operation::update;
    request.command.given = {{1, model::FieldValue{size}}};
    return request;
  }
  void submit(WriteRequest request) {
    const std::size_t place = answers.size();
    answers.emplace_back();
    server->writer->submit(std::move(request), *home,
                           [this, place](Result<Receipt> answer) { answers[place] = std::move(answer); });
  }
  /// "1 memory": the version and how durable it is; or the error's code.
  std::string write(WriteRequest request) {
    submit(std::move(request));
    home->run_ready();
    return told(answers.size() - 1);
  }
  [[nodiscard]] std::string told(std::size_t place) const {
    if (!answers[place]) return "(waiting)";
    const Result<Receipt>& answer = *answers[place];
    if (!answer) return answer.error().code;
    return to_text(answer) + " " + std::string(to_string(answer->durability.value()));
  }
  [[nodiscard]] Position visible() const { return server->store->status().visible; }
  [[nodiscard]] Position flushed() const { return server->store->status().flushed; }

  std::unique_ptr<log::TestWorld> world = std::make_unique<log::TestWorld>();
  std::optional<platform::SteppedExecutor> home{std::in_place, world->clock};
  std::optional<Running> server;
  std::deque<std::optional<Result<Receipt>>> answers;
};

TEST_F(WriterPromisesTest, a_memory_write_is_told_and_seen_before_the_flush_that_follows_soon) {
  serve(declared("hit", "durability = \"memory\"\n"), Sync::group);
  EXPECT_EQ(write(create("a")), "1 memory");
  EXPECT_EQ(visible(), Position{1});
  EXPECT_EQ(flushed(), Position{0});
  EXPECT_TRUE(server->feeds[0]->table().get("a").value().exists());
  world->clock.advance(std::chrono::milliseconds(10));
  world->background.run_ready();
  EXPECT_EQ(flushed(), Position{1});
}

TEST_F(WriterPromisesTest, a_local_write_is_flushed_before_it_is_told_whatever_the_store_gives_otherwise) {
  for (const Sync sync : {Sync::periodic, Sync::memory}) {
    begin_anew(1);
    serve(declared("order", "operations = { create = { durability = \"local\" } }\n"), sync);
    EXPECT_EQ(write(create("a")), "1 local");
    EXPECT_EQ(flushed(), Position{1});
    EXPECT_EQ(write(update("a", 1)), sync == Sync::periodic ? "2 periodic" : "2 memory");
    EXPECT_EQ(flushed(), Position{1});
  }
}

TEST_F(WriterPromisesTest, a_durable_write_that_rests_on_a_memory_write_makes_both_durable) {
  serve(declared("hit", "operations = { create = { durability = \"memory\" } }\n"), Sync::group);
  EXPECT_EQ(write(create("a")), "1 memory");
  EXPECT_EQ(flushed(), Position{0});
  EXPECT_EQ(write(update("a", 7)), "2 local");
  EXPECT_EQ(flushed(), Position{2});
}

TEST_F(WriterPromisesTest, what_is_told_without_being_recorded_is_told_after_a_flush_of_what_it_rests_on) {
  serve(declared("hit", "operations = { create = { durability = \"memory\" } }\n"), Sync::group);
  EXPECT_EQ(write(create("a")), "1 memory");
  EXPECT_EQ(write(create("a")), "already_exists");
  EXPECT_EQ(flushed(), Position{0}) << "a refusal of a memory write promises no more than one";
  WriteRequest unchanged = update("a", 1);
  unchanged.command.given.clear();
  EXPECT_EQ(write(unchanged), "1 local");
  EXPECT_EQ(flushed(), Position{1});
  EXPECT_EQ(write(create("b")), "1 memory");
  WriteRequest refused = update("b", 1);
  refused.command.precondition = {model::Precondition::Rule::version_is_one_of, {StreamVersion{9}}};
  EXPECT_EQ(write(refused), "version_conflict");
  EXPECT_EQ(flushed(), Position{2});
}

TEST_F(WriterPromisesTest, a_request_for_several_promises_the_most_that_one_of_them_does) {
  serve(declared("hit", "durability = \"memory\"\n") + declared("order", ""), Sync::group);
  WriteRequest light;
  light.actor = "anonymous";
  light.several = {{0, create("a").command}, {0, create("b").command}};
  EXPECT_EQ(write(light), "1 memory");
  EXPECT_EQ(flushed(), Position{0});
  WriteRequest mixed;
  mixed.actor = "anonymous";
  mixed.several = {{0, create("c").command}, {1, create("d").command}};
  EXPECT_EQ(write(mixed), "1 local");
  EXPECT_EQ(flushed(), Position{4});
}

// The deletion of a customer promises nothing, and takes orders along whose deletion does.
TEST_F(WriterPromisesTest, what_goes_with_a_deletion_has_its_own_promise_kept) {
  serve(declared("customer", "durability = \"memory\"\n") +
            declared("order", "",
                     "customer = { type = \"string\", references = \"customer\", on_delete = \"cascade\" }\n"),
        Sync::group);
  EXPECT_EQ(write(create("ada")), "1 memory");
  WriteRequest order = create("o", 1);
  order.command.given.push_back({2, model::FieldValue{std::string("ada")}});
  EXPECT_EQ(write(order), "1 local");
  EXPECT_EQ(write(create("bob")), "1 memory");
  WriteRequest remove = create("ada");
  remove.command.operation = model::Operation::remove;
  remove.command.given.clear();
  EXPECT_EQ(write(remove), "2 local");
  EXPECT_EQ(flushed(), visible());
}

TEST_F(WriterPromisesTest, a_loss_of_power_takes_memory_writes_from_the_end_only_and_no_local_write) {
  const std::string models = declared("hit", "durability = \"memory\"\n") + declared("order", "");
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    begin_anew(seed);
    serve(models, Sync::group);
    std::vector<std::string> streams;  // acknowledged, in order
    std::size_t durable = 0;           // of these that must be there
    for (int count = 0; count < 60; ++count) {
      const bool local = world->random.next() % 8 == 0;
      const std::string id = "k" + std::to_string(count);
      ASSERT_EQ(write(create(id, local ? 1 : 0)), local ? "1 local" : "1 memory");
      streams.push_back((local ? "order-" : "hit-") + id);
      if (local) durable = streams.size();
      if (world->random.next() % 16 == 0) {
        world->clock.advance(std::chrono::milliseconds(10));
        world->background.run_ready();
        durable = streams.size();
      }
    }
    constexpr std::array survivals{Survival::nothing, Survival::everything, Survival::some_sectors, Survival::a_prefix};
    lose_power(survivals[seed % survivals.size()]);
    serve(models, Sync::group);
    const auto page = server->store->read_all({}, Horizon::visible, PageLimit{});
    ASSERT_TRUE(page);
    ASSERT_GE(page->events().size(), durable);
    ASSERT_LE(page->events().size(), streams.size());
    for (std::size_t place = 0; place < page->events().size(); ++place)
      ASSERT_EQ(page->events()[place].stream, streams[place]);
    server.reset();
  }
}

TEST_F(WriterPromisesTest, a_stop_flushes_what_was_told) {
  serve(declared("hit", "durability = \"memory\"\n"), Sync::group);
  EXPECT_EQ(write(create("a")), "1 memory");
  ASSERT_TRUE(server->store->close());
  lose_power(Survival::nothing);
  serve(declared("hit", ""), Sync::group);
  EXPECT_TRUE(server->feeds[0]->table().get("a").value().exists());
}

TEST_F(WriterPromisesTest, after_a_flush_that_failed_no_success_is_told_old_receipts_and_repetitions_included) {
  serve(declared("hit", "durability = \"memory\"\n"), Sync::group);
  EXPECT_EQ(write(with_key(create("a"), "key", "body")), "1 memory");
  EXPECT_EQ(write(with_key(create("a"), "key", "body")), "1 replayed memory");
  world->files.fault_at(world->files.steps() + 1, platform::SimulatedFileSystem::Fault::fail_dirty);
  world->clock.advance(std::chrono::milliseconds(10));
  world->background.run_ready();
  EXPECT_FALSE(server->store->status().writable);
  EXPECT_EQ(write(create("b")), "unavailable");
  EXPECT_EQ(write(with_key(create("a"), "key", "body")), "unavailable");
  EXPECT_EQ(write(create("a")), "unavailable") << "that it exists may not be so after a restart";
  EXPECT_TRUE(server->feeds[0]->table().get("a").value().exists()) << "what was told is shown";
}

TEST_F(WriterPromisesTest, a_batch_size_bounds_what_a_flush_takes_of_a_model_and_holds_up_no_other) {
  serve(declared("bulk", "performance = { batch_size = 3 }\n") + declared("order", ""), Sync::group);
  for (int count = 0; count < 8; ++count) submit(create("b" + std::to_string(count), 0));
  submit(create("o", 1));
  submit(update("b7", 5, 0));
  std::vector<Position> flushes;
  const auto watch = server->store->watch([&](Position flushed) { flushes.push_back(flushed); });
  home->run_ready();
  EXPECT_EQ(flushes, (std::vector{Position{4}, Position{7}, Position{10}}));
  for (std::size_t place = 0; place < 9; ++place) EXPECT_EQ(told(place), "1 local");
  EXPECT_EQ(told(9), "2 local") << "what is about a key keeps its order";
  EXPECT_EQ(server->store->read_all(Position{3}, Horizon::visible, {1, 1})->events().front().stream, "order-o");
}

TEST_F(WriterPromisesTest, a_request_for_more_than_a_batch_size_is_one_all_the_same_and_goes_alone_of_its_model) {
  serve(declared("bulk", "performance = { batch_size = 2 }\n") + declared("order", ""), Sync::group);
  submit(create("a", 0));
  WriteRequest many;
  many.actor = "anonymous";
  for (int count = 0; count < 5; ++count) many.several.push_back({0, create("m" + std::to_string(count)).command});
  many.several.push_back({1, create("x").command});
  submit(many);
  submit(create("y", 1));  // waits behind what is about its model
  submit(create("b", 0));
  std::vector<Position> flushes;
  const auto watch = server->store->watch([&](Position flushed) { flushes.push_back(flushed); });
  home->run_ready();
  EXPECT_EQ(flushes, (std::vector{Position{1}, Position{8}, Position{9}}));
}

TEST_F(WriterPromisesTest, batch_sizes_and_the_stores_own_hold_together) {
  serve(declared("bulk", "performance = { batch_size = 3 }\n") + declared("order", ""), Sync::group, 4);
  for (int count = 0; count < 5; ++count) submit(create("b" + std::to_string(count), 0));
  for (int count = 0; count < 5; ++count) submit(create("o" + std::to_string(count), 1));
  std::vector<Position> flushes;
  const auto watch = server->store->watch([&](Position flushed) { flushes.push_back(flushed); });
  home->run_ready();
  EXPECT_EQ(flushes, (std::vector{Position{4}, Position{8}, Position{10}}));
  for (std::size_t place = 0; place < 10; ++place) EXPECT_EQ(told(place), "1 local");
}

}  // namespace
}  // namespace annals::engine
