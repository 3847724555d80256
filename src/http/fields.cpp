#include "http/fields.hpp"

#include <algorithm>

#include "http/characters.hpp"

namespace annals::http {
namespace {

constexpr std::string_view json_tag_suffix = "-json";
constexpr std::size_t mark_digits = 8;  // of a declaration

/// Takes the next piece up to `separator` outside of quoted strings off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t place = 0;
  for (; place < rest.size(); ++place) {
    const char character = rest[place];
    if (quoted && character == '\\') {
      ++place;
    } else if (character == '"') {
      quoted = !quoted;
    } else if (character == separator && !quoted) {
      break;
    }
  }
  const std::string_view piece = rest.substr(0, place);
  rest.remove_prefix(std::min(place + 1, rest.size()));
  return trim(piece);
}

/// `0`, `0.5`, `1.000` in thousandths; nullopt for what is no qvalue.
std::optional<int> quality_from_text(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int quality = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int unit = 100;
  for (char digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    quality += (digit - '0') * unit;
    unit /= 10;
  }
  return quality <= 1000 ? std::optional(quality) : std::nullopt;
}

struct Range {
  std::string_view type;
  std::string_view subtype;
  int quality = 1000;
};

std::optional<Range> range_from_text(std::string_view text) {
  const std::string_view media = take_until(text, ';');
  const std::size_t slash = media.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Range range{media.substr(0, slash), media.substr(slash + 1)};
  if (!is_token(range.type) || !is_token(range.subtype)) return std::nullopt;
  if (range.type == "*" && range.subtype != "*") return std::nullopt;
  while (!text.empty()) {
    const std::string_view parameter = take_until(text, ';');
    if (parameter.size() < 2 || to_lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    const auto quality = quality_from_text(parameter.substr(2));
    if (!quality) return std::nullopt;
    range.quality = *quality;
  }
  return range;
}

/// 0 does not match, 1 by `*/*`, 2 by `type/*`, 3 by name.
int specificity(const Range& range, std::string_view type, std::string_view subtype) {
  if (range.type == "*") return 1;
  if (!equal_ignoring_case(range.type, type)) return 0;
  if (range.subtype == "*") return 2;
  return equal_ignoring_case(range.subtype, subtype) ? 3 : 0;
}

struct Verdict {
  bool asked = false;  // there is an Accept
  int specificity = 0;
  int quality = 0;
};

Verdict judge(const Request& request, std::string_view media_type) {
  const std::size_t slash = std::min(media_type.find('/'), media_type.size() - 1);
  Verdict verdict;
  for (const Field& field : request.fields) {
    if (!equal_ignoring_case(field.name, "accept")) continue;
    verdict.asked = true;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const auto range = range_from_text(take_until(rest, ','));
      if (!range) continue;
      const int match = specificity(*range, media_type.substr(0, slash), media_type.substr(slash + 1));
      if (match == 0 || match < verdict.specificity) continue;
      verdict.quality = match > verdict.specificity ? range->quality : std::max(verdict.quality, range->quality);
      verdict.specificity = match;
    }
  }
  return verdict;
}

std::unexpected<Error> wrong_entity_tag(std::string_view name) {
  return fail(
      ErrorKind::invalid, "invalid_entity_tag",
      "The field " + std::string(name) + " is neither * nor a list of entity tags such as \"7\", with their quotes.");
}

/// Takes one entity tag off the front of `rest`; nullopt when there is none.
std::optional<EntityTag> take_entity_tag(std::string_view& rest) {
  EntityTag tag;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  const std::size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  tag.opaque = rest.substr(1, end - 1);
  if (tag.opaque.find_first_of(" \t") != std::string_view::npos) return std::nullopt;
  rest.remove_prefix(end + 1);
  return tag;
}

/// What a request says of its Content-Type.
struct ContentType {
  std::size_t fields = 0;
  std::string_view value;  // of the last one

  [[nodiscard]] bool is(std::string_view media_type) {
    return fields == 1 && (value == media_type || equal_ignoring_case(take_until(value, ';'), media_type));
  }
};

ContentType content_type_of(const Request& request) {
  constexpr std::string_view name = "content-type";
  ContentType found;
  for (const Field& field : request.fields) {
    if (field.name.size() != name.size() || !equal_ignoring_case(field.name, name)) continue;
    ++found.fields;
    found.value = field.value;
  }
  return found;
}

}  // namespace

int quality_of(const Request& request, std::string_view media_type) {
  const Verdict verdict = judge(request, media_type);
  return verdict.asked ? verdict.quality : 1000;
}

bool accepts(const Request& request, std::string_view media_type) {
  return quality_of(request, media_type) > 0;
}

bool asks_only_for_plain_text(const Request& request) {
  // Asked of every request, and few of those that write have one.
  if (!request.field("accept")) return false;
  return accepts(request, "text/plain") && !accepts(request, "application/problem+json") &&
         !accepts(request, "application/json");
}

std::optional<std::size_t> preferred(const Request& request, std::span<const std::string_view> offers) {
  std::optional<std::size_t> best;
  int best_quality = 0;
  for (std::size_t place = 0; place < offers.size(); ++place) {
    const int quality = quality_of(request, offers[place]);
    if (quality <= best_quality) continue;
    best = place;
    best_quality = quality;
  }
  return best;
}

bool names_in_accept(const Request& request, std::string_view media_type) {
  const Verdict verdict = judge(request, media_type);
  return verdict.specificity == 3 && verdict.quality > 0;
}

bool content_type_is(const Request& request, std::string_view media_type) {
  return content_type_of(request).is(media_type);
}

bool content_type_is_json(const Request& request) {
  ContentType found = content_type_of(request);
  return found.fields == 0 || found.is("application/json");
}

std::string tag_of(StreamVersion version, bool json) {
  std::string tag = to_string(version);
  if (json) tag += json_tag_suffix;
  return tag;
}

std::string marked_tag_of(StreamVersion version, std::string_view declaration_mark) {
  std::string tag = to_string(version);
  if (!declaration_mark.empty()) tag.append(1, '-').append(declaration_mark);
  return tag;
}

std::string_view declaration_mark_of_tag(std::string_view opaque) {
  if (opaque.size() <= mark_digits || opaque[opaque.size() - mark_digits - 1] != '-') return {};
  const std::string_view mark = opaque.substr(opaque.size() - mark_digits);
  return mark.find_first_not_of("0123456789abcdef") == std::string_view::npos ? mark : std::string_view{};
}

std::optional<StreamVersion> version_of_tag(std::string_view opaque) {
  if (opaque.ends_with(json_tag_suffix)) {
    opaque.remove_suffix(json_tag_suffix.size());
  } else if (!declaration_mark_of_tag(opaque).empty()) {
    opaque.remove_suffix(mark_digits + 1);
  }
  // 06 is another tag than 6: tags are compared byte by byte.
  const bool digits = !opaque.empty() && opaque.size() <= 19 &&
                      opaque.find_first_not_of("0123456789") == std::string_view::npos &&
                      (opaque.size() == 1 || opaque.front() != '0');
  if (!digits) return std::nullopt;
  std::uint64_t version = 0;
  for (char digit : opaque) version = version * 10 + static_cast<std::uint64_t>(digit - '0');
  return StreamVersion{version};
}

bool EntityTagList::matches_strongly(std::string_view opaque) const {
  return any || std::ranges::any_of(tags, [&](const EntityTag& tag) { return !tag.weak && tag.opaque == opaque; });
}

bool EntityTagList::matches_weakly(std::string_view opaque) const {
  return any || std::ranges::any_of(tags, [&](const EntityTag& tag) { return tag.opaque == opaque; });
}

Result<std::optional<EntityTagList>> entity_tags(const Request& request, std::string_view lower_case_name) {
  std::optional<EntityTagList> list;
  for (const Field& field : request.fields) {
    if (!equal_ignoring_case(field.name, lower_case_name)) continue;
    if (list && list->any) return wrong_entity_tag(lower_case_name);
    if (field.value == "*") {
      if (list) return wrong_entity_tag(lower_case_name);
      list.emplace().any = true;
      continue;
    }
    if (!list) list.emplace();
    std::string_view rest = field.value;
    bool separated = true;  // a tag may come only after a comma
    while (!rest.empty()) {
      if (is_blank(rest.front())) {
        rest.remove_prefix(1);
      } else if (rest.front() == ',') {
        separated = true;
        rest.remove_prefix(1);
      } else {
        const auto tag = take_entity_tag(rest);
        if (!tag || !separated) return wrong_entity_tag(lower_case_name);
        list->tags.push_back(*tag);
        separated = false;
      }
    }
  }
  if (list && !list->any && list->tags.empty()) return wrong_entity_tag(lower_case_name);
  return list;
}

}  // namespace annals::http
