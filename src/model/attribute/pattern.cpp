#include <re2/re2.h>

#include "model/attribute/declared_value.hpp"

namespace annals::model {

class Pattern : public re2::RE2 {
 public:
  using re2::RE2::RE2;
};

namespace {

/// Time grows with the text's length alone, whatever the expression; memory is bounded.
re2::RE2::Options pattern_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

}  // namespace

extern const Attribute pattern_attribute;
const Attribute pattern_attribute{
    .name = "pattern",
    .sentence = "A regular expression (RE2's syntax) that the whole text must match.",
    .accepted = R"({ type = "string", pattern = "[A-Z]{3}-[0-9]+" })",
    .takes = R"("ABC-12")",
    .does_not_take = R"("xABC-12")",
    .refused = R"({ type = "string", pattern = "[A-Z" })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "pattern", {FieldType::string, FieldType::text}));
      const auto* text = value.as<std::string>();
      if (text == nullptr) return refuse(value.place, "pattern is a regular expression in quotes");
      auto pattern = std::make_shared<const Pattern>(*text, pattern_options());
      if (!pattern->ok()) return refuse(value.place, "pattern is no regular expression: " + pattern->error());
      field.pattern = std::move(pattern);
      field.pattern_text = *text;
      return {};
    },
    .check = [](const Field& field, const FieldValue& value) -> Result<> {
      const auto* text = value.as<std::string>();
      if (!field.pattern || !text || re2::RE2::FullMatch(*text, *field.pattern)) return {};
      return fail(ErrorKind::unprocessable, "pattern_mismatch",
                  shown(field, value) + " does not match the pattern " + field.pattern_text);
    },
};

}  // namespace annals::model
