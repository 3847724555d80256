#include "tests/property/lists.hpp"

#include <algorithm>

#include "base/instant.hpp"
#include "http/request.hpp"

namespace annals::property {
namespace {

/// Below zero, zero, or above it; null comes before all.
int order_of(const FieldShape& field, const Json& left, const Json& right) {
  if (left.is_null() || right.is_null()) return static_cast<int>(right.is_null()) - static_cast<int>(left.is_null());
  const bool by_worth = field.type == Type::integer || field.type == Type::decimal || field.type == Type::number ||
                        field.type == Type::boolean;
  if (!by_worth) return left.text.compare(right.text);
  return left.worth() < right.worth() ? -1 : left.worth() > right.worth() ? 1 : 0;
}

bool is_same_as(const FieldShape& field, const Json& value, const Json& operand) {
  if (operand.is_null()) return value.is_null() || (value.kind == Json::Kind::text && value.text.empty());
  return !value.is_null() && same_value(field, value, operand);
}

bool passes(const FieldShape& field, const FilterShape& filter, const Json& value) {
  const auto is_one = [&](const Json& operand) { return is_same_as(field, value, operand); };
  const std::string& word = filter.word;
  if (word == "eq" || word == "in") return std::ranges::any_of(filter.operands, is_one);
  if (word == "ne") return !is_one(filter.operands.front());
  if (value.is_null()) return false;
  const Json& operand = filter.operands.front();
  if (word == "prefix") return value.text.starts_with(operand.text);
  if (word == "contains" && field.type != Type::list) return value.text.contains(operand.text);
  if (word == "contains")
    return std::ranges::any_of(value.elements, [&](const Json& element) { return same(element, operand); });
  const int order = order_of(field, value, operand);
  return word == "gt" ? order > 0 : word == "gte" ? order >= 0 : word == "lt" ? order < 0 : order <= 0;
}

/// A value as it stands in a query.
std::string bare(const Sample& sample) {
  const Json value = json_of(sample.sent);
  return value.kind == Json::Kind::boolean ? sample.sent : value.text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char character : text) {
    if (character == ',' || character == '\\') out += '\\';
    out += character;
  }
  return out;
}

FilterShape any_filter(Dice& dice, const Shape& shape, const FieldShape& field) {
  FilterShape filter{field.name, "eq", {Json{}}, ""};
  const TypePage& page = page_of(field.type);
  const bool is_text = field.type == Type::string || field.type == Type::text;
  const bool is_compared = field.type != Type::json && field.type != Type::list;
  std::vector<Sample> samples;
  for (const Sample& sample : shape.samples(field)) {
    if (sample.sent.size() < 100) samples.push_back(sample);
  }
  if (chance(dice, 1, 6) || field.type == Type::json) {
    if (chance(dice, 1, 2)) filter.word = "ne";
    return filter;
  }
  if (field.type == Type::list) return {field.name, "contains", {json_of("2")}, "2"};
  const Sample& sample = any_of(dice, samples);
  filter.operands = {json_of(sample.shown)};
  filter.text = bare(sample);
  if (filter.text.empty()) filter.operands = {Json{}};
  std::vector<std::string> words{"eq", "eq", "ne"};
  if (is_compared) words.insert(words.end(), {"in", "in"});
  if (page.has_range && !filter.text.empty()) words.insert(words.end(), {"gt", "gte", "lt", "lte"});
  if (is_text && !filter.text.empty()) words.insert(words.end(), {"prefix", "contains"});
  filter.word = any_of(dice, words);
  if (filter.word != "in") return filter;
  filter.text = escaped(filter.text);
  for (std::uint64_t left = dice.below(3); left > 0; --left) {
    const Sample& other = any_of(dice, samples);
    filter.operands.push_back(bare(other).empty() ? Json{} : json_of(other.shown));
    filter.text += "," + escaped(bare(other));
  }
  return filter;
}

std::string word_with(const FilterShape& filter) {
  return filter.field + (filter.word == "eq" ? "" : "%5B" + filter.word + "%5D") + "=" +
         http::percent_encode(filter.text);
}

}  // namespace

std::string ListShape::query() const {
  std::string text = "limit=" + std::to_string(limit);
  for (const FilterShape& filter : filters) text += "&" + word_with(filter);
  std::string names;
  for (const SortShape& one : sort)
    names += (names.empty() ? "" : ",") + std::string(one.downwards ? "-" : "") + one.field;
  if (!names.empty()) text += "&sort=" + names;
  names.clear();
  for (const std::string& one : fields) names += (names.empty() ? "" : ",") + one;
  if (!names.empty()) text += "&fields=" + names;
  if (count) text += "&count=true";
  if (explain) text += "&explain=true";
  if (moment) text += "&at=" + Instant{*moment}.to_text();
  return text;
}

ListShape any_list(Dice& dice, const Reference& reference) {
  ListShape list;
  list.model = dice.below(reference.shape().models.size());
  std::vector<FieldShape> shown;
  for (const FieldShape& field : reference.model(list.model).fields) {
    if (field.shown()) shown.push_back(field);
  }
  for (std::uint64_t left = dice.below(3); left > 0; --left) {
    FilterShape filter = any_filter(dice, reference.shape(), any_of(dice, shown));
    const bool is_there = std::ranges::any_of(list.filters, [&](const FilterShape& one) {
      return one.field == filter.field && one.word == filter.word;  // no parameter is given twice
    });
    if (!is_there) list.filters.push_back(std::move(filter));
  }
  for (std::uint64_t left = dice.below(3); left > 0; --left) {
    const FieldShape& field = any_of(dice, shown);
    const bool is_there = std::ranges::find(list.sort, field.name, &SortShape::field) != list.sort.end();
    if (page_of(field.type).can_be_indexed && !is_there) list.sort.push_back({field.name, chance(dice, 1, 2)});
  }
  for (const FieldShape& field : shown) {
    if (chance(dice, 1, 8)) list.fields.push_back(field.name);
  }
  list.limit = chance(dice, 1, 2) ? 1 + dice.below(4) : 100;
  list.count = chance(dice, 1, 4);
  list.explain = chance(dice, 1, 4);
  return list;
}

ListAnswer rows_of(const Reference& reference, const ListShape& list) {
  ListAnswer answer;
  const ModelShape& model = reference.model(list.model);
  for (const std::string& key : reference.keys(list.model)) {
    const Place place{list.model, key};
    const std::uint64_t version =
        list.moment ? reference.version_at(place, *list.moment) : reference.events(place).size();
    const State state = reference.at_version(place, version);
    const bool is_held_back = list.moment && version < reference.first_shown(place);
    answer.may_be_refused = answer.may_be_refused || is_held_back;
    answer.must_be_refused = answer.must_be_refused || (is_held_back && state.values && list.filters.empty());
    if (!state.values) continue;
    const auto value = [&](const std::string& name) {
      return reference.value_of(list.model, *state.values, *model.field(name));
    };
    const bool is_in = std::ranges::all_of(list.filters, [&](const FilterShape& filter) {
      return passes(*model.field(filter.field), filter, value(filter.field));
    });
    if (!is_in) continue;
    ListRow row{{}, key, reference.shown(list.model, *state.values)};
    for (const SortShape& one : list.sort) row.order.push_back(value(one.field));
    if (!list.fields.empty())
      std::erase_if(row.shown.members, [&](const auto& member) {
        return std::ranges::find(list.fields, member.first) == list.fields.end();
      });
    answer.rows.push_back(std::move(row));
  }
  std::ranges::sort(answer.rows,
                    [&](const ListRow& one, const ListRow& other) { return is_behind(reference, list, other, one); });
  return answer;
}

bool is_behind(const Reference& reference, const ListShape& list, const ListRow& row, const ListRow& other) {
  for (std::size_t place = 0; place < list.sort.size(); ++place) {
    const FieldShape& field = *reference.model(list.model).field(list.sort[place].field);
    const int order = order_of(field, row.order[place], other.order[place]);
    if (order != 0) return list.sort[place].downwards ? order < 0 : order > 0;
  }
  return row.key > other.key;
}

}  // namespace annals::property
