// A parameter of a list, NAME=VALUE as it is after percent-decoding: filters and sorts mean something for every record,
// and a cursor is what was given out for the same order.

#include "base/invariant.hpp"
#include "model/list_order.hpp"
#include "model/test_model.hpp"
#include "model/value_order.hpp"

namespace {

using namespace annals;
using namespace annals::model;

const Model& thing() {
  static const Model model = declared_model(R"(
[model.thing]
path = "/things"
[model.thing.fields]
id      = { type = "string", primary_key = true }
name    = { type = "string" }
note    = { type = "text" }
count   = { type = "integer" }
price   = { type = "decimal" }
weight  = { type = "double" }
sold    = { type = "boolean" }
day     = { type = "date" }
made_at = { type = "timestamp" }
owner   = { type = "uuid" }
state   = { type = "enum", values = ["draft", "sold"] }
extra   = { type = "json" }
tags    = { type = "list", of = "string" }
)");
  return model;
}

/// Values of each field, as records have them.
constexpr std::string_view records[] = {
    R"({"id":"a","name":"lamp","note":"a\nb","count":-3,"price":"7.50","weight":0.5,"sold":true,"day":"2024-02-29",)"
    R"("made_at":"2024-02-29T10:00:00.000000Z","owner":"0192e4a0-7a3c-7def-8123-456789abcdef","state":"sold",)"
    R"("extra":{"a":1},"tags":["red"]})",
    R"({"id":"b","name":"","note":null,"count":null,"price":null,"weight":null,"sold":null,"day":null,"made_at":null,)"
    R"("owner":null,"state":null,"extra":null,"tags":null})",
};

void check_filter(const Filter& filter, bool eq) {
  const Field& field = thing().fields[filter.field];
  Filter opposite = filter;
  opposite.operation = Operator::ne;
  for (const std::string_view record : records) {
    ListQuery query;
    query.filters = {filter};
    if (has_order(field.type)) query.sort = {{filter.field, false}};
    ListLook look(thing(), query);
    const bool found = look.passes(record).value();
    const auto place = look.place("k");
    INVARIANT(place.has_value() && place->key() == "k", "a record has a place");
    if (eq) {
      query.filters = {opposite};
      INVARIANT(ListLook(thing(), query).passes(record).value() != found, "ne finds what eq does not");
    }
    if (!found || !has_range(field.type) || filter.operands.front().is_null()) continue;
    const std::string value = place->first_order(query.sort);
    const std::string operand = order_of(field.type, filter.operands.front());
    if (filter.operation == Operator::gt || filter.operation == Operator::gte)
      INVARIANT(value >= operand, "what is greater has the greater bytes");
    if (filter.operation == Operator::lt || filter.operation == Operator::lte)
      INVARIANT(value <= operand, "what is less has the lesser bytes");
    if (filter.operation == Operator::eq) INVARIANT(value == operand, "what is equal has the same bytes");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = text.substr(std::min(equals + 1, text.size()));
  if (const auto filter = read_filter(thing(), name, value, {})) {
    check_filter(*filter, filter->operation == Operator::eq);
  } else {
    INVARIANT(filter.error().kind == ErrorKind::invalid && !filter.error().message.empty(), "a refusal says why");
  }
  const Sort by_price{{4, true}};
  if (const auto sort = read_sort(thing(), value)) {
    INVARIANT(!sort->empty() && sort->size() <= sort_keys_max, "a sort names some fields");
    const ListQuery query{.filters = {}, .sort = *sort, .after = {}};
    ListLook look(thing(), query);
    INVARIANT(look.passes(records[0]).value(), "there is no filter");
    const ListPlace place = look.place("a").value();
    const auto again = place_from_bytes(thing(), *sort, place_to_bytes(thing(), *sort, place));
    INVARIANT(again && again->bytes == place.bytes && again->key() == "a", "a cursor comes back");
    INVARIANT(*sort == by_price || !place_from_bytes(thing(), by_price, place_to_bytes(thing(), *sort, place)),
              "a cursor holds for its own order");
  }
  if (const auto place = place_from_bytes(thing(), by_price, text))
    INVARIANT(place_to_bytes(thing(), by_price, *place) == text, "a place has one form");
  return 0;
}
