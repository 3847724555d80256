// References between models: what is referred to exists, and what refers to what is deleted is asked.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/test_engine.hpp"
#include "model/model_file.hpp"
#include "model/resource.hpp"

namespace annals::engine {
namespace {

enum Place : std::size_t { customers, orders, lines, visits };

std::vector<model::Model> shop() {
  const auto root = model::read_declarations(R"x(
[model.customer]
path = "/customers"
[model.customer.fields]
id   = { type = "string", primary_key = true }
name = { type = "string" }

[model.order]
path = "/orders"
[model.order.fields]
id       = { type = "string", primary_key = true }
customer = { type = "string", references = "customer" }
parent   = { type = "string", references = "order", on_delete = "cascade" }
seller   = { type = "string", references = "customer", on_delete = "set_null", event = "SellerChanged" }

[model.line]
path = "/lines"
[model.line.fields]
id    = { type = "string", primary_key = true }
order = { type = "string", references = "order", on_delete = "cascade", required = true }
payer = { type = "string", references = "customer" }

[model.visit]
path = "/visits"
[model.visit.fields]
id     = { type = "string", primary_key = true }
guest  = { type = "string", references = "customer", on_delete = "set_null" }
host   = { type = "string", references = "customer", on_delete = "set_null", exposed = false }
people = { type = "integer", computed = "if(guest = null, 0, 1)", min = 1 }
hosts  = { type = "integer", computed = "if(host = null, 0, 1)", min = 1, exposed = false }
)x",
                                             "annals.toml");
  auto declared = model::read_models(*root.value().find("model"));
  std::vector<model::Model> models;
  for (model::DeclaredModel& one : declared.value()) models.push_back(std::move(one.model));
  return models;
}

class ReferencesTest : public testing::Test {
 protected:
  static json::Object body(const std::string& text) { return json::thread_reader().read_object(text).value(); }

  [[nodiscard]] WriteRequest create(std::size_t model, const std::string& key, const std::string& members = "") const {
    WriteRequest request = remove(model, key);
    request.command.operation = model::Operation::create;
    const std::string text = "{\"id\":\"" + key + "\"" + (members.empty() ? "" : ",") + members + "}";
    request.command.given =
        model::read_new_record(models[model], body(text), {Instant{}, [] { return Uuid{}; }}).value();
    return request;
  }
  [[nodiscard]] WriteRequest patch(std::size_t model, const std::string& key, const std::string& members) const {
    WriteRequest request = remove(model, key);
    request.command.operation = model::Operation::update;
    request.command.given = model::read_patch(models[model], body("{" + members + "}"), key).value();
    return request;
  }
  [[nodiscard]] static WriteRequest remove(std::size_t model, const std::string& key) {
    WriteRequest request = remove_request(key);
    request.model = model;
    return request;
  }
  [[nodiscard]] static WriteRequest together(std::vector<WriteRequest> requests) {
    WriteRequest all;
    all.actor = "anonymous";
    for (WriteRequest& request : requests) all.several.push_back({request.model, std::move(request.command)});
    return all;
  }
  void run() { world.executor.run_ready(); }
  [[nodiscard]] std::string faults(std::size_t place) const {
    std::string text;
    for (const Fault& fault : writer.answer(place)->error().faults)
      text += fault.pointer + " " + fault.code + ": " + fault.detail + "\n";
    return text;
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  const std::vector<model::Model> models = shop();
  WriterUnderTest writer{world, store, {}, models};
};

TEST_F(ReferencesTest, what_is_referred_to_exists) {
  const std::size_t refused = writer.submit(create(orders, "o", R"("customer":"c","seller":"s","parent":null)"));
  run();
  EXPECT_EQ(writer.text(refused), "reference_missing");
  EXPECT_EQ(writer.answer(refused)->error().kind, ErrorKind::conflict);
  EXPECT_EQ(faults(refused),
            "/customer reference_missing: there is no customer \"c\"\n"
            "/seller reference_missing: there is no customer \"s\"\n");
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  EXPECT_EQ(writer.write(create(orders, "o", R"("customer":"c")")), "1");
  EXPECT_EQ(writer.write(patch(orders, "o", R"("customer":"d")")), "reference_missing");
  EXPECT_EQ(writer.write(patch(orders, "o", R"("customer":null)")), "2");
  EXPECT_EQ(writer.write(create(orders, "self", R"("parent":"self")")), "1") << "it exists once it refers to itself";
}

TEST_F(ReferencesTest, what_is_referred_to_stays) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  ASSERT_EQ(writer.write(create(orders, "o", R"("customer":"c")")), "1");
  ASSERT_EQ(writer.write(create(orders, "p", R"("customer":"c")")), "1");
  const std::size_t refused = writer.submit(remove(customers, "c"));
  run();
  EXPECT_EQ(writer.text(refused), "referenced");
  EXPECT_EQ(writer.answer(refused)->error().kind, ErrorKind::conflict);
  EXPECT_EQ(faults(refused),
            "/id referenced: order \"o\" refers to customer \"c\" by customer\n"
            "/id referenced: order \"p\" refers to customer \"c\" by customer\n");
  EXPECT_EQ(writer.answer(refused)->error().message,
            "the customer \"c\" cannot be deleted: order \"o\" and 1 other refer to customer \"c\" by customer; "
            "nothing was recorded");
  EXPECT_EQ(writer.write(remove(orders, "o")), "2");
  EXPECT_EQ(writer.write(patch(orders, "p", R"("customer":null)")), "2");
  EXPECT_EQ(writer.write(remove(customers, "c")), "2");
}

TEST_F(ReferencesTest, a_record_that_would_not_do_without_what_is_deleted_is_told) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  ASSERT_EQ(writer.write(create(customers, "d")), "1");
  ASSERT_EQ(writer.write(create(visits, "v", R"("guest":"c","host":"d")")), "1");
  const std::size_t of_guest = writer.submit(remove(customers, "c"));
  const std::size_t of_host = writer.submit(remove(customers, "d"));
  run();
  EXPECT_EQ(writer.text(of_guest), "invalid_referrer");
  EXPECT_EQ(writer.answer(of_guest)->error().kind, ErrorKind::unprocessable);
  EXPECT_EQ(
      faults(of_guest),
      "/id too_small: visit \"v\" would lose its guest, and people of it is then refused: it is computed: 0 is less "
      "than 1\n");
  EXPECT_EQ(writer.answer(of_guest)->error().message,
            "the customer \"c\" cannot be deleted: visit \"v\" would lose its guest, and people of it is then refused: "
            "it is computed: 0 is less than 1; nothing was recorded; change that record first");
  // Of references that are not shown nobody is told which records have them.
  EXPECT_EQ(
      faults(of_host),
      "/id too_small: a record of model visit would lose what it refers to, and hosts of it is then refused: it is "
      "computed: the value, which is not shown, is less than 1\n");
  ASSERT_EQ(writer.write(remove(visits, "v")), "2");
  EXPECT_EQ(writer.write(remove(customers, "c")), "2");
}

TEST_F(ReferencesTest, of_a_simultaneous_deletion_and_reference_one_wins) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  ASSERT_EQ(writer.write(create(customers, "d")), "1");
  const std::size_t deleted = writer.submit(remove(customers, "c"));
  const std::size_t too_late = writer.submit(create(orders, "o", R"("customer":"c")"));
  const std::size_t referred = writer.submit(create(orders, "p", R"("customer":"d")"));
  const std::size_t refused = writer.submit(remove(customers, "d"));
  run();
  EXPECT_EQ(writer.text(deleted) + " " + writer.text(too_late), "2 reference_missing");
  EXPECT_EQ(writer.text(referred) + " " + writer.text(refused), "1 referenced");
}

TEST_F(ReferencesTest, nothing_rests_on_what_was_not_recorded) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  store.answer_next({Error(ErrorKind::too_large, "too large")});
  const std::size_t created = writer.submit(create(customers, "d"));
  const std::size_t refers = writer.submit(create(orders, "o", R"("customer":"d")"));
  run();
  EXPECT_EQ(writer.text(created) + " " + writer.text(refers), "too_large reference_missing");

  store.answer_next({Error(ErrorKind::too_large, "too large")});
  const std::size_t deleted = writer.submit(remove(customers, "c"));
  const std::size_t also = writer.submit(create(orders, "o", R"("customer":"c")"));
  run();
  EXPECT_EQ(writer.text(deleted) + " " + writer.text(also), "too_large 1");

  store.answer_next({Error(ErrorKind::too_large, "too large")});
  const std::size_t let_go = writer.submit(patch(orders, "o", R"("customer":null)"));
  const std::size_t gone = writer.submit(remove(customers, "c"));
  run();
  EXPECT_EQ(writer.text(let_go) + " " + writer.text(gone), "too_large referenced");

  store.answer_next({Error(ErrorKind::too_large, "too large")});
  const std::size_t second = writer.submit(create(customers, "e"));
  const std::size_t changed = writer.submit(patch(customers, "c", R"("name":"n")"));
  const std::size_t appends = store.appends().size();
  const std::size_t rests_on_neither = writer.submit(create(orders, "p", R"("customer":"c")"));
  run();
  EXPECT_EQ(writer.text(second) + " " + writer.text(changed) + " " + writer.text(rests_on_neither), "too_large 2 1");
  EXPECT_EQ(store.appends().size(), appends + 1) << "a change of what is there before and after makes nobody wait";
}

TEST_F(ReferencesTest, what_lets_go_and_what_deletes_come_one_after_another) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  ASSERT_EQ(writer.write(create(orders, "o", R"("customer":"c")")), "1");
  const std::size_t appends = store.appends().size();
  const std::size_t let_go = writer.submit(patch(orders, "o", R"("customer":null)"));
  const std::size_t gone = writer.submit(remove(customers, "c"));
  const std::size_t again = writer.submit(create(customers, "c"));
  const std::size_t refers = writer.submit(patch(orders, "o", R"("customer":"c")"));
  run();
  EXPECT_EQ(writer.text(let_go) + writer.text(gone) + writer.text(again) + writer.text(refers), "2233");
  EXPECT_EQ(store.appends().size(), appends + 3);
}

TEST_F(ReferencesTest, a_deletion_takes_with_it_what_it_must_in_one_group) {
  ASSERT_EQ(writer.write(create(customers, "s")), "1");
  ASSERT_EQ(writer.write(create(orders, "top")), "1");
  ASSERT_EQ(writer.write(create(orders, "below", R"("parent":"top","seller":"s")")), "1");
  ASSERT_EQ(writer.write(create(lines, "l", R"("order":"below")")), "1");
  const std::size_t kept = writer.submit(create(lines, "under_way", R"("order":"below")"));
  const std::size_t deleted = writer.submit(with_key(remove(orders, "top"), "k", "x"));
  run();
  EXPECT_EQ(writer.text(kept) + writer.text(deleted), "12");
  for (const std::string key : {"top", "below"}) EXPECT_EQ(writer.value(key, orders), "(none)");
  for (const std::string key : {"l", "under_way"}) EXPECT_EQ(writer.value(key, lines), "(none)");
  const EventPage page = store.inner().read_all(Position{}, Horizon::visible, PageLimit{}).value();
  std::string types;
  for (const EventView& event : page.events()) types += std::string(event.type) + " ";
  EXPECT_TRUE(types.ends_with("OrderDeleted OrderDeleted LineDeleted LineDeleted ")) << types;
  const std::size_t twice = writer.submit(with_key(remove(orders, "top"), "k", "x"));
  run();
  EXPECT_EQ(writer.text(twice), "2 replayed");

  ASSERT_EQ(writer.write(create(orders, "o", R"("seller":"s")")), "1");
  EXPECT_EQ(writer.write(remove(customers, "s")), "2");
  EXPECT_EQ(writer.value("o", orders), R"({"id":"o","customer":null,"parent":null,"seller":null})");
  const EventPage last =
      store.inner().read_stream("order-o", StreamVersion{2}, Direction::forward, PageLimit{}).value();
  ASSERT_EQ(last.events().size(), 1u);
  EXPECT_EQ(last.events()[0].type, "SellerChanged");
}

TEST_F(ReferencesTest, what_may_not_go_keeps_all_that_would_go_with_it) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  ASSERT_EQ(writer.write(create(orders, "o")), "1");
  ASSERT_EQ(writer.write(create(lines, "l", R"("order":"o","payer":"c")")), "1");
  EXPECT_EQ(writer.write(remove(customers, "c")), "referenced");
  EXPECT_EQ(writer.write(together({remove(orders, "o"), remove(customers, "c")})), "2")
      << "the line went with its order";
  EXPECT_EQ(writer.value("l", lines), "(none)");
}

TEST_F(ReferencesTest, a_deletion_in_circles_comes_to_an_end) {
  ASSERT_EQ(writer.write(create(orders, "a", R"("parent":"a")")), "1");
  EXPECT_EQ(writer.write(remove(orders, "a")), "2");
  ASSERT_EQ(writer.write(together(
                {create(orders, "b"), create(orders, "c", R"("parent":"b")"), patch(orders, "b", R"("parent":"c")")})),
            "2");
  EXPECT_EQ(writer.write(remove(orders, "c")), "2");
  EXPECT_EQ(writer.value("b", orders), "(none)");
}

TEST_F(ReferencesTest, the_commands_of_a_request_see_those_before_them) {
  EXPECT_EQ(writer.write(together({create(customers, "c"), create(orders, "o", R"("customer":"c")")})), "1");
  EXPECT_EQ(writer.write(together({create(orders, "p", R"("customer":"d")"), create(customers, "d")})),
            "reference_missing");
  EXPECT_EQ(writer.write(together({remove(customers, "c"), remove(orders, "o")})), "referenced");
  EXPECT_EQ(writer.write(together({remove(orders, "o"), remove(customers, "c")})), "2");
}

TEST_F(ReferencesTest, a_deletion_that_would_take_too_much_with_it_is_refused) {
  ASSERT_EQ(writer.write(create(orders, "o")), "1");
  for (int half = 0; half < 2; ++half) {
    std::vector<WriteRequest> some;
    for (int number = 0; number < 5'000; ++number)
      some.push_back(create(lines, std::to_string(half) + "-" + std::to_string(number), R"("order":"o")"));
    ASSERT_EQ(writer.write(together(std::move(some))), "1");
  }
  EXPECT_EQ(writer.write(remove(orders, "o")), "too_many_referrers");
  ASSERT_EQ(writer.write(remove(lines, "0-0")), "2");
  EXPECT_EQ(writer.write(remove(orders, "o")), "2");
  EXPECT_EQ(writer.feed(lines).table().existing(), 0u);
}

NewEvent event_of(const std::string& type, const std::string& data) {
  NewEvent event = projection::set_event("");
  event.type = type;
  event.data = data;
  return event;
}

TEST_F(ReferencesTest, what_other_servers_record_in_between_is_seen) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  ASSERT_EQ(writer.write(create(customers, "d")), "1");
  store.share();
  WriterUnderTest shared(world, store, {}, shop());
  store.before_next_append([](EventStore& inner) {
    projection::record(inner, "customer-c",
                       event_of("CustomerDeleted", R"({"customer_id":"c","old_values":{},"deleted_at":""})"));
  });
  EXPECT_EQ(shared.write(create(orders, "o", R"("customer":"c")")), "reference_missing");
  store.before_next_append([](EventStore& inner) {
    projection::record(inner, "order-p",
                       event_of("OrderCreated", R"({"order_id":"p","values":{"id":"p","customer":"d"}})"));
  });
  EXPECT_EQ(shared.write(remove(customers, "d")), "referenced");
}

TEST_F(ReferencesTest, the_index_is_there_again_after_a_start) {
  ASSERT_EQ(writer.write(create(customers, "c")), "1");
  ASSERT_EQ(writer.write(create(orders, "o", R"("customer":"c")")), "1");
  WriterUnderTest again(world, store, {}, shop());
  EXPECT_EQ(again.write(remove(customers, "c")), "referenced");
}

// Random commands, alone and together, of which the store refuses some: whatever becomes of them, what is referred to
// exists. The seed is printed with a failure.
TEST_F(ReferencesTest, whatever_happens_nothing_refers_to_nothing) {
  constexpr unsigned seed = 20260212;
  std::mt19937 random(seed);
  const auto one_of = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  const auto key = [&] { return std::string(1, static_cast<char>('a' + one_of(3))); };
  const auto value = [&] { return one_of(4) == 0 ? std::string("null") : "\"" + key() + "\""; };
  const auto any = [&]() -> WriteRequest {
    const auto model = static_cast<std::size_t>(one_of(3));
    if (one_of(3) == 0) return remove(model, key());
    std::string members;
    if (model == customers) members = R"("name":"n")";
    if (model == orders) members = "\"customer\":" + value() + ",\"parent\":" + value() + ",\"seller\":" + value();
    if (model == lines) members = "\"order\":\"" + key() + "\",\"payer\":" + value();
    return one_of(2) == 0 ? create(model, key(), members) : patch(model, key(), members);
  };
  for (int round = 0; round < 2'000; ++round) {
    if (one_of(4) == 0) store.answer_next({Error(ErrorKind::too_large, "too large")});
    for (int count = one_of(6); count >= 0; --count) {
      if (one_of(4) > 0) {
        writer.submit(any());
      } else {
        writer.submit(together({any(), any(), any()}));
      }
    }
    run();
    for (std::size_t model = 0; model < models.size(); ++model) {
      for (const auto& row : writer.feed(model).table().list("", std::nullopt, 10)) {
        const auto referred = model::referred_keys(models[model], row->value());
        for (const model::ReferredKey& to : *referred) {
          const std::string& target = models[model].fields[to.field].references;
          const auto place = std::ranges::find(models, target, &model::Model::name) - models.begin();
          ASSERT_TRUE(writer.feed(static_cast<std::size_t>(place)).table().get(to.key)->exists())
              << "seed " << seed << ", round " << round << ": " << row->value();
        }
      }
    }
  }
}

}  // namespace
}  // namespace annals::engine
