#include "engine/unique_claims.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace annals::engine {
namespace {

std::string name_of(std::size_t model, const model::UniqueValue& value) {
  std::string name;
  put(name, static_cast<std::uint32_t>(model));
  put(name, static_cast<std::uint32_t>(value.field));
  return name + value.identity;
}

Fault taken(const model::Field& field, const model::UniqueValue& value, std::string_view owner) {
  if (!field.exposed) return {"/" + field.name, "not_unique", "the value, which is not shown, is taken"};
  constexpr std::size_t shown_bytes_max = 100;
  const std::string shown = value.identity.size() <= shown_bytes_max ? value.identity + " " : "";
  return {"/" + field.name, "not_unique", "the value " + shown + "is taken by \"" + std::string(owner) + "\""};
}

}  // namespace

Result<> UniqueClaims::claim(Draft& draft, const projection::TableFeed& feed, const Change& change,
                             std::vector<std::size_t>& rests_on) const {
  const model::Model& model = feed.model();
  const std::vector<model::UniqueValue> had = TRY(model::unique_values(model, *change.before));
  const std::vector<model::UniqueValue> has = TRY(model::unique_values(model, *change.after));
  std::vector<Fault> faults;
  for (const model::UniqueValue& value : has) {
    if (std::ranges::find(had, value) != had.end()) continue;
    const std::string name = name_of(change.model, value);
    std::string owner;
    if (const auto own = draft.find(name); own != draft.end()) {
      owner = own->second;
    } else if (const auto other = pending_.find(name); other != pending_.end()) {
      owner = other->second.owner;
      if (owner.empty()) return fail(ErrorKind::unavailable, free_soon, "the value is being given up");
      rests_on.push_back(other->second.group);
    } else if (feed.is_live()) {
      owner = feed.table().owner(value).value_or("");
    } else {
      return fail(ErrorKind::unavailable, "table_behind",
                  "the table of model " + model.name +
                      " is being made anew, and unique values are looked up there; "
                      "nothing was recorded; try again soon");
    }
    if (!owner.empty() && owner != change.key) faults.push_back(taken(model.fields[value.field], value, owner));
    draft[name] = change.key;
  }
  if (!faults.empty()) {
    const std::string fields = faults.size() == 1 ? faults.front().pointer.substr(1) : "several fields";
    return std::unexpected(Error(ErrorKind::conflict, "not_unique",
                                 "another " + model.name + " has the same " + fields + "; nothing was recorded",
                                 std::move(faults)));
  }
  for (const model::UniqueValue& value : had) {
    if (std::ranges::find(has, value) == has.end()) draft[name_of(change.model, value)] = "";
  }
  return {};
}

void UniqueClaims::join(Draft draft, std::size_t group) {
  for (auto& [name, owner] : draft) pending_[name] = {std::move(owner), group};
}

}  // namespace annals::engine
