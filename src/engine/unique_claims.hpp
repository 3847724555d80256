#pragma once
// UniqueClaims: who has which unique value, if what was decided so far is recorded. A value that nobody under way
// claims or gives up is looked up in the model's read table, which is as new as the state that is decided on. Confined
// to the writer's thread.

#include <cstddef>
#include <string>
#include <vector>

#include "base/shared_text.hpp"
#include "base/text_hash.hpp"
#include "model/resource.hpp"
#include "projection/table_feed.hpp"

namespace annals::engine {

class UniqueClaims {
 public:
  static constexpr std::string_view free_soon = "free_soon";

  /// What a request claims and gives up: by value, the key of the record that has it, empty when it is free.
  using Draft = TextMap<std::string, std::string>;

  /// What happens to one record; each text is null where it does not exist.
  struct Change {
    std::size_t model;
    std::string_view key;
    const SharedText& before;
    const SharedText& after;
  };

  /// Adds to the request's draft what the change claims and gives up; and to `rests_on` the groups on which a refusal
  /// rests. Errors: conflict ("not_unique", with faults); unavailable (`free_soon`: the value is free once what is
  /// under way has been recorded, which it might not be; "table_behind", while the table is not as new as the state).
  [[nodiscard]] Result<> claim(Draft& draft, const projection::TableFeed& feed, const Change& change,
                               std::vector<std::size_t>& rests_on) const;

  /// The draft's request joins the flush, with this group.
  void join(Draft draft, std::size_t group);
  void clear() { pending_.clear(); }

 private:
  struct Pending {
    std::string owner;
    std::size_t group = 0;
  };
  TextMap<std::string, Pending> pending_;
};

}  // namespace annals::engine
