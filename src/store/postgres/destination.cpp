// Where to connect: libpq's connection strings, taken apart so that nothing secret is ever said.

#include <libpq-fe.h>

#include <algorithm>

#include "store/postgres/connection.hpp"
#include "store/postgres/libpq_message.hpp"

namespace annals::store {
namespace {

constexpr std::size_t database_bytes_max = 63;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using OptionList = std::unique_ptr<PQconninfoOption, FreeOptions>;

/// Without a word of what was found: it may be a password.
std::unexpected<Error> unreadable() {
  return fail(
      ErrorKind::usage,
      "the address of the database cannot be read; it is to be postgres://USER:PASSWORD@HOST:PORT/DATABASE, where "
      "characters of the user and the password that mean something there (: / ? # @ %) are written as %3A, %2F, "
      "%3F, %23, %40, %25, and = in the name of the database as %3D");
}

/// True when a part of the password has become something else, because it was not escaped or a sign is missing.
bool is_doubtful(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = url.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  if (rest.find('@', end) != std::string_view::npos) return true;
  // The options became the name of the database, because the question mark was forgotten.
  if (rest.substr(end, rest.find('?', end) - end).contains('=')) return true;
  const std::size_t at = rest.find('@');
  return at != std::string_view::npos && rest.find('@', at + 1) != std::string_view::npos;
}

/// Whether a port is none: without a host behind it, "postgres://USER:PASSWORD" has a password there.
bool is_no_port(std::string_view port) {
  return port.find_first_not_of("0123456789,") != std::string_view::npos;
}

/// Ecto, with which the original service is set up, calls the scheme after itself.
std::string in_words_of_libpq(const std::string& url) {
  constexpr std::string_view ecto = "ecto://";
  return url.starts_with(ecto) ? "postgres://" + url.substr(ecto.size()) : url;
}

/// Appends "name=value", of the value's bytes those that are no plain text as %XX.
void add_part(std::string& address, const char* name, const std::string& value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (!address.empty()) address += ' ';
  address.append(name).append("=");
  for (const char character : value) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte > ' ' && byte != '%' && byte != 0x7f) {
      address += character;
    } else {
      address.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
}

bool is_secret(std::string_view keyword) {
  return keyword == "password" || keyword == "sslpassword";
}

}  // namespace

Result<Destination> Destination::read(const PostgresOptions& options) {
  if (is_doubtful(options.url)) return unreadable();
  char* complaint = nullptr;
  const OptionList given(PQconninfoParse(in_words_of_libpq(options.url).c_str(), &complaint));
  PQfreemem(complaint);
  if (!given) return unreadable();

  Destination destination;
  const auto value_of = [&](std::string_view name) -> std::string* {
    const auto found = std::ranges::find(destination.keywords_, name, &Keyword::name);
    return found == destination.keywords_.end() ? nullptr : &found->value;
  };
  for (const PQconninfoOption* option = given.get(); option->keyword != nullptr; ++option) {
    // What is asked and answered is in UTF-8, whatever the database is in.
    if (option->keyword == std::string_view("client_encoding")) continue;
    if (option->keyword == std::string_view("port") && option->val != nullptr && is_no_port(option->val)) {
      return unreadable();
    }
    if (option->val != nullptr) destination.keywords_.push_back({option->keyword, option->val});
  }
  const auto complete = [&](std::string_view name, const std::string& value) {
    if (!value.empty() && value_of(name) == nullptr) destination.keywords_.push_back({std::string(name), value});
  };
  complete("host", options.hostname);
  complete("port", options.port == 0 ? "" : std::to_string(options.port));
  complete("user", options.username);
  complete("password", options.password);
  complete("dbname", options.database);
  complete("connect_timeout", "5");
  complete("fallback_application_name", "annals");
  complete("client_encoding", "UTF8");
  // A server that has gone without a word is noticed in seconds, also while nothing is under way.
  complete("tcp_user_timeout", "10000");
  complete("keepalives_idle", "5");
  complete("keepalives_interval", "2");
  complete("keepalives_count", "3");
  for (const Keyword& keyword : destination.keywords_) {
    if (is_secret(keyword.name) && !keyword.value.empty()) destination.secrets_.push_back(keyword.value);
  }

  // What libpq would add by itself: its environment, its password file is another matter.
  const OptionList defaults(PQconndefaults());
  const auto effective = [&](std::string_view name) -> std::string {
    if (const std::string* value = value_of(name)) return *value;
    for (const PQconninfoOption* option = defaults.get(); option != nullptr && option->keyword != nullptr; ++option) {
      if (name == option->keyword && option->val != nullptr) return option->val;
    }
    return {};
  };
  for (const char* const name : {"password", "sslpassword"}) {
    if (value_of(name) == nullptr && !effective(name).empty()) destination.secrets_.push_back(effective(name));
  }
  destination.database_ = effective("dbname").empty() ? effective("user") : effective("dbname");
  if (destination.database_.size() > database_bytes_max) {
    return fail(ErrorKind::usage, "the name of the database has " + std::to_string(destination.database_.size()) +
                                      " bytes; PostgreSQL looks at the first " + std::to_string(database_bytes_max) +
                                      " alone, which may be the name of another one");
  }
  destination.host_ = effective("host");
  for (const char* const name : {"service", "host", "hostaddr", "port"}) {
    if (const std::string value = effective(name); !value.empty()) add_part(destination.address_, name, value);
  }
  add_part(destination.address_, "dbname", destination.database_);
  add_part(destination.address_, "schema", options.schema);
  return destination;
}

Destination Destination::with_database(std::string name) const {
  Destination other = *this;
  std::erase_if(other.keywords_, [](const Keyword& keyword) { return keyword.name == "dbname"; });
  other.keywords_.push_back({"dbname", name});
  other.database_ = std::move(name);
  return other;
}

std::string Destination::text() const {
  return "database " + database_ + (host_.empty() ? "" : " at " + host_);
}

Error Destination::read_only() const {
  return {ErrorKind::unavailable, "database_read_only",
          "the " + text() +
              " is read-only, as a standby is; promote it, or give the address of the primary "
              "(with target_session_attrs=read-write libpq finds it among several hosts)"};
}

std::string Destination::masked(std::string message) const {
  for (const std::string& secret : secrets_) {
    for (std::size_t at = message.find(secret); at != std::string::npos; at = message.find(secret, at + 4)) {
      message.replace(at, secret.size(), "****");
    }
  }
  return one_line(message);
}

}  // namespace annals::store
