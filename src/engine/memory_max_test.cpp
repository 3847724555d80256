// A model with memory_max against the same model without: whatever is asked of the two, and whatever happens to the
// file of what is not in memory, they answer alike.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "engine/engine.hpp"
#include "engine/list_run.hpp"
#include "engine/test_engine.hpp"
#include "json/reader.hpp"
#include "model/model_file.hpp"
#include "model/resource.hpp"

namespace annals::engine {
namespace {

constexpr const char* rows_path = "data/product.rows";
constexpr std::uint64_t small_memory = 600;  // less than a declaration may say: about three of the records

model::Model product(std::uint64_t memory_max, model::Consistency consistency = model::Consistency::live) {
  // What spans records is decided on live tables.
  const bool live = consistency == model::Consistency::live;
  const auto root = model::read_declarations(
      "[model.product]\npath = \"/products\"\n[model.product.fields]\nid = { type = \"string\", primary_key = true }\n"
      "stock = { type = \"integer\", indexed = true, default = 0 }\n" +
          std::string(live ? "code = { type = \"string\", unique = true }\n" : "code = { type = \"string\" }\n") +
          std::string(live ? "parent = { type = \"string\", references = \"product\", on_delete = \"set_null\" }\n"
                           : "") +
          "note = { type = \"text\", bloom_filter = true }\n"
          "batch = { type = \"integer\", bloom_filter = true }\n"
          "label = { type = \"string\", computed = \"coalesce(code, 'none') + ' ' + coalesce(note, id)\" }\n"
          "total = { type = \"integer\", computed = \"stock * coalesce(batch, 1)\", indexed = true }\n",
      "annals.toml");
  model::Model model = std::move(model::read_models(*root.value().find("model")).value().front().model);
  model.snapshot_every = 4;
  model.memory_max = memory_max;
  model.consistency = consistency;
  return model;
}

json::Object body(const std::string& text) {
  return json::thread_reader().read_object(text).value();
}

std::string text_of(const Result<model::Record>& record) {
  if (!record) return record.error().code;
  return to_string(record->version) + " " + record->updated_at.to_text() + " " +
         (record->exists() ? std::string(*record->value) : "(none)");
}

/// A server's engine over a store that outlives it.
class ServedInMemory {
 public:
  explicit ServedInMemory(model::Model model) : model_(std::move(model)) {
    if (!world.files.create_directories("data")) std::abort();
    open();
  }

  void open() {
    EngineOptions options;
    options.checkpoint_directory = "data";
    engine = std::make_unique<Engine>(std::vector{model_}, store, world.platform(), world.executor, options);
    if (!engine->start([] {})) std::abort();
    world.executor.run_ready();
  }
  void restart() {
    engine->stop();
    engine.reset();
    open();
  }
  /// The process ends without a word, and leaves what files it has.
  void crash() {
    world.files.set_capacity(0);
    engine.reset();
    world.files.set_capacity(std::nullopt);
    world.files.kill_process();
    open();
  }

  std::string write(WriteRequest request) {
    std::string answer;
    engine->writer().submit(std::move(request), world.executor,
                            [&](const Result<Receipt>& receipt) { answer = to_text(receipt); });
    world.executor.run_ready();
    return answer;
  }
  static WriteRequest request(const std::string& key, model::Operation operation) {
    WriteRequest request = remove_request(key);
    request.command.operation = operation;
    return request;
  }
  std::string create(const std::string& key, const std::string& members) {
    WriteRequest one = request(key, model::Operation::create);
    const std::string text = R"({"id":")" + key + "\"" + members + "}";
    one.command.given = model::read_new_record(model_, body(text), {Instant{}, [] { return Uuid{}; }}).value();
    return write(std::move(one));
  }
  std::string change(const std::string& key, const std::string& members) {
    WriteRequest one = request(key, model::Operation::update);
    one.command.given = model::read_patch(model_, body("{" + members.substr(1) + "}"), key).value();
    return write(std::move(one));
  }
  std::string roll_back(const std::string& key, StreamVersion version) {
    const auto record = record_at_version(engine->past(0), key, version).value();
    if (!record.exists()) return "";
    WriteRequest one = request(key, model::Operation::restore);
    one.command.value = record.value;
    return write(std::move(one));
  }

  [[nodiscard]] projection::ReadTable& table() { return engine->feed(0).table(); }
  [[nodiscard]] projection::TextMemoryStatus memory() { return engine->feed(0).memory()->status(); }
  [[nodiscard]] std::string get(const std::string& key) { return text_of(table().get(key)); }

  /// All pages of a list, as keys, versions and values.
  std::string list(const std::string& filter, const std::string& sort, std::optional<Instant> time = std::nullopt,
                   projection::Use use = projection::Use::keeps) {
    ListQuery query;
    if (!filter.empty()) {
      const std::size_t equals = filter.find('=');
      query.filters.push_back(
          model::read_filter(model_, filter.substr(0, equals), filter.substr(equals + 1), {}).value());
    }
    if (!sort.empty()) query.sort = model::read_sort(model_, sort).value();
    query.limit = 5;
    std::string all;
    while (true) {
      ListRun run(engine->past(0), table(), query, time, list_bytes_max, use);
      const auto found = run.go_on(Turn::endless());
      if (!found) return found.error().code;
      const ListPage page = run.take();
      for (const ListRow& row : page.rows) all += std::string(row.place.key()) + " " + text_of(row.record) + "\n";
      if (!page.more) return all;
      query.after = page.rows.back().place;
    }
  }
  /// Whatever can be asked of the table.
  std::string everything(const std::vector<std::string>& keys) {
    std::string all;
    for (const std::string& key : keys) all += key + ": " + get(key) + "\n";
    for (const char* sort : {"", "-id", "stock", "-stock", "code,stock", "-total", "label"})
      all += list("", sort) + "--\n";
    for (const char* filter : {"stock[gte]=10", "note[contains]=x", "code=c3", "code[in]=c1,c5", "id[gt]=k3", "batch=7",
                               "batch[in]=3,4,11", "note=xxx3", "total[gt]=40", "label[prefix]=c"})
      all += list(filter, "") + list(filter, "-stock") + "--\n";
    all += list("", "", std::nullopt, projection::Use::passes);
    return all;
  }

  using ListQuery = model::ListQuery;
  TestWorld world;
  ControlledStore store{world.platform()};
  std::unique_ptr<Engine> engine;

 private:
  const model::Model model_;
};

std::string note(int number) {
  return R"(,"note":")" + std::string(static_cast<std::size_t>(number), 'x') + std::to_string(number) + "\"";
}

std::string key_of_number(int number) {
  return "k" + std::to_string(100 + number);
}

void fill(ServedInMemory& served, int count) {
  for (int number = 0; number < count; ++number) {
    const std::string code = R"(,"code":"c)" + std::to_string(number) + R"(","batch":)" + std::to_string(number % 11) +
                             R"(,"stock":)" + std::to_string(number % 20);
    ASSERT_EQ(served.create(key_of_number(number), code + note(number)), "1");
  }
}

std::vector<std::string> all_keys(int count) {
  std::vector<std::string> keys;
  for (int number = 0; number <= count; ++number) keys.push_back(key_of_number(number));
  return keys;
}

TEST(memory_max, records_that_do_not_fit_are_read_back_and_listed_also_after_restarts_and_crashes) {
  ServedInMemory bounded(product(small_memory));
  ServedInMemory plain(product(0));
  fill(bounded, 60);
  fill(plain, 60);
  const std::string expected = plain.everything(all_keys(60));
  EXPECT_EQ(bounded.everything(all_keys(60)), expected);
  EXPECT_GE(bounded.memory().cold, 50u);
  EXPECT_LE(bounded.memory().bytes, small_memory);
  bounded.restart();
  EXPECT_EQ(bounded.world.logged("A checkpoint was loaded"), 2u) << "the cold ones are in it, too";
  EXPECT_GE(bounded.memory().cold, 50u);
  EXPECT_EQ(bounded.everything(all_keys(60)), expected);
  bounded.crash();
  EXPECT_EQ(bounded.everything(all_keys(60)), expected);
  EXPECT_LE(bounded.memory().bytes, small_memory);
  EXPECT_EQ(bounded.memory().recalls, 0u);
}

TEST(memory_max, without_a_checkpoint_the_table_is_made_from_the_log_within_its_bound) {
  for (const auto consistency : {model::Consistency::live, model::Consistency::eventual, model::Consistency::restart}) {
    ServedInMemory bounded(product(small_memory, consistency));
    ServedInMemory plain(product(0, consistency));
    fill(bounded, 40);
    fill(plain, 40);
    bounded.crash();
    plain.crash();
    EXPECT_LE(bounded.memory().bytes, small_memory);
    EXPECT_GE(bounded.memory().cold, 30u);
    EXPECT_EQ(bounded.everything(all_keys(40)), plain.everything(all_keys(40)));
    // A refresh over a table that has cold rows already.
    for (ServedInMemory* served : {&bounded, &plain}) {
      for (int number = 0; number < 40; number += 3)
        EXPECT_EQ(served->change(key_of_number(number), R"(,"stock":77)"), "2");
      served->engine->feed(0).refresh([] {});
      served->world.executor.run_ready();
    }
    EXPECT_EQ(bounded.everything(all_keys(40)), plain.everything(all_keys(40)));
  }
}

TEST(memory_max, decisions_rest_on_cold_records_as_on_hot_ones) {
  ServedInMemory served(product(small_memory));
  fill(served, 60);
  (void)served.get(key_of_number(59));
  const std::uint64_t loads = served.memory().loads;
  EXPECT_EQ(served.change(key_of_number(0), R"(,"stock":0)"), "1") << "nothing changes, which only the old text tells";
  EXPECT_GT(served.memory().loads, loads);
  EXPECT_EQ(served.create(key_of_number(1), ""), "already_exists");
  EXPECT_EQ(served.change(key_of_number(2), R"(,"code":"c3")"), "not_unique");
  EXPECT_EQ(served.change(key_of_number(2), R"(,"parent":"k103")"), "2");
  EXPECT_EQ(served.change(key_of_number(4), R"(,"parent":"none")"), "reference_missing");
  EXPECT_EQ(served.write(remove_request(key_of_number(3))), "2");
  EXPECT_EQ(served.get(key_of_number(2)).find("k103"), std::string::npos) << "set to null with it";
  EXPECT_EQ(served.change(key_of_number(5), R"(,"code":"c3")"), "2") << "free again";
  EXPECT_EQ(served.roll_back(key_of_number(5), StreamVersion{1}), "3");
}

TEST(memory_max, what_is_damaged_in_the_file_is_folded_from_the_log) {
  ServedInMemory bounded(product(small_memory));
  ServedInMemory plain(product(0));
  for (ServedInMemory* served : {&bounded, &plain}) {
    fill(*served, 60);
    for (int number = 0; number < 60; number += 7) {
      for (int stock = 30; stock < 36; ++stock)
        (void)served->change(key_of_number(number), R"(,"stock":)" + std::to_string(stock));
    }
  }
  bounded.world.files.damage(rows_path, [](std::string& bytes) { std::fill(bytes.begin() + 16, bytes.end(), '\0'); });
  EXPECT_EQ(bounded.everything(all_keys(60)), plain.everything(all_keys(60)));
  EXPECT_GE(bounded.memory().recalls, 50u);
  EXPECT_GE(bounded.world.logged("is folded from the log"), 1u);
  bounded.restart();
  EXPECT_EQ(bounded.everything(all_keys(60)), plain.everything(all_keys(60)));
}

TEST(memory_max, on_a_full_disk_all_stays_in_memory_and_health_says_so) {
  ServedInMemory served(product(small_memory));
  const auto health = [&] {
    Health found;
    served.engine->check_health(served.world.executor, [&](const Health& one) { found = one; });
    return found.projection;
  };
  fill(served, 10);
  EXPECT_EQ(health().state, "ok");
  served.world.files.set_capacity(0);
  for (int number = 10; number < 60; ++number) EXPECT_EQ(served.create(key_of_number(number), note(100)), "1");
  EXPECT_GT(served.memory().bytes, small_memory);
  EXPECT_EQ(health().state, "error");
  EXPECT_NE(health().detail.find("memory_max"), std::string::npos);
  EXPECT_NE(served.get(key_of_number(0)).find("\"code\":\"c0\""), std::string::npos);
  served.world.files.set_capacity(std::nullopt);
  served.world.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(health().state, "ok") << "nothing else need happen";
  EXPECT_LE(served.memory().bytes, small_memory);
}

TEST(memory_max, a_checkpoint_of_cold_records_is_written_while_they_come_and_go) {
  ServedInMemory served(product(small_memory));
  fill(served, 60);
  const projection::TextMemoryStatus before = served.memory();
  ASSERT_TRUE(served.engine->feed(0).keeper()->write_all());
  EXPECT_EQ(served.memory().evictions, before.evictions) << "what is written down does not come into memory";
  EXPECT_GT(served.memory().loads, before.loads);
  EXPECT_TRUE(*served.world.files.exists("data/product.table"));
}

TEST(memory_max, a_page_that_is_asked_for_again_is_in_memory_and_an_export_throws_nothing_out) {
  ServedInMemory served(product(6'000));
  fill(served, 60);
  const auto page = [&](projection::Use use) {
    model::ListQuery query;
    query.filters.push_back(model::read_filter(served.engine->model(0), "stock[gte]", "3", {}).value());
    query.sort = model::read_sort(served.engine->model(0), "stock").value();
    query.limit = 5;
    ListRun run(served.engine->past(0), served.table(), query, std::nullopt, list_bytes_max, use);
    EXPECT_EQ(run.go_on(Turn::endless()), Result<bool>(true));
    EXPECT_EQ(run.take().rows.size(), 5u);
  };
  page(projection::Use::keeps);
  const std::uint64_t loads = served.memory().loads;
  page(projection::Use::keeps);
  EXPECT_EQ(served.memory().loads, loads);
  const std::uint64_t evictions = served.memory().evictions;
  (void)served.list("", "", std::nullopt, projection::Use::passes);
  EXPECT_GT(served.memory().loads, loads);
  EXPECT_EQ(served.memory().evictions, evictions);
}

// --- At random ---

struct MemoryStep {
  enum class Kind : std::uint8_t { create, change, remove, roll_back, get, list, past, restart, crash, damage, full };
  Kind kind = Kind::change;
  int key = 0;
  int value = 0;
};

std::ostream& operator<<(std::ostream& out, const MemoryStep& step) {
  static constexpr const char* kinds[] = {"create", "change",  "remove", "roll back", "get", "list",
                                          "past",   "restart", "crash",  "damage",    "full"};
  return out << kinds[static_cast<int>(step.kind)] << " k" << step.key << " " << step.value << "\n";
}

rc::Gen<MemoryStep> any_memory_step() {
  using Kind = MemoryStep::Kind;
  return rc::gen::build<MemoryStep>(
      rc::gen::set(&MemoryStep::kind, rc::gen::weightedElement<Kind>({{20, Kind::create},
                                                                      {20, Kind::change},
                                                                      {4, Kind::remove},
                                                                      {2, Kind::roll_back},
                                                                      {10, Kind::get},
                                                                      {3, Kind::list},
                                                                      {1, Kind::past},
                                                                      {1, Kind::restart},
                                                                      {1, Kind::crash},
                                                                      {1, Kind::damage},
                                                                      {1, Kind::full}})),
      rc::gen::set(&MemoryStep::key, rc::gen::inRange(0, 30)),
      rc::gen::set(&MemoryStep::value, rc::gen::inRange(0, 150)));
}

std::string members(const MemoryStep& step) {
  std::string all = R"(,"stock":)" + std::to_string(step.value % 20);
  if (step.value % 3 != 0) all += note(step.value);
  if (step.value % 4 == 1) all += R"(,"code":"c)" + std::to_string(step.value % 7) + "\"";
  if (step.value % 3 != 1) all += R"(,"batch":)" + std::to_string(step.value % 13);
  if (step.value % 5 == 1) all += R"(,"parent":"k)" + std::to_string(step.value % 30) + "\"";
  return all;
}

/// What happens to both, and is answered by both alike.
std::string take(ServedInMemory& served, const MemoryStep& step) {
  const std::string key = "k" + std::to_string(step.key);
  switch (step.kind) {
    case MemoryStep::Kind::create: return served.create(key, members(step));
    case MemoryStep::Kind::change: return served.change(key, members(step));
    case MemoryStep::Kind::remove: return served.write(remove_request(key));
    case MemoryStep::Kind::roll_back:
      return served.roll_back(key, StreamVersion{static_cast<std::uint64_t>(step.value % 5)});
    case MemoryStep::Kind::get: return served.get(key);
    case MemoryStep::Kind::list:
      return served.list("stock[lt]=" + std::to_string(step.value % 20), "-stock") +
             served.list("batch=" + std::to_string(step.value % 13), "-total");
    case MemoryStep::Kind::past:
      return served.list("", "", served.world.clock.now().plus(-std::chrono::seconds(step.value)));
    case MemoryStep::Kind::restart: served.restart(); return "";
    case MemoryStep::Kind::crash: served.crash(); return "";
    case MemoryStep::Kind::damage:
      if (*served.world.files.exists(rows_path)) {
        served.world.files.damage(rows_path, [&](std::string& bytes) {
          if (bytes.size() > 16) bytes[16 + static_cast<std::size_t>(step.value) % (bytes.size() - 16)] ^= 1;
        });
      }
      return "";
    case MemoryStep::Kind::full:
      served.world.files.set_capacity(step.value % 2 == 0 ? std::optional<std::uint64_t>(0) : std::nullopt);
      return "";
  }
  return "";
}

RC_GTEST_PROP(memory_max, a_model_with_a_bound_answers_as_one_without, ()) {
  const auto steps = *rc::gen::container<std::vector<MemoryStep>>(any_memory_step());
  ServedInMemory bounded(product(small_memory));
  ServedInMemory plain(product(0));
  for (const MemoryStep& step : steps) {
    for (ServedInMemory* served : {&bounded, &plain}) served->world.clock.advance(std::chrono::seconds(2));
    const std::string answer = take(bounded, step);
    RC_ASSERT(answer == take(plain, step));
    RC_ASSERT(bounded.memory().bytes <= small_memory || bounded.memory().stuck);
  }
  std::vector<std::string> keys;
  for (int key = 0; key < 30; ++key) keys.push_back("k" + std::to_string(key));
  RC_ASSERT(bounded.everything(keys) == plain.everything(keys));
}

}  // namespace
}  // namespace annals::engine
