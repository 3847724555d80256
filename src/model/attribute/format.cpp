#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/did_you_mean.hpp"
#include "model/attribute/declared_value.hpp"

namespace annals::model {
namespace {

struct Format {
  std::string_view name;
  const char* expression;
};

#define ANNALS_LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define ANNALS_OCTET "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define ANNALS_HOST ANNALS_LABEL "(?:\\." ANNALS_LABEL ")*"
constexpr std::array formats{
    // RFC 5321 without quoted local parts and without addresses in brackets, as HTML's input fields take them.
    Format{"email", "[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@" ANNALS_HOST},
    // RFC 3986, of the web: a scheme, a host, and what else there is without blanks.
    Format{"url", "https?://(?:" ANNALS_HOST "|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?(?:[/?#][^\\s\"<>\\\\^`{|}]*)?"},
    Format{"hostname", ANNALS_HOST},
    Format{"ipv4", ANNALS_OCTET "(?:\\." ANNALS_OCTET "){3}"},
    Format{"slug", "[a-z0-9]+(?:-[a-z0-9]+)*"},
};
#undef ANNALS_OCTET
#undef ANNALS_HOST
#undef ANNALS_LABEL

const re2::RE2& expression_of(std::string_view name) {
  static const auto compiled = [] {
    std::array<std::unique_ptr<re2::RE2>, formats.size()> all;
    for (std::size_t place = 0; place < formats.size(); ++place)
      all[place] = std::make_unique<re2::RE2>(formats[place].expression);
    return all;
  }();
  const auto format = std::ranges::find(formats, name, &Format::name);
  return *compiled[static_cast<std::size_t>(format - formats.begin())];
}

}  // namespace

extern const Attribute format_attribute;
const Attribute format_attribute{
    .name = "format",
    .sentence = "What the text must look like: `email`, `url` (http or https), `hostname`, `ipv4` or `slug`.",
    .accepted = R"({ type = "string", format = "email" })",
    .takes = R"("ada@example.org")",
    .does_not_take = R"("ada@")",
    .refused = R"({ type = "string", format = "emial" })",
    .declare = [](Field& field, const Declared& value) -> Result<> {
      TRY(suits(field, value, "format", {FieldType::string}));
      const auto* text = value.as<std::string>();
      std::vector<std::string> names;
      for (const Format& format : formats) names.emplace_back(format.name);
      if (text == nullptr || std::ranges::find(names, *text) == names.end()) {
        std::string all;
        for (const std::string& name : names) all.append(all.empty() ? "" : ", ").append(name);
        return refuse(value.place, "format is one of " + all + (text ? did_you_mean(*text, names) : ""));
      }
      field.format = *text;
      return {};
    },
    .check = [](const Field& field, const FieldValue& value) -> Result<> {
      const auto* text = value.as<std::string>();
      if (field.format.empty() || !text || re2::RE2::FullMatch(*text, expression_of(field.format))) return {};
      return fail(ErrorKind::unprocessable, "format_mismatch", shown(field, value) + " is no " + field.format);
    },
};

}  // namespace annals::model
