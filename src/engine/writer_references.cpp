// References as the writer keeps them: what a record refers to exists, and what refers to a record that is deleted is
// asked.
//
// Two streams that nothing ties together could be recorded one without the other. So what rests on a record that is
// created, deleted or let go by a request under way waits until that has been recorded; what another server may have
// changed meanwhile is excluded by the group's condition (Group::nothing_after).

#include <algorithm>

#include "base/wording.hpp"
#include "engine/writer.hpp"

namespace annals::engine {
namespace {

constexpr std::size_t referrers_told_max = 10;
constexpr std::size_t referrers_counted_max = 100;

std::string shown(std::string_view key) {
  constexpr std::size_t shown_bytes_max = 100;
  return "\"" + std::string(key.substr(0, shown_bytes_max)) + (key.size() > shown_bytes_max ? "..." : "") + "\"";
}

/// `order "1" refers to`, `order "1" and 2 others refer to`.
std::string told_referrers(const model::Model& model, const std::vector<std::string>& keys) {
  const std::size_t others = keys.size() - 1;
  std::string told = model.name + " " + shown(keys.front());
  if (others == 0) return told + " refers to";
  return told + " and " + counted(others, "other") +
         (keys.size() >= referrers_counted_max ? " or more refer to" : " refer to");
}

/// What a record is told to be that would lose the value of a field, and then refuses what is left of it.
struct Loser {
  const model::Model& model;
  const model::Field& field;
  const std::string& key;

  /// `order "1" would lose its seller`. Which record it is, is not for replies where they do not show the reference.
  [[nodiscard]] std::string told() const {
    if (!field.exposed) return "a record of model " + model.name + " would lose what it refers to";
    return model.name + " " + shown(key) + " would lose its " + field.name;
  }
};

/// Why the deletion of `asked` is refused: of the record that refuses, its model, key and field.
Error refusal_by(const Loser& loser, const model::Model& asked, const std::string& asked_key, Error error) {
  std::string told;
  for (Fault& fault : error.faults) {
    fault.detail = loser.told() + ", and " + fault.pointer.substr(std::min<std::size_t>(1, fault.pointer.size())) +
                   " of it is then refused: " + fault.detail;
    fault.pointer = "/" + asked.fields[asked.primary_key].name;
    if (told.empty()) told = fault.detail;
  }
  if (told.empty()) told = loser.told() + ", and is then refused: " + error.message;
  return {ErrorKind::unprocessable, "invalid_referrer",
          "the " + asked.name + " " + shown(asked_key) + " cannot be deleted: " + told +
              "; nothing was recorded; change that record first",
          std::move(error.faults)};
}

bool refers(const model::Model& model, const model::Record& record, const model::ReferredKey& to) {
  const auto referred = model::referred_keys(model, *record.value);
  return referred && std::ranges::find(*referred, to) != referred->end();
}

}  // namespace

Result<> Writer::check_references(const Pending& pending, Draft& draft, const UniqueClaims::Change& change) {
  const model::Model& model = feeds_[change.model]->model();
  const std::vector<model::ReferredKey> had = TRY(model::referred_keys(model, *change.before));
  const std::vector<model::ReferredKey> has = TRY(model::referred_keys(model, *change.after));
  std::vector<Fault> faults;
  for (const Reference& reference : references_.of(change.model)) {
    const auto to = std::ranges::find(has, reference.field, &model::ReferredKey::field);
    if (to == has.end() || std::ranges::find(had, *to) != had.end()) continue;
    draft.spans = true;
    References::note(draft.references, reference, to->key, change.key);
    if (reference.target == change.model && to->key == change.key) continue;  // to itself
    const model::Model& target = feeds_[reference.target]->model();
    FoundState found = TRY(find_state(pending, draft, reference.target, to->key, target.stream(to->key)));
    if (found.record.exists()) {
      if (found.group && found.moved) return wait_for_what_is_under_way();
      continue;
    }
    if (found.group) draft.rests_on.push_back(*found.group);
    const model::Field& field = model.fields[reference.field];
    faults.push_back({"/" + field.name, "reference_missing",
                      "there is no " + target.name + " " + (field.exposed ? shown(to->key) : "of this key")});
  }
  if (faults.empty()) return {};
  const std::string fields = faults.size() == 1 ? faults.front().pointer.substr(1) : "several fields";
  return std::unexpected(Error(
      ErrorKind::conflict, "reference_missing",
      "what the " + model.name + " refers to by " + fields + " does not exist; nothing was recorded; create that first",
      std::move(faults)));
}

/// The keys of records that refer to this one: no fewer than `wanted`, if there are as many.
Result<std::vector<std::string>> Writer::referrers_to(const Pending& pending, Draft& draft, const Reference& reference,
                                                      const std::string& target, std::size_t wanted) {
  TRY(check_table(reference.model));
  const model::Model& model = feeds_[reference.model]->model();
  const model::ReferredKey to{reference.field, target};
  // Only what is drafted or under way may have let go since it was recorded.
  const std::size_t recorded_max = wanted + draft.states.size() + pending_states_.size();
  std::vector<std::string> keys;
  bool let_go = false;
  for (const std::string& key : TRY(references_.candidates(draft.references, reference, target, recorded_max))) {
    FoundState found = TRY(find_state(pending, draft, reference.model, key, model.stream(key)));
    const bool does = refers(model, found.record, to);
    let_go = let_go || (!does && found.group);
    if (!does) continue;
    if (found.group) draft.rests_on.push_back(*found.group);
    keys.push_back(key);
  }
  // A refusal that others give needs no certainty about those.
  const bool refused = reference.on_delete == model::OnDelete::restrict && !keys.empty();
  if (let_go && !refused) return wait_for_what_is_under_way();
  return keys;
}

/// Deletes what goes with a record that was deleted, and takes the values away that may go.
Result<> Writer::delete_with(const Pending& pending, Draft& draft, std::vector<DeletedKey>& deleted, Instant now) {
  for (std::size_t place = 0; place < deleted.size(); ++place) {
    for (const Reference& reference : references_.to(deleted[place].model)) {
      if (reference.on_delete == model::OnDelete::restrict) continue;
      const bool cascades = reference.on_delete == model::OnDelete::cascade;
      for (std::string& key : TRY(referrers_to(pending, draft, reference, deleted[place].key, group_events_max))) {
        model::Command command;
        command.operation = cascades ? model::Operation::remove : model::Operation::update;
        command.key = key;
        if (!cascades) command.given.push_back({reference.field, {}});
        auto drafted = draft_command(pending, draft, reference.model, command, now);
        if (!drafted && drafted.error().kind == ErrorKind::unprocessable) {
          const model::Model& loser = feeds_[reference.model]->model();
          return std::unexpected(refusal_by({loser, loser.fields[reference.field], key},
                                            feeds_[deleted.front().model]->model(), deleted.front().key,
                                            std::move(drafted).error()));
        }
        TRY(std::move(drafted));
        if (cascades) deleted.push_back({reference.model, std::move(key)});
      }
    }
  }
  return {};
}

/// Refuses a deletion that leaves something that refers to what is deleted.
Result<> Writer::check_nothing_refers(const Pending& pending, Draft& draft, const std::vector<DeletedKey>& deleted) {
  const model::Model& asked = feeds_[deleted.front().model]->model();
  const std::string asked_name = asked.name + " " + shown(deleted.front().key);
  std::vector<Fault> faults;
  std::string told;
  for (const DeletedKey& one : deleted) {
    for (const Reference& reference : references_.to(one.model)) {
      if (reference.on_delete != model::OnDelete::restrict || faults.size() == referrers_told_max) continue;
      const std::vector<std::string> keys =
          TRY(referrers_to(pending, draft, reference, one.key, referrers_counted_max));
      if (keys.empty()) continue;
      const model::Model& model = feeds_[reference.model]->model();
      const std::string to = feeds_[one.model]->model().name + " " + shown(one.key);
      const model::Field& field = model.fields[reference.field];
      const std::string pointer = "/" + asked.fields[asked.primary_key].name;
      told += told.empty() ? "" : ", and ";
      if (!field.exposed) {  // which ones and how many is what replies do not show
        const std::string hidden = "a record of model " + model.name + " refers to " + to;
        told += hidden;
        faults.push_back({pointer, "referenced", hidden});
        continue;
      }
      told += told_referrers(model, keys) + " " + to + " by " + field.name;
      for (const std::string& key : keys) {
        if (faults.size() == referrers_told_max) break;
        faults.push_back(
            {pointer, "referenced", model.name + " " + shown(key) + " refers to " + to + " by " + field.name});
      }
    }
  }
  if (faults.empty()) return {};
  return std::unexpected(Error(ErrorKind::conflict, "referenced",
                               "the " + asked_name + " cannot be deleted: " + told + "; nothing was recorded",
                               std::move(faults)));
}

Result<> Writer::follow_deletion(const Pending& pending, Draft& draft, std::size_t model, const std::string& key,
                                 Instant now) {
  draft.spans = true;
  std::vector<DeletedKey> deleted{{model, key}};
  auto followed = delete_with(pending, draft, deleted, now);
  if (!followed && followed.error().code == group_too_large) {
    return fail(ErrorKind::conflict, "too_many_referrers",
                "with the " + feeds_[model]->model().name + " " + shown(key) + " more than " +
                    std::to_string(group_events_max) + " records, or " + std::to_string(group_bytes_max >> 20) +
                    " MiB of events, would change, which is more than one group holds; nothing was recorded; delete "
                    "some of what refers to it first");
  }
  if (!followed) return followed;
  return check_nothing_refers(pending, draft, deleted);
}

}  // namespace annals::engine
