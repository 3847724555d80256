#include "engine/references.hpp"

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "base/invariant.hpp"

namespace annals::engine {
namespace {

std::string name_of(const Reference& reference, std::string_view target) {
  std::string name;
  put(name, static_cast<std::uint32_t>(reference.model));
  put(name, static_cast<std::uint32_t>(reference.field));
  return name.append(target);
}

}  // namespace

References::References(const std::vector<projection::TableFeed*>& feeds)
    : feeds_(feeds), of_(feeds.size()), to_(feeds.size()) {
  for (std::size_t model = 0; model < feeds.size(); ++model) {
    const std::vector<model::Field>& fields = feeds[model]->model().fields;
    for (std::size_t field = 0; field < fields.size(); ++field) {
      if (fields[field].references.empty()) continue;
      const auto target =
          std::ranges::find(feeds, fields[field].references,
                            [](const projection::TableFeed* feed) -> const std::string& { return feed->model().name; });
      INVARIANT(target != feeds.end(), "what a declaration refers to is looked for when it is read");
      const Reference reference{model, field, static_cast<std::size_t>(target - feeds.begin()),
                                fields[field].on_delete};
      of_[model].push_back(reference);
      to_[reference.target].push_back(reference);
    }
  }
}

void References::note(Draft& draft, const Reference& reference, std::string_view target, std::string_view referrer) {
  draft[name_of(reference, target)].emplace(referrer);
}

void References::join(Draft draft) {
  for (auto& [name, referrers] : draft) pending_[name].merge(std::move(referrers));
}

Result<std::set<std::string>> References::candidates(const Draft& draft, const Reference& reference,
                                                     const std::string& target, std::size_t recorded_max) const {
  const projection::TableFeed& feed = *feeds_[reference.model];
  if (!feed.is_live()) {
    return fail(ErrorKind::unavailable, "table_behind",
                "the table of model " + feed.model().name +
                    " is being made anew, and what refers to a record is looked up there; "
                    "nothing was recorded; try again soon");
  }
  std::set<std::string> keys;
  for (std::string& key : feed.table().referrers({reference.field, target}, recorded_max)) keys.insert(std::move(key));
  const std::string name = name_of(reference, target);
  for (const Draft* one : {&pending_, &draft}) {
    if (const auto found = one->find(name); found != one->end())
      keys.insert(found->second.begin(), found->second.end());
  }
  return keys;
}

}  // namespace annals::engine
