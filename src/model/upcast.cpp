#include "model/upcast.hpp"

#include <array>
#include <optional>

#include "base/did_you_mean.hpp"
#include "model/expression_values.hpp"
#include "model/secret_cipher.hpp"

namespace annals::model {
namespace {

using expression::Expression;

/// The types that JSON itself tells apart.
constexpr std::array types_of_json{FieldType::text, FieldType::boolean, FieldType::integer, FieldType::number};

std::expected<Expression, expression::Complaint> checked(const expression::Node& tree, const Field& field,
                                                         FieldType former) {
  const std::array names{expression::Name{"value", *expression_type_of(former)}};
  auto expression = Expression::check(tree, names);
  if (expression && !gives(expression->type(), field.type)) {
    return std::unexpected(expression::Complaint{0, "it gives " + std::string(to_string(expression->type())) +
                                                        ", and the field is of type " + field.type_text()});
  }
  return expression;
}

Result<FieldType> former_type(const DeclaredMember& member) {
  const auto type = field_type_of(member.name);
  if (type && expression_type_of(*type)) return *type;
  std::vector<std::string> names;
  for (const FieldTypeLine& line : field_types()) {
    if (expression_type_of(line.type)) names.emplace_back(line.name);
  }
  return refuse(member.place, type
                                  ? "values of type " + member.name + " are carried into no other"
                                  : "\"" + member.name + "\" is no type of a field" + did_you_mean(member.name, names));
}

Result<expression::Node> parsed(const Field& field, const Declared& text) {
  const auto* source = text.as<std::string>();
  if (source == nullptr)
    return refuse(text.place,
                  "upcast is an expression in quotes, such as \"integer(value)\", or a table of them by type");
  auto tree = expression::parse(*source);
  if (!tree) return refuse_within(text, tree.error().offset, "upcast of \"" + field.name + "\": " + tree.error().what);
  return *std::move(tree);
}

}  // namespace

Result<Upcast> Upcast::read(const Field& field, const Declared& declared) {
  Upcast upcast;
  append_json(upcast.text_, declared);
  const auto complain = [&](const Declared& text, const expression::Complaint& complaint) {
    return refuse_within(text, complaint.offset, "upcast of \"" + field.name + "\": " + complaint.what);
  };
  if (const auto* table = declared.as<Declared::Table>()) {
    if (table->empty()) return refuse(declared.place, "upcast is an empty table; leave it out");
    for (const DeclaredMember& member : *table) {
      const FieldType former = TRY(former_type(member));
      auto expression = checked(TRY(parsed(field, member.value)), field, former);
      if (!expression) return complain(member.value, expression.error());
      upcast.ways_.push_back({former, *std::move(expression)});
    }
    return upcast;
  }
  const expression::Node tree = TRY(parsed(field, declared));
  std::optional<expression::Complaint> first;
  for (const FieldType former : types_of_json) {
    auto expression = checked(tree, field, former);
    if (expression) {
      upcast.ways_.push_back({former, *std::move(expression)});
    } else if (!first) {
      first = std::move(expression).error();
    }
  }
  if (upcast.ways_.empty()) return complain(declared, *first);
  return upcast;
}

Result<FieldValue> Upcast::carry(const Field& field, const json::Value& recorded) const {
  if (const auto* text = std::get_if<std::string_view>(&recorded); text && read_sealed(*text))
    return fail(ErrorKind::unprocessable, "an encrypted value is carried into no other");
  std::string why = "none of its types is that of the value";
  for (const Way& way : ways_) {
    Field former;
    former.name = field.name;
    former.type = way.former == FieldType::choice ? FieldType::text : way.former;
    const auto value = value_from_json(former, recorded);
    if (!value) continue;
    const std::array operand{expression_value(*value)};
    expression::Scratch scratch;
    const std::span<const expression::Value> operands(operand.data(), way.expression.names().size());
    const expression::Outcome outcome = way.expression.evaluate(operands, scratch);
    if (!outcome) {
      why = outcome.error().what;
      continue;
    }
    auto carried = field_value(field, *outcome);
    if (carried) return carried;
    why = "what it gives is not of the field's type: " + carried.error().message;
  }
  return fail(ErrorKind::unprocessable, why);
}

}  // namespace annals::model
