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

bool is_between_words(char character) {
  return is_blank(character) || character == '"';
}

/// Where a word that begins at `begin` is over, in a text that quotes it.
std::size_t end_of_word(std::string_view text, std::size_t begin) {
  return static_cast<std::size_t>(
      std::find_if(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), is_between_words) - text.begin());
}

/// Whether what follows the colon of a host is its port.
bool is_port(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  return end == text.end() ||
         (end != text.begin() && std::string_view("/?#,;:.)]'").find(*end) != std::string_view::npos);
}

/// Where the schemes of a database's address end that begins `text`, in whatever letters; 0 when none does.
std::size_t end_of_database_scheme(std::string_view text) {
  for (const std::string_view scheme :
       {std::string_view("postgresql"), std::string_view("postgres"), std::string_view("ecto")}) {
    const std::string_view begin = text.substr(0, scheme.size());
    if (std::ranges::equal(begin, scheme, {}, lower)) return scheme.size();
  }
  return 0;
}

/// Whether it begins like the address of a database, with or without a slip: `postgres:/`, `POSTGRES;//`, `ecto//`.
bool begins_like_database_address(std::string_view text) {
  const std::size_t scheme = end_of_database_scheme(text);
  if (scheme == 0) return false;
  const std::string_view rest = text.substr(scheme);
  return rest.starts_with(':') || rest.starts_with(';') || rest.starts_with("//") || rest.starts_with('\\');
}

/// The colon behind which a password may begin, before `end`; npos when there is none. That of `scheme://` is not it.
std::size_t find_colon(std::string_view word, std::size_t end) {
  const std::size_t first = word.find(':');
  const bool is_of_scheme = first != std::string_view::npos && word.substr(first).starts_with(hierarchy);
  const std::size_t colon = is_of_scheme ? word.find(':', first + hierarchy.size()) : first;
  return colon < end ? colon : std::string_view::npos;
}

/// Whether it has the shape of `user:password@host`.
bool has_shape_of_password(std::string_view word) {
  const std::size_t at = word.rfind('@');
  return at != std::string_view::npos && find_colon(word, at) != std::string_view::npos;
}

/// Where a password begins in a word without an @: in an address that was cut off before it, or that has none.
std::size_t find_end_of_shown(std::string_view word) {
  std::size_t authority = word.find(hierarchy);
  if (authority != std::string_view::npos) {
    authority += hierarchy.size();
  } else if (begins_like_database_address(word)) {
    authority = std::min(word.find_first_not_of(":;/\\", end_of_database_scheme(word)), word.size());
  } else {
    return word.size();
  }
  const std::string_view rest = word.substr(authority);
  const std::size_t host = rest.starts_with('[') ? std::min(rest.find(']'), rest.size()) : 0;
  const std::size_t colon = rest.find(':', host);
  const bool is_of_authority = colon < rest.find_first_of("/?#");
  return is_of_authority && !is_port(rest.substr(colon + 1)) ? authority + colon + 1 : word.size();
}

/// A word without what stands behind a `?`, with the mask for what may be a password.
std::string with_masked_authority(std::string_view word) {
  const std::size_t at = word.rfind('@');
  if (at == std::string_view::npos) {
    const std::size_t end = find_end_of_shown(word);
    return end == word.size() ? std::string(word) : std::string(word.substr(0, end)).append(mask);
  }
  const std::size_t colon = find_colon(word, at);
  if (colon == std::string_view::npos) return std::string(word);
  if (word.substr(colon + 1, at - colon - 1) == "PASSWORD") return std::string(word);  // how an address is written
  return std::string(word.substr(0, colon + 1)).append(mask).append(word.substr(at));
}

/// Whether what stands behind its `?` are options of libpq, of which one may be the password, misspelt.
bool has_options(std::string_view word) {
  if (word.contains("http://") || word.contains("https://")) return false;
  return word.contains(hierarchy) || begins_like_database_address(word) || has_shape_of_password(word);
}

/// A word, with the mask for what may be a password.
std::string masked_word(std::string_view word) {
  const std::size_t at = word.rfind('@');
  std::size_t options = has_options(word) ? word.find('?') : std::string_view::npos;
  // The password may have a `?` in it, and the options an @.
  if (at != std::string_view::npos && options < at && !word.substr(options, at - options).contains('=')) {
    const std::size_t behind = word.find('?', at);
    if (behind != std::string_view::npos || !word.substr(at).contains('=')) options = behind;
  }
  if (options == std::string_view::npos || options + 1 == word.size()) return with_masked_authority(word);
  return with_masked_authority(word.substr(0, options)).append("?").append(mask);
}

std::string with_masked_words(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t begin = static_cast<std::size_t>(std::ranges::find_if_not(text, is_between_words) - text.begin());
    const std::size_t end = end_of_word(text, begin);
    shown.append(text.substr(0, begin)).append(masked_word(text.substr(begin, end - begin)));
    text.remove_prefix(end);
  }
  return shown;
}

/// Whether it is written as nothing but a path is.
bool is_written_as_path(std::string_view text) {
  if (text.starts_with("//")) return false;  // rather an address without its scheme
  return text.starts_with('/') || text.starts_with("./") || text.starts_with("../");
}

/// Whether `scheme` could stand before `://`.
bool is_scheme(std::string_view scheme) {
  return !scheme.empty() && std::ranges::all_of(scheme, [](char character) {
    const char letter = lower(character);
    return (letter >= 'a' && letter <= 'z') || is_digit(letter) || letter == '+' || letter == '-' || letter == '.';
  });
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
  if (text.find(hierarchy) != std::string_view::npos) return true;
  return begins_like_database_address(text) || (has_shape_of_password(text) && !is_written_as_path(text));
}

bool has_password(std::string_view text) {
  return with_masked_values(text) != text || (!is_written_as_path(text) && shown_name(text) != text);
}

bool is_no_name(std::string_view text) {
  return is_address(text) || has_password(text);
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
  // libpq's "host=... password=..." in any order; or nothing that it takes.
  if (scheme == std::string_view::npos || !is_scheme(url.substr(0, scheme))) return std::string(mask);
  std::string shown(url.substr(0, scheme + 3));
  const std::string_view rest = url.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  const std::string_view path = rest.substr(end, std::min(rest.find_first_of("?#"), rest.size()) - end);
  // An @ further on may end a password with a slash or the like in it, that should have been escaped; so may a second
  // one, of which nobody can say whether it belongs to the password or to the host.
  // Options may follow a `?` that was forgotten.
  if (rest.find('@', end) != std::string_view::npos || path.contains('=')) return shown.append(mask);
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) {
    shown = masked_word(shown + std::string(authority));
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
  return with_masked_values(with_masked_words(text));
}

std::string shown_name(std::string_view name) {
  // An address as a whole, because a password may have blanks and quotes in it.
  const std::size_t scheme = name.find(hierarchy);
  const bool has_at = scheme != std::string_view::npos && name.find('@', scheme) != std::string_view::npos;
  if (has_at && is_scheme(name.substr(0, scheme))) return without_password(name);
  const bool is_one_word = has_shape_of_password(name) || has_options(name);
  return with_masked_values(is_one_word ? masked_word(name) : with_masked_words(name));
}

std::string advice_on_paths(std::string_view text) {
  const bool helps = is_no_name(text) && !is_no_name("./" + std::string(text));
  return helps ? "; a path that is called so begins with /, ./ or ../" : "";
}

std::string in_quotes(std::string_view given) {
  return "\"" + shown_name(given).substr(0, shown_bytes_max) + "\"";
}

}  // namespace annals::server
