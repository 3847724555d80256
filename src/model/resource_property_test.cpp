// Random models and random commands, compared with a naive reference that keeps values in a map; and every record with
// what its events fold to from nothing.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "model/model_file.hpp"
#include "model/record_text.hpp"
#include "model/resource.hpp"

namespace annals::model {
namespace {

/// A type of field as it is declared, and JSON of its values, no two of them equal.
struct Kind {
  std::string declaration;
  std::vector<std::string> values;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {R"(type = "string")", {R"("")", R"("a")", R"("\"},{\"")", R"("ä\\")"}},
      {R"(type = "text")", {R"("\n")", R"("]")", R"("{\"a\":1}")"}},
      {R"(type = "integer")", {"0", "-1", "9223372036854775807"}},
      {R"(type = "decimal")", {R"("0")", R"("7.5")", R"("-0.001")"}},
      {R"(type = "double")", {"0.5", "-1e+30", "3"}},
      {R"(type = "boolean")", {"true", "false"}},
      {R"(type = "date")", {R"("2024-02-29")", R"("0001-01-01")"}},
      {R"(type = "timestamp")", {R"("2024-02-29T23:59:59.000001Z")", R"("0001-01-01T00:00:00.000000Z")"}},
      {R"(type = "uuid")", {R"("00000000-0000-0000-0000-000000000000")", R"("0192e4a0-7a3c-7def-8123-456789abcdef")"}},
      {R"(type = "enum", values = ["x", "y"])", {R"("x")", R"("y")"}},
      {R"(type = "json")", {"[]", R"({"a":[1,{"b":null}]})", R"("text")"}},
      {R"(type = "list", of = "integer")", {"[]", "[1,2]", "[2,1]"}},
  };
  return all;
}

/// A computed field: "none", or the value of another field as text; whether that has a value; and whether one of the
/// former is "none".
struct ComputedShape {
  enum class Way : std::uint8_t { text, is_null, is_none };
  Way way;
  std::size_t of;  ///< of fields f0, f1, ...; of is_none, of c0, c1, ...
};

struct Shape {
  std::vector<std::size_t> kinds;  ///< of fields f0, f1, ...
  std::vector<bool> own_event;
  std::vector<ComputedShape> computed;  ///< of fields c0, c1, ...
};

std::string declaration_of(const ComputedShape& shape) {
  const std::string of = std::to_string(shape.of);
  switch (shape.way) {
    case ComputedShape::Way::text: return "type = \"text\", computed = \"coalesce(string(f" + of + "), 'none')\"";
    case ComputedShape::Way::is_null: return "type = \"boolean\", computed = \"f" + of + " = null\"";
    case ComputedShape::Way::is_none: return "type = \"boolean\", computed = \"c" + of + " = 'none'\"";
  }
  return "";
}

Model model_of(const Shape& shape) {
  std::string text = "[model.thing]\npath = \"/things\"\n[model.thing.fields]\n";
  text += "id = { type = \"string\", primary_key = true }\n";
  for (std::size_t field = 0; field < shape.kinds.size(); ++field) {
    text += "f" + std::to_string(field) + " = { " + kinds()[shape.kinds[field]].declaration;
    if (shape.own_event[field]) text += ", event = \"F" + std::to_string(field) + "Changed\"";
    text += " }\n";
  }
  // The last first: what one is computed from may be declared behind it.
  for (std::size_t field = shape.computed.size(); field-- > 0;)
    text += "c" + std::to_string(field) + " = { " + declaration_of(shape.computed[field]) + " }\n";
  const auto root = read_declarations(text, "annals.toml");
  auto models = read_models(*root.value().find("model"));
  return std::move(models.value().front().model);
}

/// The values of fields that have one, by name.
using Values = std::map<std::string, std::string>;

Values values_of_record(const Model& model, const Record& record) {
  Values values;
  const auto texts = values_of(model, *record.value).value();
  for (std::size_t place = 0; place < texts.size(); ++place) {
    if (texts[place] != "null") values.emplace(model.fields[place].name, texts[place]);
  }
  return values;
}

/// The naive way to say what is computed.
Values with_computed(const Shape& shape, Values values) {
  for (std::size_t field = 0; field < shape.computed.size(); ++field) {
    const ComputedShape& one = shape.computed[field];
    const std::string of = (one.way == ComputedShape::Way::is_none ? "c" : "f") + std::to_string(one.of);
    const auto value = values.find(of);
    std::string& made = values["c" + std::to_string(field)];
    if (one.way == ComputedShape::Way::is_null) {
      made = value == values.end() ? "true" : "false";
    } else if (one.way == ComputedShape::Way::is_none) {
      made = value->second == "\"none\"" ? "true" : "false";
    } else if (value == values.end()) {
      made = "\"none\"";
    } else {
      made = value->second.starts_with('"') ? value->second : '"' + value->second + '"';
    }
  }
  return values;
}

std::vector<ComputedShape> any_computed(const Shape& shape) {
  std::vector<ComputedShape> computed;
  std::vector<std::size_t> texts;  // of those that are "none" or a value
  const int number = *rc::gen::inRange(0, 5);
  for (int field = 0; field < number; ++field) {
    const std::size_t of = *rc::gen::inRange<std::size_t>(0, shape.kinds.size());
    const std::string& declared = kinds()[shape.kinds[of]].declaration;
    if (!texts.empty() && *rc::gen::arbitrary<bool>()) {
      computed.push_back({ComputedShape::Way::is_none, texts.back()});
    } else if (!declared.contains("json") && !declared.contains("list")) {
      const bool text = *rc::gen::arbitrary<bool>();
      if (text) texts.push_back(computed.size());
      computed.push_back({text ? ComputedShape::Way::text : ComputedShape::Way::is_null, of});
    }
  }
  return computed;
}

/// Whether the parser, which a blank calls for, makes of an event what is made of it as the model writes it.
bool is_read_alike(const Model& model, const Record& record, const Decision& decision) {
  const std::string_view before = record.value ? *record.value : std::string_view{};
  const std::string spaced = "{ " + decision.data.substr(1);
  const auto one = change_of(model, before, decision.type, decision.data, record.version.next());
  const std::string value(one.value().new_value());
  const auto other = change_of(model, before, decision.type, spaced, record.version.next());
  return one->effect == other.value().effect && value == other->new_value();
}

RC_GTEST_PROP(resource_property, records_are_what_a_map_says_and_what_their_events_fold_to, ()) {
  Shape shape;
  shape.kinds = *rc::gen::resize(6, rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(
                                        rc::gen::inRange<std::size_t>(0, kinds().size()))));
  for (std::size_t field = 0; field < shape.kinds.size(); ++field)
    shape.own_event.push_back(*rc::gen::arbitrary<bool>());
  shape.computed = any_computed(shape);
  const Model model = model_of(shape);

  Record record;
  std::vector<Decision> events;
  std::optional<Values> expected;
  const int commands = *rc::gen::inRange(1, 20);
  for (int number = 0; number < commands; ++number) {
    // What the body gives: for some fields a value or null.
    std::string body = "{";
    Values given;
    std::vector<std::string> taken_away;
    for (std::size_t field = 0; field < shape.kinds.size(); ++field) {
      const std::string name = "f" + std::to_string(field);
      const auto& values = kinds()[shape.kinds[field]].values;
      const auto choice = *rc::gen::inRange<std::size_t>(0, values.size() + 2);
      if (choice > values.size()) continue;
      const std::string value = choice == values.size() ? "null" : values[choice];
      body += (body.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
      if (value == "null") {
        taken_away.push_back(name);
      } else {
        given.emplace(name, value);
      }
    }
    const auto operation = *rc::gen::element(0, 1, 2, 2, 3, 3);  // remove, create, replace, patch
    // A client may give back what is computed as it was shown.
    if (expected && operation >= 2 && *rc::gen::arbitrary<bool>()) {
      for (const auto& [name, value] : with_computed(shape, *expected)) {
        if (name.starts_with('c')) body += (body.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
      }
    }
    if (operation == 1) body += (body.size() > 1 ? ",\"" : "\"") + std::string("id\":\"a\"");
    body += '}';
    const json::Object object = json::thread_reader().read_object(body).value();

    Command command;
    command.key = "a";
    if (operation == 0) {
      command.operation = Operation::remove;
    } else if (operation == 1) {
      command.operation = Operation::create;
      command.given = read_new_record(model, object, {Instant{}, [] { return Uuid{}; }}).value();
    } else {
      command.operation = Operation::update;
      command.given = (operation == 2 ? read_replacement(model, object, "a") : read_patch(model, object, "a")).value();
    }
    const auto decided = decide(model, record, command, Instant{number});

    // The reference.
    const std::optional<Values> before = expected;
    bool refused = false;
    if (operation == 1) {
      refused = expected.has_value();
      if (!refused) {
        expected = given;
        expected->emplace("id", "\"a\"");
      }
    } else if (!expected) {
      refused = true;
    } else if (operation == 0) {
      expected.reset();
    } else {
      if (operation == 2) expected = Values{{"id", "\"a\""}};
      for (const auto& [name, value] : given) (*expected)[name] = value;
      for (const std::string& name : taken_away) expected->erase(name);
    }

    RC_ASSERT(decided.has_value() == !refused);
    if (!decided) continue;
    RC_ASSERT(decided->empty() == (before == expected));
    for (const Decision& decision : *decided) {
      RC_ASSERT(is_read_alike(model, record, decision));
      record = evolve(model, record, decision.type, decision.data, record.version.next(), Instant{number}).value();
      events.push_back(decision);
    }
    RC_ASSERT(record.exists() == expected.has_value());
    if (expected) RC_ASSERT(values_of_record(model, record) == with_computed(shape, *expected));
    for (const Decision& decision : *decided) RC_ASSERT(!decision.data.contains("\"c0\":"));
  }

  Record replayed;
  for (const Decision& event : events)
    replayed = evolve(model, replayed, event.type, event.data, replayed.version.next(), Instant{}).value();
  RC_ASSERT(replayed.version == record.version);
  RC_ASSERT(replayed.exists() == record.exists());
  if (record.exists()) RC_ASSERT(*replayed.value == *record.value);
}

}  // namespace
}  // namespace annals::model
