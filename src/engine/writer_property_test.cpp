// Random sequences of commands against the simplest model of what they mean: for each key a list of its values. What
// fails is shrunk and printed with the configuration that repeats it (RC_PARAMS).

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/queries.hpp"
#include "engine/test_engine.hpp"

namespace annals::engine {
namespace {

using Rule = model::Precondition::Rule;

constexpr std::uint64_t versions_max = 8;

/// One command, drawn so that it is often just right and often just wrong.
struct Drawn {
  enum class Kind : std::uint8_t { set, remove, roll_back };
  Kind kind = Kind::set;
  int key = 0;
  int value = 0;
  std::uint64_t version = 0;  // to go back to
  Rule rule = Rule::none;
  std::uint64_t demanded = 0;   // the version that is demanded
  int idempotency_key = -1;     // none
  bool ends_the_batch = false;  // what was submitted up to here is recorded before the next comes
};

std::ostream& operator<<(std::ostream& out, const Drawn& drawn) {
  static constexpr const char* kinds[] = {"set", "remove", "roll back"};
  static constexpr const char* rules[] = {"", " if version ", " if it exists", " if it does not exist"};
  out << kinds[static_cast<int>(drawn.kind)] << " k" << drawn.key;
  if (drawn.kind == Drawn::Kind::set) out << " to v" << drawn.value;
  if (drawn.kind == Drawn::Kind::roll_back) out << " to version " << drawn.version;
  out << rules[static_cast<int>(drawn.rule)];
  if (drawn.rule == Rule::version_is_one_of) out << drawn.demanded;
  if (drawn.idempotency_key >= 0) out << " under idempotency key " << drawn.idempotency_key;
  return out << (drawn.ends_the_batch ? ";\n" : ",\n");
}

rc::Gen<Drawn> any_command() {
  return rc::gen::build<Drawn>(
      rc::gen::set(&Drawn::kind, rc::gen::weightedElement<Drawn::Kind>(
                                     {{5, Drawn::Kind::set}, {3, Drawn::Kind::remove}, {2, Drawn::Kind::roll_back}})),
      rc::gen::set(&Drawn::key, rc::gen::inRange(0, 3)), rc::gen::set(&Drawn::value, rc::gen::inRange(0, 4)),
      rc::gen::set(&Drawn::version, rc::gen::inRange<std::uint64_t>(0, versions_max)),
      rc::gen::set(&Drawn::rule,
                   rc::gen::weightedElement<Rule>(
                       {{4, Rule::none}, {4, Rule::version_is_one_of}, {1, Rule::exists}, {1, Rule::does_not_exist}})),
      rc::gen::set(&Drawn::demanded, rc::gen::inRange<std::uint64_t>(0, versions_max)),
      rc::gen::set(&Drawn::idempotency_key, rc::gen::weightedElement<int>({{6, -1}, {1, 0}, {1, 1}, {1, 2}})),
      rc::gen::set(&Drawn::ends_the_batch));
}

/// What is to be: it knows nothing of logs, batches and caches.
class Expected {
 public:
  /// The answer in the words of `to_text`. `new_value` is null for a remove.
  std::string answer(const Drawn& drawn, const std::optional<std::string>& new_value, const std::string& request) {
    if (drawn.idempotency_key >= 0) {
      const auto known = receipts_.find(drawn.idempotency_key);
      if (known != receipts_.end())
        return known->second.first == request ? known->second.second + " replayed" : "idempotency_key_reused";
    }
    std::vector<std::optional<std::string>>& versions = keys_[drawn.key];
    const bool exists = !versions.empty() && versions.back().has_value();
    if (!new_value && versions.empty()) return "not_found";
    if (!new_value && !exists) return "already_deleted";
    const bool good = drawn.rule == Rule::none || (drawn.rule == Rule::exists && exists) ||
                      (drawn.rule == Rule::does_not_exist && !exists) ||
                      (drawn.rule == Rule::version_is_one_of && !versions.empty() && versions.size() == drawn.demanded);
    if (!good) return "version_conflict";
    versions.push_back(new_value);
    std::string version = std::to_string(versions.size());
    if (drawn.idempotency_key >= 0) receipts_.emplace(drawn.idempotency_key, std::pair{request, version});
    return version;
  }

  [[nodiscard]] const std::vector<std::optional<std::string>>& versions(int key) { return keys_[key]; }

 private:
  std::map<int, std::vector<std::optional<std::string>>> keys_;
  std::map<int, std::pair<std::string, std::string>> receipts_;
};

std::string name_of(int key) {
  return "k" + std::to_string(key);
}

WriteRequest request_of(const Drawn& drawn, const std::optional<std::string>& new_value, const std::string& text) {
  WriteRequest request = new_value ? set_request(name_of(drawn.key), *new_value) : remove_request(name_of(drawn.key));
  request.command.precondition.rule = drawn.rule;
  if (drawn.rule == Rule::version_is_one_of) request.command.precondition.versions = {StreamVersion{drawn.demanded}};
  if (drawn.idempotency_key < 0) return request;
  return with_key(std::move(request), std::to_string(drawn.idempotency_key), text);
}

/// What the command would have the key be; nullopt for nothing. A rollback reads the log, as the route does before it
/// submits, and is left out where there is no such value.
Result<std::optional<std::string>> value_of(const Drawn& drawn, const EventStore& store, const model::Model& model) {
  if (drawn.kind == Drawn::Kind::remove) return std::nullopt;
  if (drawn.kind == Drawn::Kind::set) return "v" + std::to_string(drawn.value);
  const model::Record record = TRY(record_at_version({store, model}, name_of(drawn.key), StreamVersion{drawn.version}));
  if (!record.exists()) return fail(ErrorKind::not_found, "it had no value then");
  return std::string(*record.value);
}

void check_present(WriterUnderTest& writer, ControlledStore& store, const model::Model& model, Expected& expected) {
  for (int key = 0; key < 3; ++key) {
    const auto& versions = expected.versions(key);
    RC_ASSERT(writer.value(name_of(key)) == (versions.empty() ? "(none)" : versions.back().value_or("(none)")));
    for (std::uint64_t version = 1; version <= versions.size(); ++version) {
      const auto record = record_at_version({store, model}, name_of(key), StreamVersion{version});
      RC_ASSERT(record.has_value());
      RC_ASSERT(record->exists() == versions[version - 1].has_value());
      RC_ASSERT((!record->exists() || *record->value == *versions[version - 1]));
    }
  }
}

RC_GTEST_PROP(WriterProperty, any_commands_in_any_batches_mean_what_a_list_of_values_says, ()) {
  const auto commands = *rc::gen::container<std::vector<Drawn>>(any_command());
  TestWorld world;
  ControlledStore store{world.platform()};
  const model::Model model = kv("config");
  Expected expected;
  std::vector<std::string> answers;
  WriterUnderTest writer(world, store);
  for (const Drawn& drawn : commands) {
    if (const auto new_value = value_of(drawn, store, model); new_value) {
      std::ostringstream text;
      text << static_cast<int>(drawn.kind) << drawn.key << new_value->value_or("") << static_cast<int>(drawn.rule)
           << drawn.demanded;
      answers.push_back(expected.answer(drawn, *new_value, text.str()));
      writer.submit(request_of(drawn, *new_value, text.str()));
    }
    if (drawn.ends_the_batch) world.executor.run_ready();
  }
  world.executor.run_ready();
  for (std::size_t place = 0; place < answers.size(); ++place) RC_ASSERT(writer.text(place) == answers[place]);
  check_present(writer, store, model, expected);
}

}  // namespace
}  // namespace annals::engine
