// Batches, of which each command is told, and dry runs, which record nothing.

#include <gtest/gtest.h>

#include "engine/event_metadata.hpp"
#include "engine/test_engine.hpp"
#include "model/model_file.hpp"

namespace annals::engine {
namespace {

WriteRequest batch(std::vector<WriteRequest> requests) {
  WriteRequest all;
  all.actor = "anonymous";
  for (WriteRequest& request : requests) all.several.push_back({request.model, std::move(request.command)});
  all.refusal_of = [](std::size_t place, Error error) {
    error.code = std::to_string(place) + " " + error.code;
    return error;
  };
  return all;
}

WriteRequest dry(WriteRequest request) {
  request.dry_run = true;
  return request;
}

class BatchTest : public testing::Test {
 protected:
  void run() { world.executor.run_ready(); }
  /// What each command left, as "1=red, 2=(none)".
  static std::string each(const std::optional<Result<Receipt>>& answer) {
    if (!answer || !*answer || !(*answer)->told) return "(nothing told)";
    std::string text;
    for (const KeyReceipt& left : (*answer)->told->each) {
      text += (text.empty() ? "" : ", ") + to_string(left.version) + "=";
      text += left.value ? *left.value : std::string_view("(none)");
    }
    return text;
  }

  TestWorld world;
  ControlledStore store{world.platform()};
  WriterUnderTest writer{world, store};
};

TEST_F(BatchTest, each_command_is_told_as_it_left_its_key) {
  const std::size_t place = writer.submit(
      batch({set_request("a", "1"), set_request("b", "2"), set_request("a", "3", 1), remove_request("b")}));
  run();
  EXPECT_EQ(each(writer.answer(place)), "1=1, 1=2, 2=3, 2=(none)");
  EXPECT_EQ(store.appends(), (std::vector<std::size_t>{1}));
}

TEST_F(BatchTest, a_refusal_names_the_command_and_refuses_all) {
  EXPECT_EQ(writer.write(batch({set_request("a", "1"), set_request("b", "2"), set_request("a", "3", 7)})),
            "2 version_conflict");
  EXPECT_TRUE(store.appends().empty());
  EXPECT_EQ(writer.value("a"), "(none)");
}

TEST_F(BatchTest, what_is_no_refusal_of_a_command_is_told_as_it_is) {
  WriterUnderTest eventual(world, store, {}, model::Consistency::eventual);
  store.fail_reads(Error(ErrorKind::input_output, "the disk is gone"));
  EXPECT_EQ(eventual.write(batch({set_request("a", "1")})), "input_output");
}

TEST_F(BatchTest, its_first_event_remembers_what_each_command_left) {
  WriteRequest request =
      with_key(batch({set_request("a", "1"), set_request("a", "2"), set_request("b", "2")}), "k", "x");
  request.several[1].key_was_made = true;
  const std::size_t first = writer.submit(std::move(request));
  const std::size_t twin = writer.submit(with_key(batch({set_request("a", "1")}), "k", "x"));
  run();
  EXPECT_EQ(each(writer.answer(first)), "1=1, 2=2, 1=2");
  EXPECT_EQ(writer.text(twin), "2 replayed");
  EXPECT_EQ(each(writer.answer(twin)), "(nothing told)");
  const EventPage page = store.inner().read_all(Position{}, Horizon::visible, PageLimit{}).value();
  ASSERT_EQ(page.events().size(), 3u);
  const auto memory = batch_memory_of(page.events()[0].metadata);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->versions, (std::vector<StreamVersion>{StreamVersion{1}, StreamVersion{2}, StreamVersion{1}}));
  EXPECT_EQ(memory->made_keys, std::vector<std::string>{"a"});
  EXPECT_FALSE(batch_memory_of(page.events()[1].metadata));
  EXPECT_EQ(remembered_of(page.events()[0].metadata)->tally, (Tally{3, 0, 3}));
}

TEST_F(BatchTest, a_dry_run_tells_what_a_write_would_do_and_records_nothing) {
  ASSERT_EQ(writer.write(set_request("a", "1")), "1");
  const std::size_t appends = store.appends().size();
  const std::size_t set = writer.submit(dry(set_request("a", "2")));
  const std::size_t again = writer.submit(dry(set_request("a", "3")));
  const std::size_t refused = writer.submit(dry(set_request("a", "3", 7)));
  const std::size_t both = writer.submit(dry(batch({set_request("a", "4"), remove_request("a")})));
  run();
  EXPECT_EQ(writer.text(set) + " " + writer.text(again) + " " + writer.text(refused), "2 2 version_conflict");
  EXPECT_EQ(each(writer.answer(both)), "2=4, 3=(none)");
  const auto& drafted = (*writer.answer(both))->told->drafted;
  ASSERT_EQ(drafted.size(), 1u);
  EXPECT_EQ(drafted[0].stream, "config-a");
  EXPECT_EQ(drafted[0].expected.version(), StreamVersion{1});
  EXPECT_EQ(drafted[0].events.size(), 2u);
  EXPECT_EQ(store.appends().size(), appends);
  EXPECT_EQ(writer.value("a"), "1");
}

TEST_F(BatchTest, what_is_told_of_all_commands_together_has_a_limit) {
  const auto root = model::read_declarations(
      "[model.note]\npath = \"/notes\"\n[model.note.fields]\n"
      "id = { type = \"string\", primary_key = true }\ntext = { type = \"text\" }\nstars = { type = \"integer\" }\n",
      "annals.toml");
  const model::Model note = model::read_models(*root.value().find("model")).value().front().model;
  WriterUnderTest notes(world, store, {}, note);
  const auto with = [](WriteRequest request, model::Operation operation, std::vector<model::GivenField> given) {
    request.command.operation = operation;
    request.command.given = std::move(given);
    return request;
  };
  const model::FieldValue large{std::string(1u << 20, 'x')};
  ASSERT_EQ(notes.write(with(remove_request("n"), model::Operation::create,
                             {{0, model::FieldValue{std::string("n")}}, {1, large}})),
            "1");
  for (const int count : {31, 32}) {
    std::vector<WriteRequest> changes;
    for (std::int64_t stars = 0; stars < count; ++stars)
      changes.push_back(
          with(remove_request("n"), model::Operation::update, {{2, model::FieldValue{count * 100 + stars}}}));
    EXPECT_EQ(notes.write(batch(std::move(changes))), count == 31 ? "32" : "group_too_large");
  }
}

TEST_F(BatchTest, a_dry_run_waits_for_what_it_was_decided_on) {
  store.hold(true);
  const std::size_t write = writer.submit(set_request("a", "1"));
  const std::size_t told = writer.submit(dry(set_request("a", "2")));
  run();
  EXPECT_EQ(writer.texts(), "(waiting), (waiting)");
  store.hold(false);
  store.answer_next({Error(ErrorKind::too_large, "too large")});
  store.release();
  run();
  EXPECT_EQ(writer.text(write), "too_large");
  EXPECT_EQ(writer.text(told), "1") << "decided again, on what there is";
}

TEST_F(BatchTest, a_dry_run_is_refused_what_no_store_takes) {
  // An event has room for the value twice, so that it can be undone.
  for (const std::size_t bytes : {event_data_bytes_max, event_data_bytes_max / 2}) {
    EXPECT_EQ(writer.write(dry(set_request("a", std::string(bytes, 'x')))), "record_too_large");
    EXPECT_EQ(writer.write(set_request("a", std::string(bytes, 'x'))), "record_too_large");
  }
  const std::string most(event_data_bytes_max / 2 - 256, 'x');
  EXPECT_EQ(writer.write(dry(set_request("a", most))), "1");
  EXPECT_EQ(writer.write(set_request("a", most)), "1");
  EXPECT_EQ(writer.write(set_request("a", most)), "2");
  EXPECT_EQ(writer.write(remove_request("a")), "3");
}

TEST_F(BatchTest, in_a_shared_store_a_dry_run_is_of_the_newest_state) {
  store.share();
  WriterUnderTest shared(world, store);
  store.before_newest(
      [](EventStore& inner) { projection::record(inner, "config-a", projection::set_event("theirs")); });
  EXPECT_EQ(shared.write(dry(set_request("a", "ours"))), "2");
}

}  // namespace
}  // namespace annals::engine
