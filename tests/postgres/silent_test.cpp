// A database that says nothing, although nobody is told that it has gone.

#include <atomic>
#include <thread>
#include <utility>

#include "event/read_interest.hpp"
#include "tests/postgres/behind_proxy.hpp"

namespace annals::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Held = CuttingProxy::Held;

class SilentTest : public BehindProxy {
 protected:
  ~SilentTest() override { proxy().hold(Held::none); }
  /// Waits until what one of them records is seen by the other: both have a connection by then that follows.
  static void until_they_follow(EventStore& one, EventStore& other) {
    for (const auto& [from, to] : {std::pair(&one, &other), std::pair(&other, &one)}) {
      const Position recorded = value_of(append(*from, group_saying("a", "{}"))).last;
      EXPECT_TRUE(comes_true([&] { return to->status().visible >= recorded; }));
    }
  }
};

/// A read for somebody who would wait for ever, on a thread of its own.
class Reader {
 public:
  explicit Reader(const EventStore& store) {
    thread_ = std::jthread([this, &store] {
      const ReadInterest interest([this] {
        ++looks_;
        return true;
      });
      page_ = store.read_stream("a", StreamVersion{1}, Direction::forward, PageLimit{});
      has_ended_ = true;
    });
  }
  [[nodiscard]] bool waits() const { return looks_ > 0 || has_ended_; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  /// How often it was looked whether somebody waits: ten times a second of silence, or less.
  [[nodiscard]] int looks() const { return looks_; }
  /// Once it has ended.
  [[nodiscard]] const Result<EventPage>& page() const { return page_; }

 private:
  Result<EventPage> page_;
  std::atomic<int> looks_ = 0;
  std::atomic<bool> has_ended_ = false;
  std::jthread thread_;
};

/// In the 30 s for which a silent server is waited for where nobody knows better; the count does not go with the
/// machine's pace.
constexpr int looks_of_silence = 300;

TEST_F(SilentTest, reads_are_refused_once_the_database_is_known_to_say_nothing) {
  const auto store = open();
  const auto other = open();  // has a connection that lies idle
  until_they_follow(*store, *other);
  ASSERT_TRUE(store->stream_version("a"));
  ASSERT_TRUE(other->stream_version("a"));
  proxy().hold(Held::all);
  const Reader waiting(*store);
  EXPECT_TRUE(comes_true([&] { return waiting.has_ended(); }));
  ASSERT_FALSE(waiting.page());
  EXPECT_EQ(waiting.page().error().code, "database_away") << waiting.page().error().message;
  EXPECT_LT(waiting.looks(), looks_of_silence);

  EXPECT_TRUE(comes_true([&] { return !other->status().unreachable.empty(); }));
  EXPECT_EQ(other->status().unreachable, "the database does not answer");
  const Reader coming(*other);
  EXPECT_TRUE(comes_true([&] { return coming.has_ended(); }));
  ASSERT_FALSE(coming.page());
  EXPECT_EQ(coming.page().error().code, "database_away") << coming.page().error().message;
  EXPECT_LT(coming.looks(), looks_of_silence);

  proxy().hold(Held::none);
  for (const auto& one : {store.get(), other.get()}) {
    EXPECT_TRUE(comes_true([&] { return one->status().unreachable.empty(); })) << "nobody has to ask for that";
    EXPECT_EQ(value_of(one->read_stream("a", StreamVersion{1}, Direction::forward, {})).events().size(), 2u);
  }
}

TEST_F(SilentTest, a_database_that_is_slow_but_takes_connections_is_waited_for) {
  options().url += "?connect_timeout=60";
  const auto store = open();
  until_they_follow(*store, *open());
  ASSERT_TRUE(store->stream_version("a"));
  proxy().hold(Held::those_there);
  const std::size_t before = proxy().connections();
  const Reader waiting(*store);
  EXPECT_TRUE(comes_true([&] { return waiting.waits() && proxy().connections() > before; }))
      << "whether it takes one is looked at";
  proxy().hold(Held::none);
  EXPECT_TRUE(comes_true([&] { return waiting.has_ended(); }));
  EXPECT_EQ(value_of(waiting.page()).events().size(), 2u);
  EXPECT_TRUE(append(*store, group_saying("a", "{}")));
  EXPECT_THAT(log_.lines(), Not(Contains(HasSubstr("cannot be asked"))));
}

}  // namespace
}  // namespace annals::test
