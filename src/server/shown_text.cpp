#include "server/shown_text.hpp"

#include <algorithm>
#include <array>

namespace annals::server {
namespace {

constexpr std::size_t shown_bytes_max = 100;
constexpr std::string_view mask = "****";
constexpr std::string_view hierarchy = "://";

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}
bool is_digit(char character) {
  return character >= '0' && character <= '9';
}
bool is_blank(char character) {
  return static_cast<unsigned char>(character) <= ' ';
}

/// Where an address that begins at `begin` is over, in a text that quotes it.
std::size_t end_of_address(std::string_view text, std::size_t begin) {
  const auto ends = [](char character) { return is_blank(character) || character == '"'; };
  return static_cast<std::size_t>(std::find_if(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), ends) -
                                  text.begin());
}

/// Whether what follows the colon of a host is its port.
bool is_port(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  return end == text.end() ||
         (end != text.begin() && std::string_view("/?#,;:.)]'").find(*end) != std::string_view::npos);
}

/// What comes behind `scheme://`, with the mask between the name of the user and the last @.
std::string masked_authority(std::string_view rest) {
  const std::size_t at = rest.rfind('@');
  const std::size_t host = rest.starts_with('[') ? std::min(rest.find(']'), rest.size()) : 0;
  const std::size_t colon = rest.find(':', at == std::string_view::npos ? host : 0);
  if (at != std::string_view::npos && colon < at) {
    if (rest.substr(colon + 1, at - colon - 1) == "PASSWORD") return std::string(rest);  // how an address is written
    return std::string(rest.substr(0, colon + 1)).append(mask).append(rest.substr(at));
  }
  // An address that was cut off before its @, or that has none, may end in a password.
  const bool has_authority_colon = colon < rest.find_first_of("/?#");
  if (has_authority_colon && !is_port(rest.substr(colon + 1)))
    return std::string(rest.substr(0, colon + 1)).append(mask);
  return std::string(rest);
}

std::string with_masked_addresses(std::string_view text) {
  std::string shown;
  while (true) {
    const std::size_t found = text.find(hierarchy);
    if (found == std::string_view::npos) return shown.append(text);
    const std::size_t begin = found + hierarchy.size();
    const std::size_t end = end_of_address(text, begin);
    shown.append(text.substr(0, begin)).append(masked_authority(text.substr(begin, end - begin)));
    text.remove_prefix(end);
  }
}

/// The end of the value that begins at `begin`. In quotes, as libpq and TOML have it, a backslash stands before what is
/// quoted; a quote that was forgotten goes to the end of the line.
std::size_t end_of_value(std::string_view text, std::size_t begin) {
  if (text.substr(begin).starts_with(mask)) {
    const std::size_t behind = begin + mask.size();
    if (behind == text.size() || is_blank(text[behind]) || std::string_view(",]}").contains(text[behind]))
      return behind;  // it is masked already, in a list or a table
  }
  const char quote = begin < text.size() ? text[begin] : '\0';
  const bool quoted = quote == '\'' || quote == '"';
  for (std::size_t at = begin + (quoted ? 1 : 0); at < text.size(); ++at) {
    if (text[at] == '\n') return at;
    if (text[at] == '\\') {
      ++at;
    } else if (quoted ? text[at] == quote : is_blank(text[at]) || text[at] == '&' || text[at] == '"') {
      return quoted ? at + 1 : at;
    }
  }
  return text.size();
}

/// The first place behind the "=" of a word that ends in `password` or `passwd`, or of a quote behind it where the "="
/// was forgotten; npos when there is none.
std::size_t find_value_of_password(const std::string& lower_text, std::size_t from) {
  std::size_t first = std::string::npos;
  for (const std::string_view name : {std::string_view("password"), std::string_view("passwd")}) {
    for (std::size_t at = lower_text.find(name, from); at != std::string::npos; at = lower_text.find(name, at + 1)) {
      std::size_t sign = at + name.size();
      while (sign < lower_text.size() && is_blank(lower_text[sign])) ++sign;
      const bool forgotten = sign > at + name.size() && sign < lower_text.size() && lower_text[sign] == '"';
      if (forgotten) {
        first = std::min(first, sign);
        break;
      }
      if (sign >= lower_text.size() || lower_text[sign] != '=') continue;
      do ++sign;
      while (sign < lower_text.size() && is_blank(lower_text[sign]));
      first = std::min(first, sign);
      break;
    }
  }
  return first;
}

std::string with_masked_values(std::string_view text) {
  std::string lower_text(text);
  std::ranges::transform(lower_text, lower_text.begin(), lower);
  std::string shown;
  std::size_t from = 0;
  while (true) {
    const std::size_t begin = find_value_of_password(lower_text, from);
    if (begin >= text.size()) return shown.append(text.substr(from));
    if (text[begin] == '{' && (begin + 1 == text.size() || is_blank(text[begin + 1]))) {
      // A table of TOML, such as the declaration of a field that is called so; what is in it is looked at for itself.
      shown.append(text.substr(from, begin + 1 - from));
      from = begin + 1;
      continue;
    }
    shown.append(text.substr(from, begin - from)).append(mask);
    from = end_of_value(text, begin);
  }
}

}  // namespace

bool is_address(std::string_view text) {
  return text.find(hierarchy) != std::string_view::npos;
}

bool is_database_address(std::string_view text) {
  constexpr std::array<std::string_view, 3> schemes{"postgres://", "postgresql://", "ecto://"};
  return std::ranges::any_of(schemes, [&](std::string_view scheme) { return text.starts_with(scheme); });
}

bool is_server_address(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

std::string without_password(std::string_view url) {
  const std::size_t scheme = url.find(hierarchy);
  if (scheme == std::string_view::npos) return std::string(mask);  // libpq's "host=... password=..." in any order
  std::string shown(url.substr(0, scheme + 3));
  const std::string_view rest = url.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  const std::string_view path = rest.substr(end, std::min(rest.find_first_of("?#"), rest.size()) - end);
  // An @ further on may end a password with a slash or the like in it, that should have been escaped; so may a second
  // one, of which nobody can say whether it belongs to the password or to the host.
  if (rest.find('@', end) != std::string_view::npos) return shown.append(mask);
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) {
    shown += masked_authority(authority);
  } else {
    const std::size_t colon = authority.substr(0, at).find(':');
    shown += authority.substr(0, std::min(colon, at));
    if (colon != std::string_view::npos) shown.append(":").append(mask);
    shown += authority.substr(at);
  }
  shown += path;
  return end + path.size() < rest.size() ? shown + "?****" : shown;
}

std::string without_passwords(std::string_view text) {
  return with_masked_values(with_masked_addresses(text));
}

bool has_password(std::string_view text) {
  return without_passwords(text) != text;
}

std::string in_quotes(std::string_view given) {
  std::string shown = without_passwords(given);
  const std::size_t scheme = given.find(hierarchy);
  const std::size_t colon = given.find(':');
  const std::size_t at = given.rfind('@');
  if (scheme != std::string_view::npos && given.find('@', scheme) != std::string_view::npos) {
    // As a whole, because a password may have blanks and quotes in it.
    shown = without_password(given);
  } else if (scheme == std::string_view::npos && at != std::string_view::npos && colon < at) {
    // The scheme was forgotten.
    shown = std::string(given.substr(0, colon + 1)).append(mask).append(given.substr(at));
  }
  return "\"" + shown.substr(0, shown_bytes_max) + "\"";
}

}  // namespace annals::server
