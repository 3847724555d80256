// Lists and histories at the places where one piece ends and the next begins.

#include <algorithm>
#include <numeric>

#include "http/routes/test_api.hpp"

namespace annals::http {
namespace {

using projection::record;
using projection::set_event;
using ListTest = ApiTest;

std::string listed_name(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "n" + std::string(4 - digits.size(), '0') + digits;
}

/// What a list of the records `first` to `last` looks like.
std::string listed(std::size_t first, std::size_t last) {
  std::string out = "[";
  for (std::size_t number = first; number <= last; ++number) {
    if (number > first) out += ',';
    out += "{\"name\":\"" + listed_name(number) + "\",\"value\":\"v\"}";
  }
  return out + "]";
}

TEST_F(ListTest, a_list_of_any_length_is_one_array) {
  open(model::Consistency::eventual);
  std::size_t recorded = 0;
  for (std::size_t count : {0u, 1u, 127u, 128u, 129u, 256u, 300u}) {
    for (; recorded < count; ++recorded) record(*store, "config-" + listed_name(recorded + 1), set_event("v"));
    run();
    EXPECT_TRUE(ask(Method::get, "/config")->body() == listed(1, count)) << count;
    EXPECT_TRUE(ask(Method::get, "/config?at=2999-01-01T00:00:00Z")->body() == listed(1, count)) << count;
  }
}

TEST_F(ListTest, pages_of_any_length_make_up_the_list) {
  open(model::Consistency::eventual);
  for (std::size_t number = 1; number <= 300; ++number) record(*store, "config-" + listed_name(number), set_event("v"));
  run();
  for (std::size_t limit : {1u, 128u, 129u, 299u, 300u, 301u}) {
    std::string target = "/config?limit=" + std::to_string(limit);
    for (std::size_t first = 1; first <= 300; first += limit) {
      const auto page = ask(Method::get, target);
      EXPECT_TRUE(page->body() == listed(first, std::min<std::size_t>(first + limit - 1, 300))) << target;
      const std::size_t link = page->response->fields.find("Link: <");
      ASSERT_EQ(link == std::string::npos, first + limit > 300) << target;
      if (link == std::string::npos) break;
      target = page->response->fields.substr(link + 7, page->response->fields.find('>') - link - 7);
    }
  }
}

TEST_F(ListTest, a_page_of_large_values_ends_early_and_its_link_goes_on) {
  open(model::Consistency::eventual);
  const std::string value(1'000'000, 'v');
  for (std::size_t number = 1; number <= 34; ++number)
    record(*store, "config-" + listed_name(number), set_event(value));
  run();
  struct Case {
    std::string query;
    std::size_t pages;
    std::size_t names_max;  ///< what its limit of bytes allows, and what was in hand
  };
  for (const auto& [query, pages_of_all, names_max] : {Case{"prefix=n", 17, 2}, Case{"at=2999-01-01T00:00:00Z", 17, 2},
                                                       Case{"diff_from=2000-01-01T00:00:00Z", 17, 2}}) {
    std::string target = "/config?limit=10000&" + query;
    std::vector<std::size_t> pages;
    while (!target.empty() && pages.size() < 20) {
      const auto page = ask(Method::get, target);
      while (page->status() == 0) run();
      ASSERT_EQ(page->status(), 200) << target;
      const std::string body = page->body();
      std::size_t& names = pages.emplace_back(0);
      for (std::size_t place = body.find("\"name\":"); place != std::string::npos;
           place = body.find("\"name\":", place + 1))
        ++names;
      const std::size_t link = page->response->fields.find("Link: <");
      target = link == std::string::npos
                   ? ""
                   : page->response->fields.substr(link + 7, page->response->fields.find('>') - link - 7);
    }
    ASSERT_EQ(pages.size(), pages_of_all) << query;
    EXPECT_EQ(std::accumulate(pages.begin(), pages.end(), std::size_t{0}), 34u) << query;
    EXPECT_LE(*std::ranges::max_element(pages), names_max) << query;
  }
}

/// Sees how much one task reads of the store: whoever else wants something of the I/O thread waits for that long.
class LongListTest : public ApiTest, private platform::Executor {
 protected:
  static constexpr std::size_t names = 60;
  static constexpr std::size_t reads_max = 4;  // each takes 1 ms, a turn 2 ms, and a difference may have two under way

  void SetUp() override {
    open();
    for (const char* value : {"v", "w"}) {
      for (std::size_t number = 1; number <= names; ++number) {
        const Appended appended = record(*store, "config-" + listed_name(number), set_event(value));
        if (*value == 'v') middle = appended.created_at.to_text();
      }
      run();
    }
    store->before_each_stream_read([this] { world.clock.advance(std::chrono::milliseconds{1}); });
    home_of_requests = this;
  }
  void post(platform::Task task) override {
    home.post([this, task = std::move(task)]() mutable { watched(task); });
  }
  void post_after(Duration delay, platform::Task task) override {
    home.post_after(delay, [this, task = std::move(task)]() mutable { watched(task); });
  }
  template <class Work>
  void watched(Work&& work) {
    const std::size_t before = store->stream_reads();
    work();
    const std::size_t reads = store->stream_reads() - before;
    all += reads;
    worst = std::max(worst, reads);
  }
  /// Asks, and says what the answer is without the white space between its pieces.
  std::string ask_in_turns(Method method, const std::string& target, std::string_view body = {}) {
    all = 0;
    worst = 0;
    std::shared_ptr<Asked> asked;
    watched([&] { asked = ask(method, target, {{"content-type", "application/json"}}, body); });
    for (int turn = 0; turn < 100 && asked->status() == 0; ++turn) run();
    EXPECT_EQ(asked->status(), 200) << target;
    std::string text;
    // A late piece is brought by a task of its own, which is watched; asking for it reads nothing.
    const bool is_late = asked->response && std::holds_alternative<LateBodySource>(asked->response->body);
    while (is_late) {
      const auto piece = asked->next_piece();
      if (!piece) break;
      text += *piece;
    }
    if (!is_late) text = asked->body();
    EXPECT_GE(all, names) << target;
    EXPECT_LE(worst, reads_max) << target;
    std::erase(text, '\n');
    return text;
  }

  std::string middle;  // the time between the first values and the second
  std::size_t all = 0;
  std::size_t worst = 0;
};

TEST_F(LongListTest, whatever_is_read_of_the_past_of_many_others_get_their_turns) {
  EXPECT_EQ(ask_in_turns(Method::get, "/config?at=" + middle), listed(1, names));
  EXPECT_EQ(ask_in_turns(Method::get, "/config?limit=10000&at=" + middle), listed(1, names));
  EXPECT_EQ(ask_in_turns(Method::get, "/config?limit=60&at=" + middle), listed(1, names));
  const std::string whole = ask_in_turns(Method::get, "/config?diff_from=" + middle);
  EXPECT_TRUE(whole.starts_with("[{\"name\":\"n0001\",\"change\":\"changed\"")) << whole;
  EXPECT_EQ(ask_in_turns(Method::get, "/config?limit=10000&diff_from=" + middle), whole);
  const std::string body = "{\"prefix\":\"\",\"at\":\"" + middle + "\"}";
  EXPECT_TRUE(ask_in_turns(Method::post, "/-/models/config/rollback?dry_run=true", body)
                  .starts_with("{\"set\":60,\"deleted\":0,\"changes\":[{\"name\":\"n0001\""));
}

TEST_F(ListTest, a_history_of_any_length_is_one_array) {
  open(model::Consistency::eventual);
  for (std::size_t count = 1; count <= 520; ++count) {
    record(*store, "config-a", set_event("v"));
    if (count != 1 && count != 255 && count != 256 && count != 257 && count != 512 && count != 520) continue;
    for (const std::string& query : {std::string(), std::string("?limit=10000"), "?limit=" + std::to_string(count)}) {
      const std::string body = ask(Method::get, "/config/a/history" + query)->body();
      std::size_t events = 0;
      for (std::size_t place = body.find("{\"event_id\""); place != std::string::npos;
           place = body.find(",{\"event_id\"", place + 1)) {
        ++events;
      }
      EXPECT_EQ(events, count) << query;
      EXPECT_TRUE(body.starts_with("[{") && body.ends_with("}]")) << query;
    }
  }
}

}  // namespace
}  // namespace annals::http
