#include "store/postgres/libpq_message.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace annals::store {
namespace {

/// Without control characters, and with one blank where there are several.
std::string tidied(std::string_view line) {
  std::string tidy;
  for (const char character : line) {
    const auto byte = static_cast<unsigned char>(character);
    const bool is_blank = byte <= ' ' || byte == 0x7f;
    if (!is_blank) {
      tidy += character;
    } else if (!tidy.empty() && tidy.back() != ' ') {
      tidy += ' ';
    }
  }
  if (tidy.ends_with(' ')) tidy.pop_back();
  return tidy;
}

bool is_lower(char character) {
  return character >= 'a' && character <= 'z';
}

/// A line that goes on a sentence begins like a word within one; "FATAL" and "SSL" stay.
std::string going_on(std::string line) {
  if (line.size() > 1 && line[0] >= 'A' && line[0] <= 'Z' && is_lower(line[1])) {
    line[0] = static_cast<char>(line[0] - 'A' + 'a');
  }
  return line;
}

bool has_any(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

bool begins_with_any(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.starts_with(word); });
}

// Nobody has been asked yet.
constexpr std::string_view wrong_beginnings[] = {
    "invalid ",
    "could not match ",
    "definition of service ",
    "service file ",
    "syntax error in service file ",
    "nested service specifications ",
    "Unix-domain socket path ",
    "sslmode value ",
    "gssencmode value ",
};
constexpr std::string_view wrong_words[] = {
    "for connection option",    "invalid SSL protocol version range", "root certificate file \"",
    "open certificate file \"", "read certificate file \"",           "certificate present, but not private key file",
    "private key file \"",
};
constexpr std::string_view untrusted_words[] = {
    "certificate verify failed",
    "server certificate for ",
    "server's host name from server certificate",
    "server does not support SSL",
    "server does not support GSSAPI encryption",
    "channel binding is required",
    "channel binding required",
};
constexpr std::string_view refused_words[] = {
    "authentication failed",          "pg_hba.conf",
    "permission denied for database", "no password supplied",
    "not permitted to log in",        "not currently accepting connections",
};

// libpq's own words, and those of the system.
constexpr std::string_view silence_words[] = {
    "timeout expired",
    "Connection timed out",
    "No route to host",
    "Network is unreachable",
};

}  // namespace

std::string one_line(std::string_view said) {
  std::vector<std::string> lines;
  while (!said.empty()) {
    const std::size_t end = std::min(said.find('\n'), said.size());
    const std::string_view line = said.substr(0, end);
    said.remove_prefix(std::min(end + 1, said.size()));
    if (line.starts_with('\t')) continue;
    std::string tidy = tidied(line);
    if (!tidy.empty() && std::ranges::find(lines, tidy) == lines.end()) lines.push_back(std::move(tidy));
  }
  std::string all;
  for (std::string& line : lines) {
    if (!all.empty()) {
      while (all.ends_with('.')) all.pop_back();
      all += "; ";
      line = going_on(std::move(line));
    }
    all += line;
  }
  while (all.ends_with('.')) all.pop_back();
  return all;
}

ConnectFailure connect_failure_of(std::string_view line) {
  if (begins_with_any(line, wrong_beginnings) || has_any(line, wrong_words)) return ConnectFailure::wrong_option;
  if (has_any(line, untrusted_words)) return ConnectFailure::untrusted;
  if (line.find("FATAL: ") != std::string_view::npos && line.find("does not exist") != std::string_view::npos) {
    return ConnectFailure::missing;
  }
  if (has_any(line, refused_words)) return ConnectFailure::refused;
  return ConnectFailure::unreachable;
}

bool tells_of_silence(std::string_view line) {
  return has_any(line, silence_words) && line.find("FATAL: ") == std::string_view::npos;
}

}  // namespace annals::store
