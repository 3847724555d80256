#include "model/formula.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

#include "model/attribute.hpp"
#include "model/expression_values.hpp"

namespace annals::model {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> not_with_computed{{
    {"primary_key", "a key never changes, and what it is computed from may"},
    {"required", "whether it has a value follows from others"},
    {"default", "it is never without the value that follows from others"},
    {"unique", "nobody gives the value, so nobody could give another one"},
    {"secret", "it would be encrypted anew with every look"},
    {"renamed_from", "events have no values of it"},
    {"upcast", "events have no values of it"},
    {"references", "nobody gives the value, so nobody could give another one"},
    {"on_delete", "it refers to nothing"},
    {"event", "events do not tell of it"},
}};

using expression::Complaint;

/// What a formula may name.
std::vector<expression::Name> names_for(const Field& of, const std::vector<Field>& fields) {
  std::vector<expression::Name> names;
  for (const Field& field : fields) {
    const auto type = expression_type_of(field.type);
    expression::Name name{field.name, type.value_or(expression::Type::nothing)};
    if (field.name == of.name) {
      name.refusal = "is the field itself; it is computed from others";
    } else if (!type) {
      name.refusal = "is of type " + field.type_text() + ", which expressions know nothing of";
    } else if (field.secret) {
      name.refusal = "is secret; nothing is computed from it";
    } else if (!field.exposed && of.exposed) {
      name.refusal = "is not exposed; what is computed from it shows it, so say exposed = false here, too";
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<> check_company(const Field& field, const DeclaredMember& member) {
  for (const auto& [attribute, why] : not_with_computed) {
    if (const Declared* other = member.value.find(attribute))
      return refuse(other->place, std::string(attribute) + " does not go with computed: " + std::string(why));
  }
  if (expression_type_of(field.type)) return {};
  return refuse(member.value.find("type")->place,
                "\"" + field.name + "\" is computed, and no expression gives a " + field.type_text());
}

/// An order in which each is made before those that need it. Errors: usage, telling a circle.
class Ordering {
 public:
  Ordering(const std::vector<Field>& fields, std::function<const std::vector<std::size_t>&(std::size_t)> operands)
      : fields_(fields), operands_(std::move(operands)), seen_(fields.size()) {}

  /// The name of a field whose circle was found, and the circle; empty when there was none.
  [[nodiscard]] std::string visit(std::size_t place) {
    if (!fields_[place].computed || seen_[place] == Seen::done) return "";
    path_.push_back(place);
    if (seen_[place] == Seen::begun) {
      std::string circle;
      for (auto at = std::ranges::find(path_, place); at != path_.end(); ++at)
        circle.append(circle.empty() ? "" : " from ").append(fields_[*at].name);
      return circle;
    }
    seen_[place] = Seen::begun;
    for (const std::size_t operand : operands_(place)) {
      if (std::string circle = visit(operand); !circle.empty()) return circle;
    }
    path_.pop_back();
    seen_[place] = Seen::done;
    order_.push_back(place);
    return "";
  }
  [[nodiscard]] std::vector<std::size_t> order() const { return order_; }

 private:
  enum class Seen : std::uint8_t { no, begun, done };
  const std::vector<Field>& fields_;
  const std::function<const std::vector<std::size_t>&(std::size_t)> operands_;
  std::vector<Seen> seen_;
  std::vector<std::size_t> path_;
  std::vector<std::size_t> order_;
};

}  // namespace

Result<> read_formulas(std::vector<Field>& fields, const Declared& declared) {
  std::vector<std::shared_ptr<Formula>> formulas(fields.size());
  for (std::size_t place = 0; place < fields.size(); ++place) {
    Field& field = fields[place];
    if (field.computed_text.empty()) continue;
    const auto& member = *std::ranges::find(*declared.as<Declared::Table>(), field.name, &DeclaredMember::name);
    TRY(check_company(field, member));
    const Declared& text = *member.value.find("computed");
    const auto complain = [&](const Complaint& complaint) {
      return refuse_within(text, complaint.offset, "computed of \"" + field.name + "\": " + complaint.what);
    };
    const auto tree = expression::parse(field.computed_text);
    if (!tree) return complain(tree.error());
    auto checked = expression::Expression::check(*tree, names_for(field, fields));
    if (!checked) return complain(checked.error());
    if (!gives(checked->type(), field.type) || checked->type() == expression::Type::nothing) {
      return complain({0, "it gives " + std::string(to_string(checked->type())) + ", and the field is of type " +
                              field.type_text()});
    }
    formulas[place] = std::make_shared<Formula>();
    formulas[place]->operands_ = checked->names();  // which are in the order of the fields
    formulas[place]->expression_ = *std::move(checked);
    field.computed = formulas[place];
  }
  Ordering ordering(fields, [&](std::size_t place) -> const auto& { return formulas[place]->operands_; });
  for (std::size_t place = 0; place < fields.size(); ++place) {
    if (const std::string circle = ordering.visit(place); !circle.empty()) {
      const Declared& text = *declared.find(fields[place].name)->find("computed");
      return refuse(text.place, "computed goes in a circle: " + circle);
    }
  }
  const auto order = std::make_shared<const std::vector<std::size_t>>(ordering.order());
  for (const std::size_t place : *order) {
    std::set<std::size_t> sources;
    for (const std::size_t operand : formulas[place]->operands_) {
      if (formulas[operand]) {
        sources.insert(formulas[operand]->sources_.begin(), formulas[operand]->sources_.end());
      } else {
        sources.insert(operand);
      }
    }
    formulas[place]->sources_.assign(sources.begin(), sources.end());
    formulas[place]->order_ = order;
  }
  return {};
}

/// What it takes to make the values of one record.
struct Computing {
  const Model& model;
  std::vector<std::string_view>& values;
  Computed result{};
  std::vector<std::string> unescaped{};
  std::vector<expression::Value> operands{};

  [[nodiscard]] static const std::vector<std::size_t>& order_of(const Model& model) {
    static const std::vector<std::size_t> none;
    for (const Field& field : model.fields) {
      if (field.computed) return *field.computed->order_;
    }
    return none;
  }

  void fail(std::size_t place, std::string code, std::string detail) {
    result.failures.push_back({place, std::move(code), std::move(detail)});
  }

  /// Null when it cannot be made.
  FieldValue value_of(std::size_t place) {
    const Field& field = model.fields[place];
    const Formula& formula = *field.computed;
    operands.clear();
    unescaped.clear();
    unescaped.reserve(formula.operands_.size());
    for (const std::size_t operand : formula.operands_) {
      const auto value = expression_value(model.fields[operand], values[operand], unescaped);
      if (!value) {
        fail(place, "not_computable", value.error().message);
        return {};
      }
      operands.push_back(*value);
    }
    expression::Scratch scratch;
    const expression::Outcome outcome = formula.expression_.evaluate(operands, scratch);
    if (!outcome) {
      fail(place, "not_computable", "it is computed, and has no value: " + std::string(outcome.error().what));
      return {};
    }
    auto value = field_value(field, *outcome);
    if (!value || value->is_null()) {
      if (!value) fail(place, value.error().code, "it is computed: " + value.error().message);
      return {};
    }
    if (const auto good = check_value(field, *value); !good) {
      fail(place, good.error().code, "it is computed: " + good.error().message);
      return {};
    }
    return *std::move(value);
  }
};

bool has_formulas(const Model& model) {
  return std::ranges::any_of(model.fields, [](const Field& field) { return field.computed != nullptr; });
}

Computed compute(const Model& model, std::vector<std::string_view>& values) {
  const std::vector<std::size_t>& order = Computing::order_of(model);
  if (order.empty()) return {};
  Computing computing{model, values};
  computing.result.texts.reserve(order.size());  // so that none moves
  std::size_t bytes = 0;
  for (const std::size_t place : order) {
    const FieldValue value = computing.value_of(place);
    std::string text = to_json(value);
    if (!value.is_null()) bytes += text.size();
    if (!value.is_null() && bytes > computed_bytes_max) {
      bytes -= text.size();
      computing.fail(place, "not_computable",
                     "it is computed, and has no value: with it the values that are computed for the record would have "
                     "more than " +
                         std::to_string(computed_bytes_max >> 20) + " MiB");
      text = to_json(FieldValue{});
    }
    values[place] = computing.result.texts.emplace_back(std::move(text));
  }
  return std::move(computing.result);
}

}  // namespace annals::model
