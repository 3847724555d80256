// What is known of a database that answers, and refuses what is to be recorded.

#include "tests/postgres/test_database.hpp"

namespace annals::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RefusedTest : public PostgresTest {
 protected:
  /// From now on the database refuses every event, as if for the reason that `code` (an SQLSTATE) names.
  void refuse_events(const std::string& code) {
    sql("CREATE SEQUENCE IF NOT EXISTS refused; "
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM nextval('refused'); RAISE EXCEPTION USING MESSAGE = 'in the words of the database', ERRCODE = '" +
        code + "'; END $$; CREATE TRIGGER refusing BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()");
  }
  void take_events() { sql("DROP TRIGGER refusing ON events"); }
  /// How often it has refused one.
  [[nodiscard]] std::int64_t refusals() { return std::stoll(sql("SELECT last_value FROM refused")); }
};

TEST_F(RefusedTest, a_refusal_says_what_is_the_case_and_counts_until_it_is_over_although_nobody_appends) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  struct Case {
    const char* state;
    const char* code;
    bool has_room;
    const char* said;
  };
  for (const Case& one : {Case{"53100", "no_room", false, "no room on the disk of the database"},
                          Case{"53200", "database_exhausted", true, "the memory"},
                          Case{"55P03", "database_away", true, "longer than 10 s"},
                          Case{"42501", "database_away", true, "words of the database"}}) {
    SCOPED_TRACE(one.state);
    refuse_events(one.state);
    const auto refused = append(*store, group_saying("a", "refused"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(refused.error().code, one.code);
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr(one.said), HasSubstr("nothing was recorded")));
    EXPECT_EQ(store->status().last_flush_ok, false);
    EXPECT_EQ(store->status().has_room, one.has_room);
    EXPECT_TRUE(store->status().writable) << "the next one may be taken";
    // It is tried without anybody, and is no better.
    const std::int64_t before = refusals();
    EXPECT_TRUE(comes_true([&] { return refusals() > before + 1 || store->status().last_flush_ok != false; }));
    EXPECT_EQ(store->status().last_flush_ok, false);
    EXPECT_EQ(store->status().has_room, one.has_room);
    take_events();
    EXPECT_TRUE(comes_true([&] { return store->status().last_flush_ok != false; }));
    EXPECT_TRUE(store->status().has_room);
  }
  EXPECT_TRUE(append(*store, group_saying("a", "two", ExpectedVersion::exact(StreamVersion{1}))));
  EXPECT_EQ(store->status().last_flush_ok, true);
  EXPECT_THAT(everything(*store), ElementsAre("1 a@1 one", "2 a@2 two")) << "what was tried has left nothing";
  EXPECT_EQ(sql("SELECT count(*) FROM events"), "2");
}

TEST_F(RefusedTest, what_clients_are_told_of_a_full_disk_is_not_in_the_words_of_the_database_but_the_log_is) {
  const auto store = open();
  refuse_events("53100");
  EXPECT_THAT(append(*store, group_saying("a", "refused")).error().message, Not(HasSubstr("words of the database")));
  EXPECT_THAT(log_.lines(), Contains(AllOf(StartsWith("ERROR The database has not enough room or memory"),
                                           HasSubstr("in the words of the database"))));
  take_events();
  EXPECT_TRUE(append(*store, group_saying("a", "one"))) << "nobody has to wait for it";
  EXPECT_TRUE(store->status().has_room);
}

TEST_F(RefusedTest, a_read_for_which_the_database_has_no_memory_may_succeed_later) {
  const auto store = open();
  ASSERT_TRUE(append(*store, group_saying("a", "one")));
  sql("ALTER TABLE events RENAME TO kept; CREATE FUNCTION refuse_read(uuid) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION USING ERRCODE = '53200'; END $$; CREATE VIEW events AS SELECT refuse_read(event_id) AS "
      "event_id, "
      "event_type, causation_id, correlation_id, data, metadata, created_at FROM kept");
  const auto refused = store->read_stream("a", StreamVersion{1}, Direction::forward, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(refused.error().code, "database_away");
}

}  // namespace
}  // namespace annals::test
