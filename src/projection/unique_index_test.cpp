#include "projection/unique_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "model/model_file.hpp"
#include "projection/read_table.hpp"

namespace annals::projection {
namespace {

using Owner = std::optional<std::string>;

model::Model account() {
  const auto root = model::read_declarations(R"(
[model.account]
path = "/accounts"
[model.account.fields]
id   = { type = "string", primary_key = true }
mail = { type = "string", unique = true }
code = { type = "integer", unique = true }
)",
                                             "annals.toml");
  auto models = model::read_models(*root.value().find("model"));
  return std::move(models.value().front().model);
}

/// What a record says of its mail and code; a mail that is empty is none.
std::string account_row(const std::string& key, const std::string& mail, int code = 0) {
  return "{\"id\":\"" + key + "\",\"mail\":" + (mail.empty() ? "null" : '"' + mail + '"') +
         ",\"code\":" + (code == 0 ? "null" : std::to_string(code)) + "}";
}

model::UniqueValue mail_value(const std::string& mail) {
  return {1, '"' + mail + '"'};
}

void take(UniqueIndex& index, const std::string& key, const std::string& before, const std::string& after) {
  auto change = index.change_of(before, after);
  ASSERT_TRUE(change);
  index.take_in(key, *std::move(change));
}

TEST(unique_index, it_knows_which_record_has_a_value_of_which_field) {
  const model::Model model = account();
  UniqueIndex index(model);
  ASSERT_TRUE(index.wanted());
  take(index, "a", "", account_row("a", "x", 7));
  take(index, "b", "", account_row("b", "7"));
  EXPECT_EQ(index.owner(mail_value("x")), Owner("a"));
  EXPECT_EQ(index.owner(mail_value("7")), Owner("b"));
  EXPECT_EQ(index.owner({2, "7"}), Owner("a"));
  EXPECT_EQ(index.owner({2, "8"}), Owner());
}

TEST(unique_index, it_tells_what_several_records_have) {
  const model::Model model = account();
  UniqueIndex index(model);
  take(index, "a", "", account_row("a", "x", 7));
  EXPECT_EQ(index.taken_twice().number, 0u);
  take(index, "b", "", account_row("b", "x", 7));
  take(index, "c", "", account_row("c", "x"));
  EXPECT_EQ(index.taken_twice().number, 2u);
  EXPECT_EQ(index.taken_twice().examples,
            (std::vector<std::string>{R"(code of "a" and "b")", R"(mail of "a" and "c")"}));
  take(index, "b", account_row("b", "x", 7), account_row("b", "y"));
  EXPECT_EQ(index.taken_twice().examples, (std::vector<std::string>{R"(mail of "a" and "c")"}));
  take(index, "a", account_row("a", "x", 7), "");
  EXPECT_EQ(index.taken_twice().number, 0u);
}

TEST(unique_index, what_a_record_lets_go_of_is_free_and_what_it_keeps_is_not) {
  const model::Model model = account();
  UniqueIndex index(model);
  take(index, "a", "", account_row("a", "x", 7));
  take(index, "a", account_row("a", "x", 7), account_row("a", "y", 7));
  EXPECT_EQ(index.owner(mail_value("x")), Owner());
  EXPECT_EQ(index.owner(mail_value("y")), Owner("a"));
  EXPECT_EQ(index.owner({2, "7"}), Owner("a"));
  take(index, "a", account_row("a", "y", 7), "");
  EXPECT_EQ(index.owner(mail_value("y")), Owner());
  EXPECT_EQ(index.owner({2, "7"}), Owner());
}

// A group has the events of one record together: what a batch did to two records in turn comes here one record after
// the other.
TEST(unique_index, who_had_a_value_for_a_while_within_a_group_takes_it_from_nobody) {
  const model::Model model = account();
  UniqueIndex index(model);
  take(index, "a", "", account_row("a", "x"));
  take(index, "a", account_row("a", "x"), account_row("a", ""));
  take(index, "a", account_row("a", ""), account_row("a", "x"));
  take(index, "b", "", account_row("b", "x"));
  take(index, "b", account_row("b", "x"), "");
  EXPECT_EQ(index.owner(mail_value("x")), Owner("a"));
}

// So it is with rows of a checkpoint as well, some of which are newer than the events that are replayed.
TEST(unique_index, it_says_what_the_records_have_in_whatever_order_their_changes_came) {
  const model::Model model = account();
  constexpr unsigned seed = 20261122;
  std::mt19937 random(seed);
  const std::vector<std::string> mails{"", "x", "y", "z"};
  for (int round = 0; round < 500; ++round) {
    // What happened, one after the other: nobody takes what another has.
    std::map<std::string, std::vector<std::string>> rows{{"a", {""}}, {"b", {""}}, {"c", {""}}};
    std::map<std::string, std::string> has;
    std::map<std::string, std::string> owner;
    for (int step = 0; step < 12; ++step) {
      const std::string key(1, static_cast<char>('a' + random() % 3));
      const std::string& mail = mails[random() % mails.size()];
      if (!mail.empty() && owner.contains(mail)) continue;
      owner.erase(has[key]);
      has[key] = mail;
      if (!mail.empty()) owner[mail] = key;
      rows[key].push_back(account_row(key, mail));
    }
    // What is told of it: each record's changes in their order, and no order among those of several.
    UniqueIndex index(model);
    std::map<std::string, std::size_t> told;
    std::vector<std::string> turns;
    for (const auto& [key, states] : rows) turns.insert(turns.end(), states.size() - 1, key);
    std::ranges::shuffle(turns, random);
    for (const std::string& key : turns) {
      const std::size_t at = told[key]++;
      take(index, key, rows[key][at], rows[key][at + 1]);
    }
    for (const std::string& mail : mails) {
      if (mail.empty()) continue;
      EXPECT_EQ(index.owner(mail_value(mail)), owner.contains(mail) ? Owner(owner[mail]) : Owner())
          << mail << ", seed " << seed << ", round " << round;
    }
  }
}

// The row of b was written down after it had taken what a, whose row was written before, had for a while.
TEST(unique_index, a_value_that_changed_hands_while_a_checkpoint_was_written_is_whose_it_was_in_the_end) {
  const model::Model model = account();
  ReadTable table(model);
  ASSERT_TRUE(table.restore({"b", StreamVersion{1}, true, Instant{3}}, account_row("b", "x")));
  ASSERT_TRUE(table.adopt(Position{0}, {.position = Position{3}, .id = {}, .created_at = Instant{3}}));
  struct Told {
    std::string key;
    std::uint64_t version;
    std::string type;
    std::string data;
  };
  std::uint64_t position = 0;
  for (const Told& told : {
           Told{"a", 1, model.created_type, R"({"account_id":"a","values":{"id":"a","mail":"x"}})"},
           Told{"a", 2, model.updated_type, R"({"account_id":"a","changes":{"mail":{"old":"x","new":null}}})"},
           Told{"b", 1, model.created_type, R"({"account_id":"b","values":{"id":"b","mail":"x"}})"},
       }) {
    const std::string stream = model.stream(told.key);
    EventView event;
    event.position = Position{++position};
    event.stream = stream;
    event.version = StreamVersion{told.version};
    event.type = told.type;
    event.data = told.data;
    event.created_at = Instant{static_cast<std::int64_t>(position)};
    ASSERT_TRUE(table.apply(std::span(&event, 1)));
  }
  EXPECT_EQ(table.owner(mail_value("x")), Owner("b"));
}

}  // namespace
}  // namespace annals::projection
