// `annals plan`: what a changed declaration does to what a store has, before a server begins with it.

#include "base/wording.hpp"
#include "engine/declarations.hpp"
#include "model/declared_attributes.hpp"
#include "platform/logging.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/named_store.hpp"
#include "server/commands/output.hpp"

namespace annals::server {
namespace {

/// The examples, a line each.
std::string listed(const model::Review::Count& count) {
  std::string text;
  for (const std::string& example : count.examples) text += "    " + example + "\n";
  if (count.number > count.examples.size())
    text += "    and " + std::to_string(count.number - count.examples.size()) + " more\n";
  return text;
}

std::string joined(const model::Review::Count& count) {
  std::string text;
  for (const std::string& example : count.examples) text.append(text.empty() ? "" : ", ").append(example);
  return count.number > count.examples.size() ? text + ", ..." : text;
}

Result<std::string> told_differences(const model::Model& model, const engine::LastDeclaration& last) {
  if (last.version.value == 0) return std::string("  The store was never served with a declaration of it.\n");
  if (last.fields == engine::declared_fields(model))
    return std::string("  Its fields are declared as the store was last served with.\n");
  if (model.profile == model::Profile::kv)
    return "  Declared otherwise than at " + last.declared_at.to_text() + ": it was a resource.\n";
  std::string text = "  Declared otherwise than at " + last.declared_at.to_text() + ":\n";
  const std::vector<std::string> lines = TRY(model::differences_of(last.fields, model.declaration));
  for (const std::string& line : lines) text += "    " + line + "\n";
  if (lines.empty()) text += "    the order of fields or attributes\n";
  return text;
}

/// Nothing of a store that was last served by a version that did not record attributes.
Result<std::string> told_attributes(const model::Model& model, const engine::LastDeclaration& last) {
  if (!last.attributes) return std::string();
  const std::vector<std::string> lines =
      TRY(model::attribute_differences(*last.attributes, model::declared_attributes(model)));
  std::string text;
  for (const std::string& line : lines) text += "    " + line + "\n";
  if (text.empty()) return text;
  return "  Its attributes are declared otherwise than at " + last.declared_at.to_text() + ":\n" + text;
}

/// What changes in records, and what they refer to.
std::string told_changes(const model::Model& model, const model::Review& review) {
  std::string text;
  for (const auto& [defaults, count] : review.defaulted()) {
    text += "  Default: " + defaults + ", in " + counted(count.number, "record") + " (" + joined(count) +
            ") whose events have no value of it. " +
            std::string(for_number(count.number, "It changes, and its past.\n", "They change, and their past.\n"));
  }
  for (const auto& [name, count] : review.found_again()) {
    text += "  Found again: \"" + name + "\" was not declared last, and the events of " +
            counted(count.number, "record") + " (" + joined(count) +
            ") have a value of it: " + std::string(for_number(count.number, "it has that.\n", "they have that.\n"));
  }
  for (const auto& [takers, count] : review.moved()) {
    text += "  Moved: " + counted(count.number, "event") + std::string(for_number(count.number, " has", " have")) +
            " something of a name that another field takes now: " + takers + " (position " + joined(count) + ").\n";
  }
  for (const auto& [name, count] : review.rounded()) {
    text += "  Rounded: " + counted(count.number, "event") + std::string(for_number(count.number, " has", " have")) +
            " of \"" + name + "\" a whole number that no double is (position " + joined(count) +
            "): the nearest one is shown.\n";
  }
  for (const auto& [place, count] : review.dangling()) {
    const model::Field& field = model.fields[place];
    text += "  Refers to nothing: " + field.name + ", " + counted(count.number, "value") + " (" + joined(count) +
            "). A record of " + field.references +
            " that is created with such a key is what it refers to from then on" +
            (field.on_delete == model::OnDelete::cascade ? ", and takes what refers to it along when it is deleted.\n"
                                                         : ".\n");
  }
  return text;
}

std::string told_review(const model::Model& model, const model::Review& review) {
  std::string text = told_changes(model, review);
  for (const auto& [name, count] : review.left_out()) {
    const bool is_field = model.field_in_events(name).has_value();
    text += "  Left out: \"" + name + "\" is " + (is_field ? "computed" : "no field") + ", and " +
            counted(count.number, "event") + std::string(for_number(count.number, " has", " have")) +
            " something of it (position " + joined(count) + "). It stays in the events" +
            (is_field ? ".\n" : "; a field with renamed_from = \"" + name + "\" takes it.\n");
  }
  for (const auto& [name, count] : review.carried()) {
    text += "  Carried: " + counted(count.number, "event") + std::string(for_number(count.number, " has", " have")) +
            " of \"" + name + "\" what was recorded as another type, and its upcast makes a value of it (position " +
            joined(count) + ").\n";
  }
  for (const auto& [rule, count] : review.not_computed()) {
    text += "  Not computed: " + rule + ", of " + counted(count.number, "record") + " (" + joined(count) +
            "): there it is null.\n";
  }
  for (const auto& [rule, count] : review.not_kept()) {
    text += "  Not kept: " + rule + ", by " + counted(count.number, "record") + " (" + joined(count) + "). " +
            std::string(for_number(count.number, "It stays as it is until it is written.\n",
                                   "They stay as they are until they are written.\n"));
  }
  if (review.broken().number > 0) {
    text += "  Refused: " + counted(review.broken().number, "event") +
            " cannot be taken, nor what follows in the same record:\n" + listed(review.broken());
  }
  if (review.taken_twice().number > 0) {
    text += "  Refused: " + counted(review.taken_twice().number, "value") + " of unique fields" +
            std::string(for_number(review.taken_twice().number, " is", " are")) + " not unique:\n" +
            listed(review.taken_twice());
  }
  return text;
}

Result<int> plan_it(const Settings& settings) {
  const auto log = platform::make_json_logger(LogLevel::warning);
  const platform::Platform platform{platform::system_clock(), platform::system_random(), platform::posix_files(), *log};
  const std::string name = TRY(name_of_store("", settings));
  const auto store = TRY(open_named_store_to_read(name, settings, platform));
  std::vector<const model::Model*> models;
  for (const model::Model& model : settings.models()) models.push_back(&model);
  const engine::Reviewed reviewed = TRY(engine::review(*store, models));
  std::string text;
  bool holds = true;
  for (std::size_t place = 0; place < models.size(); ++place) {
    const model::Model& model = *models[place];
    const model::Review& review = reviewed.reviews[place];
    text += "model " + model.name + ": " + counted(review.events(), "event") + " of " +
            counted(review.records(), "record") +
            std::string(for_number(review.records(), " that exists", " that exist"));
    if (review.unsuitable() > 0) {
      text += ", of which " + std::to_string(review.unsuitable()) +
              std::string(for_number(review.unsuitable(), " does not suit", " do not suit"));
    }
    text += "\n";
    const engine::LastDeclaration last = TRY(engine::last_declaration(*store, model));
    if (model.profile == model::Profile::resource ||
        (last.version.value > 0 && last.fields != engine::declared_fields(model)))
      text += TRY(told_differences(model, last));
    text += TRY(told_attributes(model, last));
    text += told_review(model, review);
    holds = holds && review.holds();
  }
  for (const auto& [category, count] : reviewed.others) {
    text += "No model has the streams " + category + "-...: " + counted(count, "event") +
            std::string(for_number(count, " is", " are")) + " not shown.\n";
  }
  text += holds ? "The store can be served with this declaration.\n"
                : "The store cannot be served with this declaration. Declare the fields as they were, give them an "
                  "upcast, or give what is new another name.\n";
  TRY(print(text));
  return holds ? done : wrong_usage;
}

}  // namespace

int plan(const Settings& settings) {
  const auto code = plan_it(settings);
  return code ? *code : report(code.error());
}

}  // namespace annals::server
