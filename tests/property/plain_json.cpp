#include "tests/property/plain_json.hpp"

#include <cstdlib>
#include <utility>

namespace annals::property {
namespace {

class JsonText {
 public:
  explicit JsonText(std::string_view text) : text_(text) {}

  std::optional<Json> whole() {
    Json value = next();
    skip();
    return is_good_ && at_ == text_.size() ? std::optional(std::move(value)) : std::nullopt;
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool takes(std::string_view word) {
    skip();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Json next() {
    Json value;
    if (takes("null")) return value;
    if (takes("true") || takes("false")) {
      value.kind = Json::Kind::boolean;
      value.truth = text_[at_ - 2] == 'u';
    } else if (takes("\"")) {
      value = json_text(rest_of_text());
    } else if (takes("[")) {
      value.kind = Json::Kind::array;
      while (is_good_ && !takes("]")) {
        if (!value.elements.empty() && !takes(",")) is_good_ = false;
        if (is_good_) value.elements.push_back(next());
      }
    } else if (takes("{")) {
      value.kind = Json::Kind::object;
      while (is_good_ && !takes("}")) {
        if (!value.members.empty() && !takes(",")) is_good_ = false;
        if (is_good_) read_member(value);
      }
    } else {
      value.kind = Json::Kind::number;
      while (at_ < text_.size() && std::string_view("+-.0123456789eE").contains(text_[at_])) value.text += text_[at_++];
      is_good_ = is_good_ && !value.text.empty();
    }
    return value;
  }

  void read_member(Json& value) {
    is_good_ = takes("\"");
    if (!is_good_) return;
    std::string name = rest_of_text();
    is_good_ = is_good_ && takes(":");
    if (is_good_) is_good_ = value.members.emplace(std::move(name), next()).second && is_good_;
  }

  /// What follows a quote, up to the other one.
  std::string rest_of_text() {
    std::string text;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        text += text_[at_++];
      } else {
        ++at_;
        add_escaped(text);
      }
    }
    is_good_ = is_good_ && at_ < text_.size();
    ++at_;
    return text;
  }
  void add_escaped(std::string& text) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
    const char letter = at_ < text_.size() ? text_[at_++] : '\0';
    if (const std::size_t place = letters.find(letter); place != std::string_view::npos) {
      text += meant[place];
      return;
    }
    // Of \u only what is ASCII: nothing else is escaped.
    const std::string digits(text_.substr(std::min(at_, text_.size()), 4));
    at_ += 4;
    const unsigned long number = std::strtoul(digits.c_str(), nullptr, 16);
    is_good_ = is_good_ && letter == 'u' && number < 128;
    text += static_cast<char>(number & 127);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool is_good_ = true;
};

void write_text(std::string& out, const std::string& text) {
  out += '"';
  for (const char character : text) {
    if (character == '"' || character == '\\') out += '\\';
    if (character == '\n') {
      out += "\\n";
    } else {
      out += character;
    }
  }
  out += '"';
}

void write_to(std::string& out, const Json& value) {
  const char* between = "";
  switch (value.kind) {
    case Json::Kind::null: out += "null"; break;
    case Json::Kind::boolean: out += value.truth ? "true" : "false"; break;
    case Json::Kind::number: out += value.text; break;
    case Json::Kind::text: write_text(out, value.text); break;
    case Json::Kind::array:
      out += '[';
      for (const Json& element : value.elements) {
        out += std::exchange(between, ",");
        write_to(out, element);
      }
      out += ']';
      break;
    case Json::Kind::object:
      out += '{';
      for (const auto& [name, member] : value.members) {
        out += std::exchange(between, ",");
        write_text(out, name);
        out += ':';
        write_to(out, member);
      }
      out += '}';
      break;
  }
}

}  // namespace

const Json& Json::at(const std::string& name) const {
  static const Json none;
  const auto found = members.find(name);
  return found == members.end() ? none : found->second;
}

double Json::worth() const {
  if (kind == Kind::boolean) return truth ? 1 : 0;
  return std::strtod(text.c_str(), nullptr);
}

Json json_text(std::string text) {
  Json value;
  value.kind = Json::Kind::text;
  value.text = std::move(text);
  return value;
}

Json json_object(std::map<std::string, Json> members) {
  Json value;
  value.kind = Json::Kind::object;
  value.members = std::move(members);
  return value;
}

std::optional<Json> parsed(std::string_view text) {
  return JsonText(text).whole();
}

Json json_of(std::string_view text) {
  return JsonText(text).whole().value();
}

std::string written(const Json& value) {
  std::string out;
  write_to(out, value);
  return out;
}

bool same(const Json& left, const Json& right) {
  if (left.kind != right.kind || left.truth != right.truth) return false;
  if (left.kind == Json::Kind::number)
    return left.text == right.text ||
           (left.text.find_first_of(".eE") != left.text.npos && left.worth() == right.worth()) ||
           (right.text.find_first_of(".eE") != right.text.npos && left.worth() == right.worth());
  if (left.text != right.text || left.elements.size() != right.elements.size()) return false;
  for (std::size_t place = 0; place < left.elements.size(); ++place) {
    if (!same(left.elements[place], right.elements[place])) return false;
  }
  if (left.members.size() != right.members.size()) return false;
  for (const auto& [name, member] : left.members) {
    const auto other = right.members.find(name);
    if (other == right.members.end() || !same(member, other->second)) return false;
  }
  return true;
}

Json merged(const Json& target, const Json& patch) {
  if (patch.kind != Json::Kind::object) return patch;
  Json result = target.kind == Json::Kind::object ? target : json_object({});
  for (const auto& [name, member] : patch.members) {
    if (member.is_null()) {
      result.members.erase(name);
    } else {
      result.members[name] = merged(result.at(name), member);
    }
  }
  return result;
}

}  // namespace annals::property
