#include "tests/property/shape.hpp"

#include <algorithm>

namespace annals::property {
namespace {

constexpr std::size_t large_bytes = 300'000;

TypePage string_page() {
  return {Type::string,
          R"(type = "string")",
          {{R"("")", ""},
           {R"("a")", ""},
           {R"("ab")", ""},
           {R"("b")", ""},
           {R"("äöü")", ""},
           {R"("Ab-1,x")", ""},
           {R"("\"},{\"")", ""},
           {R"("\u0062")", R"("b")"},
           {R"("ä\\")", ""}},
          {{"5", "wrong_type"}, {R"("a\nb")", "control_character"}, {"[]", "wrong_type"}},
          true,
          true,
          true,
          true};
}

TypePage choice_page() {
  return {Type::choice,
          R"(type = "enum", values = ["x", "y", "zz"])",
          {{R"("x")", ""}, {R"("y")", ""}, {R"("zz")", ""}},
          {{R"("z")", "wrong_type"}, {"true", "wrong_type"}},
          false,
          true,
          true,
          true};
}

std::vector<TypePage> type_pages() {
  return {
      string_page(),
      {Type::text,
       R"(type = "text")",
       {{R"("\n")", ""}, {R"("]")", ""}, {R"("{\"a\":1}")", ""}, {R"("b")", ""}},
       {{"{}", "wrong_type"}},
       false,
       false,
       false,
       true},
      {Type::integer,
       R"(type = "integer")",
       {{"0", ""}, {"-1", ""}, {"5", ""}, {"12", ""}, {"5.0", "5"}, {"9223372036854775807", ""}},
       {{"1.5", "wrong_type"}, {R"("5")", "wrong_type"}, {"9223372036854775808", "out_of_range"}},
       true,
       true,
       true,
       true},
      {Type::decimal,
       R"(type = "decimal")",
       {{R"("0")", ""}, {R"("7.5")", ""}, {R"("7.50")", ""}, {R"("-0.001")", ""}, {"7", R"("7")"}, {R"("120")", ""}},
       {{"7.5", "wrong_type"}, {R"("x")", "wrong_type"}},
       true,
       true,
       true,
       false},
      {Type::number,
       R"(type = "double")",
       {{"0.5", ""}, {"-1e+30", ""}, {"3", ""}, {"3.0", "3"}, {"20.25", ""}},
       {{R"("3")", "wrong_type"}},
       true,
       false,
       true,
       false},
      {Type::boolean,
       R"(type = "boolean")",
       {{"true", ""}, {"false", ""}},
       {{"1", "wrong_type"}},
       false,
       true,
       true,
       false},
      {Type::date,
       R"(type = "date")",
       {{R"("2024-02-29")", ""}, {R"("0001-01-01")", ""}, {R"("2031-07-01")", ""}},
       {{R"("2023-02-29")", "wrong_type"}},
       true,
       true,
       true,
       true},
      {Type::timestamp,
       R"(type = "timestamp")",
       {{R"("2024-02-29T23:59:59.000001Z")", ""},
        {R"("0001-01-01T00:00:00.000000Z")", ""},
        {R"("2024-03-01T01:59:59.000001+02:00")", R"("2024-02-29T23:59:59.000001Z")"}},
       {{R"("2024-02-29")", "wrong_type"}},
       true,
       true,
       true,
       true},
      {Type::uuid,
       R"(type = "uuid")",
       {{R"("00000000-0000-0000-0000-000000000000")", ""},
        {R"("0192e4a0-7a3c-7def-8123-456789abcdef")", ""},
        {R"("0192E4A0-7A3C-7DEF-8123-456789ABCDEF")", R"("0192e4a0-7a3c-7def-8123-456789abcdef")"}},
       {{R"("0192e4a0")", "wrong_type"}},
       true,
       true,
       true,
       true},
      choice_page(),
      {Type::json,
       R"(type = "json")",
       {{"[]", ""},
        {R"({"a":[1,{"b":null}]})", ""},
        {R"({"c":{"d":1},"a":2})", ""},
        {R"({"a":2,"c":{"d":1.0}})", ""},
        {R"({"a":null})", ""},
        {R"("text")", ""}},
       {},
       false,
       false,
       false,
       false},
      {Type::list,
       R"(type = "list", of = "integer")",
       {{"[]", ""}, {"[1,2]", ""}, {"[2,1,2]", ""}},
       {{"{}", "wrong_type"}, {"7", "wrong_type"}},
       false,
       false,
       false,
       false},
  };
}

std::vector<TypePage> finished_pages() {
  std::vector<TypePage> pages = type_pages();
  for (TypePage& page : pages) {
    for (Sample& sample : page.good) {
      if (sample.shown.empty()) sample.shown = sample.sent;
    }
  }
  return pages;
}

std::size_t characters_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char one) { return (one & 0xC0) != 0x80; }));
}

Rule any_rule(Dice& dice, const FieldShape& field) {
  Rule rule;
  if (field.references || chance(dice, 1, 2)) return rule;
  const TypePage& page = page_of(field.type);
  const bool is_text = field.type == Type::string || field.type == Type::text;
  const bool has_extremes = page.has_range && !is_text && field.type != Type::uuid;
  const auto kind = static_cast<Rule::Kind>(1 + dice.below(5));
  switch (kind) {
    case Rule::Kind::length:
      if (!is_text && field.type != Type::list) return rule;
      rule.least = dice.below(2);
      rule.most = 1 + dice.below(2);
      break;
    case Rule::Kind::min:
    case Rule::Kind::max:
      if (!has_extremes) return rule;
      rule.values = {any_of(dice, page.good)};
      break;
    case Rule::Kind::pattern:
      if (!is_text) return rule;
      rule.capitals = chance(dice, 1, 3);
      break;
    default:
      if (field.secret || field.made != Made::no || (!page.has_range && field.type != Type::string)) return rule;
      // Three that are not equal.
      for (const Sample& sample : page.good) {
        const auto is_equal = [&](const Sample& other) {
          const Json one = json_of(sample.shown);
          const Json two = json_of(other.shown);
          return field.type == Type::decimal ? one.worth() == two.worth() : same(one, two);
        };
        if (rule.values.size() < 3 && chance(dice, 2, 3) && std::ranges::none_of(rule.values, is_equal))
          rule.values.push_back(sample);
      }
      if (rule.values.empty()) return rule;
  }
  rule.kind = kind;
  return rule;
}

std::optional<Sample> any_default(Dice& dice, const FieldShape& field) {
  if (field.secret || field.references || field.type == Type::json) return std::nullopt;
  Sample sample = any_of(dice, page_of(field.type).good);
  if (sample.sent.contains("\\")) return std::nullopt;
  if (broken_rule(field.rule, field.type, json_of(sample.shown))) return std::nullopt;
  return sample;
}

void draw_default(Dice& dice, FieldShape& field) {
  field.otherwise.reset();
  field.made = Made::no;
  if (field.secret || field.references || !chance(dice, 1, 3)) return;
  const bool is_time = field.type == Type::timestamp || field.type == Type::date;
  const bool can_be_made = (is_time || field.type == Type::uuid) && field.rule.kind == Rule::Kind::none;
  if (can_be_made && chance(dice, 1, 2)) {
    field.made = is_time ? Made::now : Made::uuid;
  } else {
    field.otherwise = any_default(dice, field);
  }
}

void draw_indexes(Dice& dice, FieldShape& field) {
  const TypePage& page = page_of(field.type);
  field.indexed = field.bloom_filter = false;
  if (!field.shown()) return;
  field.indexed = page.can_be_indexed && chance(dice, 1, 3);
  field.bloom_filter = !field.indexed && !field.unique && page.can_have_filter && chance(dice, 1, 3);
}

FieldShape any_field(Dice& dice, const Shape& shape, ModelShape& model) {
  FieldShape field;
  field.name = "f" + std::to_string(model.names_given++);
  field.type = static_cast<Type>(dice.below(12));
  if (chance(dice, 1, 4)) {
    const std::size_t target = dice.below(shape.models.size());
    field.references = target;
    field.type = shape.models[target].key_type;
    field.on_delete = static_cast<OnDelete>(dice.below(3));
  }
  const TypePage& page = page_of(field.type);
  const bool is_text = field.type == Type::string || field.type == Type::text;
  field.secret = is_text && !field.references && chance(dice, 1, 6);
  field.exposed = field.secret || !chance(dice, 1, 8);
  field.unique = page.can_be_unique && !field.secret && chance(dice, 1, field.references ? 8 : 4);
  field.rule = any_rule(dice, field);
  draw_default(dice, field);
  field.required = !(field.references && field.on_delete == OnDelete::set_null) && chance(dice, 1, 5);
  if (chance(dice, 1, 3)) field.event = "F" + std::to_string(model.names_given) + "Changed";
  draw_indexes(dice, field);
  return field;
}

/// A computed field; nullopt when there is nothing to compute it from.
std::optional<FieldShape> any_computed(Dice& dice, ModelShape& model) {
  const FieldShape& source = any_of(dice, model.fields);
  if (source.secret || source.computed || source.type == Type::json || source.type == Type::list) return std::nullopt;
  FieldShape field;
  field.computed = Computed{static_cast<Computed::Way>(dice.below(3)), source.name};
  switch (field.computed->way) {
    case Computed::Way::is_null: field.type = Type::boolean; break;
    case Computed::Way::twice:
      if (source.type != Type::integer) return std::nullopt;
      field.type = Type::integer;
      if (chance(dice, 1, 2)) field.rule = {Rule::Kind::max, 0, 0, {{"12", "12"}}, false};
      break;
    case Computed::Way::as_text:
      if (source.type != Type::string && source.type != Type::choice && source.type != Type::integer)
        return std::nullopt;
      field.type = Type::string;
      break;
  }
  field.name = "c" + std::to_string(model.names_given++);
  field.exposed = source.shown() && !chance(dice, 1, 8);
  draw_indexes(dice, field);
  return field;
}

ModelShape any_model(Dice& dice, const Shape& shape, std::size_t place) {
  ModelShape model = shape.models[place];
  model.audited = chance(dice, 1, 2);
  model.versioned = chance(dice, 1, 4) ? 1 + dice.below(4) : 0;
  model.snapshots = chance(dice, 2, 3);
  model.memory_max = chance(dice, shape.large ? 2 : 1, 3);
  model.cached = chance(dice, 1, 3);
  FieldShape key;
  key.name = "id";
  key.type = model.key_type;
  key.primary_key = true;
  if (model.key_type == Type::uuid) key.made = Made::uuid;
  model.fields.push_back(key);
  if (shape.large && place == 0) {
    // More than fits memory_max.
    model.memory_max = true;
    FieldShape& text = model.fields.emplace_back();
    text.name = "large";
    text.type = Type::text;
  }
  for (std::uint64_t left = 1 + dice.below(6); left > 0; --left) model.fields.push_back(any_field(dice, shape, model));
  for (std::uint64_t left = dice.below(3); left > 0; --left) {
    if (auto field = any_computed(dice, model)) model.fields.push_back(*std::move(field));
  }
  return model;
}

bool is_source(const ModelShape& model, const std::string& name) {
  return std::ranges::any_of(model.fields,
                             [&](const FieldShape& one) { return one.computed && one.computed->of == name; });
}

void remove_field(ModelShape& model, std::size_t place) {
  const FieldShape gone = model.fields[place];
  std::erase_if(model.fields, [&](const FieldShape& one) {
    return one.name == gone.name || (one.computed && one.computed->of == gone.name);
  });
  if (gone.renamed_from.empty() && !gone.computed && !gone.carries_integers) model.retired.push_back(gone);
}

void rename_field(ModelShape& model, FieldShape& field) {
  if (field.secret || field.primary_key || field.computed) return;
  const std::string before = field.name;
  field.name = "f" + std::to_string(model.names_given++);
  field.renamed_from.push_back(before);
  for (FieldShape& one : model.fields) {
    if (one.computed && one.computed->of == before) one.computed->of = field.name;
  }
}

void change_type(Dice& dice, const ModelShape& model, FieldShape& field) {
  if (field.type != Type::integer || field.references || field.computed || is_source(model, field.name)) return;
  field.type = Type::string;
  field.rule = {};
  field.otherwise.reset();
  field.carries_integers = chance(dice, 3, 4);
}

void change_field(Dice& dice, ModelShape& model, std::size_t place) {
  FieldShape& field = model.fields[place];
  if (field.primary_key || field.computed) return;
  switch (dice.below(9)) {
    case 0: return remove_field(model, place);
    case 1: return rename_field(model, field);
    case 2: return change_type(dice, model, field);
    case 3:
      field.rule = field.made == Made::no ? any_rule(dice, field) : Rule{};
      if (field.otherwise && broken_rule(field.rule, field.type, json_of(field.otherwise->shown)))
        field.otherwise.reset();
      return;
    case 4:
      field.unique = !field.unique && page_of(field.type).can_be_unique && !field.secret;
      return draw_indexes(dice, field);
    case 5:
      if (field.secret) return;
      field.exposed = !field.exposed;
      draw_indexes(dice, field);
      for (FieldShape& one : model.fields) {
        if (!one.computed || one.computed->of != field.name) continue;
        one.exposed = field.exposed;
        draw_indexes(dice, one);
      }
      return;
    case 6: return draw_default(dice, field);
    case 7: field.required = !field.required && !(field.references && field.on_delete == OnDelete::set_null); return;
    default:
      field.event = field.event.empty() ? "N" + std::to_string(model.names_given) + "Changed" : "";
      if (field.references && !field.required) field.on_delete = static_cast<OnDelete>(dice.below(3));
  }
}

void change_model(Dice& dice, const Shape& shape, ModelShape& model) {
  switch (dice.below(10)) {
    case 0: model.audited = !model.audited; return;
    case 1: model.versioned = model.versioned == 0 ? 2 + dice.below(3) : 0; return;
    case 2: model.memory_max = !model.memory_max; return;
    case 3: model.fields.push_back(any_field(dice, shape, model)); return;
    case 4:
      if (auto field = any_computed(dice, model)) model.fields.push_back(*std::move(field));
      return;
    case 5:
      if (model.retired.empty()) return;
      model.fields.push_back(model.retired.back());
      return model.retired.pop_back();
    default: return change_field(dice, model, dice.below(model.fields.size()));
  }
}

// --- As text ---

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string rule_text(const Rule& rule) {
  switch (rule.kind) {
    case Rule::Kind::none: return "";
    case Rule::Kind::length:
      return ", length = [" + std::to_string(rule.least) + ", " + std::to_string(rule.most) + "]";
    case Rule::Kind::min: return ", min = " + rule.values.front().sent;
    case Rule::Kind::max: return ", max = " + rule.values.front().sent;
    case Rule::Kind::pattern: return rule.capitals ? ", pattern = \"[A-Z].*\"" : ", pattern = \"[a-z]*\"";
    case Rule::Kind::one_of: break;
  }
  std::string all;
  for (const Sample& sample : rule.values) all += (all.empty() ? "" : ", ") + sample.sent;
  return ", one_of = [" + all + "]";
}

std::string computed_text(const Computed& computed) {
  switch (computed.way) {
    case Computed::Way::is_null: return computed.of + " = null";
    case Computed::Way::twice: return computed.of + " * 2";
    case Computed::Way::as_text: break;
  }
  return "coalesce(string(" + computed.of + "), 'none')";
}

std::string field_text(const Shape& shape, const FieldShape& field) {
  std::string text = field.name + " = { " + page_of(field.type).declared;
  const auto flag = [&](bool is_set, const char* attribute) {
    if (is_set) text += std::string(", ") + attribute;
  };
  flag(field.primary_key, "primary_key = true");
  flag(field.required, "required = true");
  flag(field.unique, "unique = true");
  flag(field.indexed, "indexed = true");
  flag(field.bloom_filter, "bloom_filter = true");
  flag(!field.exposed, "exposed = false");
  flag(field.secret, "secret = true");
  flag(field.made == Made::now, "default = \"now\"");
  flag(field.made == Made::uuid && !field.primary_key, "default = \"uuid\"");
  flag(field.carries_integers, "upcast = \"string(value)\"");
  if (field.otherwise) text += ", default = " + field.otherwise->sent;
  text += rule_text(field.rule);
  if (!field.event.empty()) text += ", event = " + quoted(field.event);
  if (field.references) {
    static constexpr const char* words[] = {"restrict", "cascade", "set_null"};
    text += ", references = " + quoted(shape.models[*field.references].name);
    text += ", on_delete = " + quoted(words[static_cast<std::size_t>(field.on_delete)]);
  }
  std::string names;
  for (const std::string& name : field.renamed_from) names += (names.empty() ? "" : ", ") + quoted(name);
  if (!names.empty()) text += ", renamed_from = [" + names + "]";
  if (field.computed) text += ", computed = " + quoted(computed_text(*field.computed));
  return text + " }\n";
}

}  // namespace

bool chance(Dice& dice, std::uint64_t part, std::uint64_t whole) {
  return dice.below(whole) < part;
}

const TypePage& page_of(Type type) {
  static const std::vector<TypePage> pages = finished_pages();
  return pages[static_cast<std::size_t>(type)];
}

const FieldShape* ModelShape::field(const std::string& named) const {
  const auto found = std::ranges::find(fields, named, &FieldShape::name);
  return found == fields.end() ? nullptr : &*found;
}

const FieldShape* ModelShape::taker(const std::string& named) const {
  const FieldShape* found = field(named);
  for (const FieldShape& one : fields) {
    if (found == nullptr && std::ranges::find(one.renamed_from, named) != one.renamed_from.end()) found = &one;
  }
  return found && !found->computed ? found : nullptr;
}

const std::vector<std::string>& keys_of(Type type) {
  static const std::vector<std::string> texts{"a", "b", "k-1", "k/2 ä", "z", "z%", "zz", "10"};
  static const std::vector<std::string> numbers{"1", "2", "10", "-3", "11", "200", "0", "9"};
  static const std::vector<std::string> uuids{
      "0192e4a0-7a3c-7def-8123-456789abcde0", "0192e4a0-7a3c-7def-8123-456789abcde1",
      "0192e4a0-7a3c-7def-8123-456789abcde2", "0192e4a0-7a3c-7def-8123-456789abcde3",
      "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"};
  return type == Type::string ? texts : type == Type::integer ? numbers : uuids;
}

Json key_value(Type type, const std::string& key) {
  return type == Type::integer ? json_of(key) : json_text(key);
}

std::vector<Sample> Shape::samples(const FieldShape& field) const {
  std::vector<Sample> all;
  if (field.references || field.primary_key) {
    for (const std::string& key : keys_of(field.type)) {
      const std::string text = written(key_value(field.type, key));
      all.push_back({text, text});
    }
    return all;
  }
  all = page_of(field.type).good;
  if (large && field.type == Type::text) {
    for (const char letter : {'l', 'm'}) {
      const std::string text = quoted(std::string(large_bytes, letter));
      all.push_back({text, text});
    }
  }
  return all;
}

std::optional<std::string> broken_rule(const Rule& rule, Type type, const Json& value) {
  const auto operand = [&](std::size_t place) { return json_of(rule.values[place].shown); };
  // Dates and times are in the order of their texts; of numbers all are worth something.
  const bool by_text = type == Type::date || type == Type::timestamp;
  const auto less = [&](const Json& left, const Json& right) {
    return by_text ? left.text < right.text : left.worth() < right.worth();
  };
  switch (rule.kind) {
    case Rule::Kind::none: return std::nullopt;
    case Rule::Kind::length: {
      const std::size_t length = type == Type::list ? value.elements.size() : characters_in(value.text);
      if (length < rule.least) return "too_short";
      return length > rule.most ? std::optional<std::string>("too_long") : std::nullopt;
    }
    case Rule::Kind::min: return less(value, operand(0)) ? std::optional<std::string>("too_small") : std::nullopt;
    case Rule::Kind::max: return less(operand(0), value) ? std::optional<std::string>("too_large") : std::nullopt;
    case Rule::Kind::pattern: {
      const auto is_small = [](char one) { return one >= 'a' && one <= 'z'; };
      const bool begins_large = !value.text.empty() && value.text.front() >= 'A' && value.text.front() <= 'Z';
      const bool matches = rule.capitals ? begins_large : std::ranges::all_of(value.text, is_small);
      return matches ? std::nullopt : std::optional<std::string>("pattern_mismatch");
    }
    case Rule::Kind::one_of: break;
  }
  for (std::size_t place = 0; place < rule.values.size(); ++place) {
    const Json one = operand(place);
    if (type == Type::decimal ? one.worth() == value.worth() : same(one, value)) return std::nullopt;
  }
  return "not_one_of";
}

Shape any_shape(Dice& dice) {
  static const std::vector<std::string> names{"apple", "pear", "plum"};
  Shape shape;
  shape.large = chance(dice, 1, 6);
  for (std::uint64_t place = 0, count = 1 + dice.below(3); place < count; ++place) {
    ModelShape& model = shape.models.emplace_back();
    model.name = names[place];
    model.key_type = any_of(dice, std::vector<Type>{Type::string, Type::integer, Type::uuid});
  }
  for (std::size_t place = 0; place < shape.models.size(); ++place) shape.models[place] = any_model(dice, shape, place);
  return shape;
}

Shape changed_shape(Dice& dice, Shape shape) {
  for (std::uint64_t left = 1 + dice.below(3); left > 0; --left)
    change_model(dice, shape, shape.models[dice.below(shape.models.size())]);
  return shape;
}

std::string declaration_of(const Shape& shape) {
  std::string text;
  for (const ModelShape& model : shape.models) {
    text += "[model." + model.name + "]\npath = " + quoted(model.path()) + "\n";
    if (model.audited) text += "audited = true\n";
    if (model.versioned > 0) text += "versioned = " + std::to_string(model.versioned) + "\n";
    if (model.snapshots) text += "snapshot_every = 10\n";
    if (model.memory_max) text += "memory_max = \"1MiB\"\n";
    if (model.cached) text += "cache = \"60s\"\n";
    text += "[model." + model.name + ".fields]\n";
    for (const FieldShape& field : model.fields) text += field_text(shape, field);
  }
  return text;
}

}  // namespace annals::property
