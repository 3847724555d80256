#include "server/environment.hpp"

#include <algorithm>

#include "base/did_you_mean.hpp"
#include "server/settings.hpp"
#include "server/shown_text.hpp"

namespace annals::server {
namespace {

constexpr std::string_view begin_of_names = "ANNALS_";
constexpr std::size_t stray_name_bytes_max = 100;

/// "--database-url" as a part of a variable's name: "DATABASE_URL".
std::string as_in_environment(std::string_view flag) {
  std::string name(flag.substr(std::min(flag.find_first_not_of('-'), flag.size())));
  for (char& character : name) {
    if (character == '-') character = '_';
    if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
  }
  return name;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Whether it is of those that tell of a service by its name: NAME_SERVICE_HOST, NAME_SERVICE_PORT,
/// NAME_SERVICE_PORT_X, NAME_PORT (an address), NAME_PORT_4000_TCP, NAME_PORT_4000_TCP_ADDR.
bool tells_of_service(std::string_view name, std::string_view value) {
  const std::string_view rest = name.substr(begin_of_names.size() - 1);
  if (rest.ends_with("_SERVICE_HOST") || rest.contains("_SERVICE_PORT")) return true;
  const bool is_address = value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
  if (rest.ends_with("_PORT") && is_address) return true;
  const std::size_t port = rest.find("_PORT_");
  if (port == std::string_view::npos) return false;
  const std::string_view number = rest.substr(port + 6);
  const std::size_t end = number.find('_');
  if (end == std::string_view::npos || !is_number(number.substr(0, end))) return false;
  const std::string_view protocol = number.substr(end + 1, number.find('_', end + 1) - end - 1);
  return protocol == "TCP" || protocol == "UDP" || protocol == "SCTP";
}

/// The word of `known` that is nearest to `word`, or nothing.
std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  if (std::ranges::find(known, word) != known.end()) return std::string(word);
  const std::string hint = did_you_mean(word, known);
  const std::size_t begin = hint.find('"');
  return begin == std::string::npos ? "" : hint.substr(begin + 1, hint.rfind('"') - begin - 1);
}

/// The variable that is called nearly so; else that of a setting whose flag, or whose key without its table, is.
std::string nearest_variable(std::string_view name) {
  const std::string_view word = name.substr(begin_of_names.size());
  std::vector<std::string> variables;
  std::vector<std::string> shorter;
  for (const Setting& setting : settings_catalogue()) {
    variables.push_back(environment_name(setting).substr(begin_of_names.size()));
    shorter.push_back(as_in_environment(setting.key.substr(setting.key.rfind('.') + 1)));
    shorter.push_back(as_in_environment(setting.flag));
  }
  std::string found = nearest(word, variables);
  if (found.empty()) {
    const std::string other = nearest(word, shorter);
    const auto place = std::ranges::find(shorter, other);
    if (other.empty() || place == shorter.end()) return "";
    found = variables[static_cast<std::size_t>(place - shorter.begin()) / 2];
  }
  return std::string(begin_of_names) + found;
}

}  // namespace

std::vector<StrayVariable> stray_variables(std::span<const std::string_view> environment) {
  std::vector<StrayVariable> stray;
  for (const std::string_view line : environment) {
    const std::size_t sign = std::min(line.find('='), line.size());
    const std::string_view name = line.substr(0, sign);
    const std::string_view value = line.substr(std::min(sign + 1, line.size()));
    const auto is_known = [&](const Setting& setting) { return environment_name(setting) == name; };
    if (!name.starts_with(begin_of_names) || std::ranges::any_of(settings_catalogue(), is_known)) continue;
    if (!tells_of_service(name, value)) stray.push_back({std::string(name), nearest_variable(name)});
  }
  std::ranges::sort(stray, {}, &StrayVariable::name);
  return stray;
}

std::string warning_of(const StrayVariable& variable) {
  return "the variable " + without_passwords(variable.name.substr(0, stray_name_bytes_max)) +
         " of the environment is ignored: no setting is called so" +
         (variable.meant.empty() ? "; `annals settings` prints what there is"
                                 : "; did you mean " + variable.meant + "?");
}

}  // namespace annals::server
