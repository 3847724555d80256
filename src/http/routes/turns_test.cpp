#include "http/routes/turns.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace annals::http {
namespace {

/// Runs what was there when a round began; what is posted meanwhile waits for the next, as with an I/O thread.
class Rounds final : public platform::Executor {
 public:
  void post(platform::Task task) override { ready_.push_back(std::move(task)); }
  void post_after(Duration, platform::Task task) override { post(std::move(task)); }
  void round() {
    std::vector<platform::Task> tasks;
    tasks.swap(ready_);
    for (platform::Task& task : tasks) task();
  }
  [[nodiscard]] bool idle() const { return ready_.empty(); }

 private:
  std::vector<platform::Task> ready_;
};

struct Read {
  Turns& turns;
  Rounds& home;
  std::string& done;
  char name;
  int left;

  void turn() {
    done += name;
    if (--left > 0) turns.go_on(home, [this] { turn(); });
  }
};

TEST(Turns, one_turn_a_round_however_many_reads_there_are) {
  Turns turns;
  Rounds home;
  std::string done;
  std::vector<Read> reads;
  for (char name : {'a', 'b', 'c'}) reads.push_back({turns, home, done, name, 3});
  for (Read& read : reads) turns.begin(home, [&read] { read.turn(); });
  EXPECT_EQ(done, "a") << "nobody waits when the first one comes; those after it find its second turn waiting";
  std::vector<std::size_t> rounds;
  while (!home.idle()) {
    const std::size_t before = done.size();
    home.round();
    rounds.push_back(done.size() - before);
  }
  EXPECT_EQ(rounds, std::vector<std::size_t>(8, 1));
  EXPECT_EQ(done, "aabcabcbc") << "each in its order, by turns";
}

TEST(Turns, a_read_that_is_done_in_its_first_turn_waits_for_nobody_and_leaves_nothing) {
  Turns turns;
  Rounds home;
  std::string done;
  Read read{turns, home, done, 'a', 1};
  turns.begin(home, [&read] { read.turn(); });
  EXPECT_EQ(done, "a");
  EXPECT_TRUE(home.idle());
}

TEST(Turns, a_turn_that_throws_holds_up_no_other) {
  Turns turns;
  Rounds home;
  std::string done;
  turns.go_on(home, [] { throw std::runtime_error("no memory, say"); });
  turns.go_on(home, [&done] { done += 'b'; });
  EXPECT_THROW(home.round(), std::runtime_error);
  home.round();
  EXPECT_EQ(done, "b");
  turns.begin(home, [&done] { done += 'c'; });
  EXPECT_EQ(done, "bc") << "nothing waits any more";
}

TEST(Turns, executors_do_not_wait_for_one_another) {
  Turns turns;
  Rounds one;
  Rounds other;
  std::string done;
  Read first{turns, one, done, 'a', 2};
  Read second{turns, other, done, 'b', 2};
  turns.begin(one, [&first] { first.turn(); });
  turns.begin(other, [&second] { second.turn(); });
  EXPECT_EQ(done, "ab");
}

}  // namespace
}  // namespace annals::http
