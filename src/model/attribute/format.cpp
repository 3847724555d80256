#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/did_you_mean.hpp"
#include "model/attribute/declared_value.hpp"

namespace annals::model {
namespace {

/// Of a name in the domain name system, as text (RFC 1035, section 2.3.4; RFC 1123, section 2.1).
constexpr std::size_t host_bytes_max = 253;
/// Of a path in SMTP, without its brackets (RFC 5321, section 4.5.3.1.3).
constexpr std::size_t email_bytes_max = 254;

struct Format {
  std::string_view name;
  const char* expression;
  /// What no expression says well, of a text that matches it; null where it says all.
  bool (*holds)(std::string_view text) = nullptr;
};

bool is_host(std::string_view text) {
  return text.size() <= host_bytes_max;
}

bool is_ipv4(std::string_view text);

/// How many of its eight groups the part of an IPv6 address has that lies on one side of `::`; nullopt when it is none.
/// Only the last part may end with the last 32 bits written as an IPv4 address.
std::optional<std::size_t> ipv6_groups(std::string_view part, bool is_last) {
  std::size_t groups = 0;
  while (!part.empty()) {
    const std::size_t end = part.find(':');
    const std::string_view group = part.substr(0, end);
    if (group.contains('.'))
      return is_last && end == part.npos && is_ipv4(group) ? std::optional(groups + 2) : std::nullopt;
    if (group.empty() || group.size() > 4) return std::nullopt;  // of hexadecimal digits, as the expression says
    ++groups;
    if (end == part.npos) break;
    part.remove_prefix(end + 1);
    if (part.empty()) return std::nullopt;
  }
  return groups;
}

/// RFC 4291, section 2.2.
bool is_ipv6(std::string_view text) {
  constexpr std::size_t all = 8;
  const std::size_t gap = text.find("::");
  if (gap == text.npos) return ipv6_groups(text, true) == all;
  const auto before = ipv6_groups(text.substr(0, gap), false);
  const auto after = ipv6_groups(text.substr(gap + 2), true);
  return before && after && *before + *after < all;
}

/// Whether host and port are such, behind a scheme.
bool is_url(std::string_view text) {
  std::string_view host = text.substr(text.find("//") + 2);
  host = host.substr(0, host.find_first_of("/?#"));
  const bool is_literal = host.starts_with('[');
  const std::size_t colon = host.find(':', is_literal ? host.find(']') : 0);
  if (colon != host.npos) {
    constexpr unsigned port_max = 65535;
    unsigned port = 0;
    for (const char digit : host.substr(colon + 1)) port = port * 10 + static_cast<unsigned>(digit - '0');
    if (port > port_max) return false;
    host = host.substr(0, colon);
  }
  return is_literal ? is_ipv6(host.substr(1, host.size() - 2)) : is_host(host);
}

bool is_email(std::string_view text) {
  return text.size() <= email_bytes_max;
}

#define ANNALS_LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define ANNALS_OCTET "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define ANNALS_HOST ANNALS_LABEL "(?:\\." ANNALS_LABEL ")*"
constexpr std::array formats{
    // RFC 5321 without quoted local parts and without addresses in brackets, as HTML's input fields take them.
    Format{"email", "[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@" ANNALS_HOST, is_email},
    // RFC 3986, of the web: a scheme, a host, and what else there is without blanks.
    Format{"url", "https?://(?:" ANNALS_HOST "|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?(?:[/?#][^\\s\"<>\\\\^`{|}]*)?",
           is_url},
    Format{"hostname", ANNALS_HOST, is_host},
    Format{"ipv4", ANNALS_OCTET "(?:\\." ANNALS_OCTET "){3}"},
    Format{"slug", "[a-z0-9]+(?:-[a-z0-9]+)*"},
};
#undef ANNALS_OCTET
#undef ANNALS_HOST
#undef ANNALS_LABEL

const re2::RE2& expression_of(const Format& format) {
  static const auto compiled = [] {
    std::array<std::unique_ptr<re2::RE2>, formats.size()> all;
    for (std::size_t place = 0; place < formats.size(); ++place)
      all[place] = std::make_unique<re2::RE2>(formats[place].expression);
    return all;
  }();
  return *compiled[static_cast<std::size_t>(&format - formats.data())];
}

bool is_of(std::string_view name, std::string_view text) {
  const Format& format = *std::ranges::find(formats, name, &Format::name);
  return re2::RE2::FullMatch(text, expression_of(format)) && (format.holds == nullptr || format.holds(text));
}

bool is_ipv4(std::string_view text) {
  return is_of("ipv4", text);
}

}  // namespace

extern const Attribute format_attribute;
const Attribute format_attribute{
    .name = "format",
    .sentence =
        "What the text must look like: `email` (up to 254 characters), `url` (http or https; with a port up to 65535), "
        "`hostname` (up to 253, its labels up to 63), `ipv4` or `slug`.",
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
      if (field.format.empty() || !text || is_of(field.format, *text)) return {};
      return fail(ErrorKind::unprocessable, "format_mismatch", shown(field, value) + " is no " + field.format);
    },
};

}  // namespace annals::model
