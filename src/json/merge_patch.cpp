#include "json/merge_patch.hpp"

#include <algorithm>
#include <vector>

#include "base/invariant.hpp"

namespace annals::json {
namespace {

/// Takes JSON that a Reader gave apart, value by value, from the front.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  [[nodiscard]] bool is_at(char character) const { return !rest_.empty() && rest_.front() == character; }
  void skip() { rest_.remove_prefix(1); }

  /// With its quotes.
  std::string_view take_string() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    return take(end + 1);
  }
  /// The name of a member, with its quotes, and the colon behind it.
  std::string_view take_name() {
    const std::string_view name = take_string();
    skip();
    return name;
  }
  std::string_view take_value() {
    const std::string_view whole = rest_;
    std::size_t depth = 0;
    do {
      if (is_at('"')) {
        (void)take_string();
      } else if (is_at('{') || is_at('[')) {
        ++depth;
        skip();
      } else if (is_at('}') || is_at(']')) {
        --depth;
        skip();
      } else {
        // A number, a literal, or what stands between values.
        rest_.remove_prefix(std::min(rest_.find_first_of("\"{}[],", 1), rest_.size()));
      }
    } while (depth > 0 && !rest_.empty());
    return whole.substr(0, whole.size() - rest_.size());
  }

 private:
  std::string_view take(std::size_t size) {
    INVARIANT(size <= rest_.size(), "a string that a reader gave ends");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

/// A patch, or a value in one.
struct Patch {
  struct Member;
  std::string_view text;        ///< of what is no object
  std::vector<Member> members;  ///< of an object, in their order
  bool is_object = false;

  explicit Patch(Scanner& scanner);
  [[nodiscard]] bool is_null() const { return !is_object && text == "null"; }
};

struct Patch::Member {
  std::string_view name;
  Patch value;
};

Patch::Patch(Scanner& scanner) : is_object(scanner.is_at('{')) {
  if (!is_object) {
    text = scanner.take_value();
    return;
  }
  do {
    scanner.skip();  // the brace or the comma
    if (scanner.is_at('}')) break;
    const std::string_view name = scanner.take_name();
    members.push_back({name, Patch(scanner)});
  } while (scanner.is_at(','));
  scanner.skip();
}

/// Members of an object, one after another.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void begin_member(std::string_view name) {
    if (has_member_) out_ += ',';
    has_member_ = true;
    out_.append(name).append(1, ':');
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool has_member_ = false;
};

/// Appends what the patch makes of nothing.
void append_new(std::string& out, const Patch& patch) {
  if (!patch.is_object) {
    out += patch.text;
    return;
  }
  ObjectWriter object(out);
  for (const Patch::Member& member : patch.members) {
    if (member.value.is_null()) continue;
    object.begin_member(member.name);
    append_new(out, member.value);
  }
  object.end();
}

/// Appends what the patch makes of the value that the scanner is at, which it takes.
void append_merged(std::string& out, Scanner& target, const Patch& patch) {
  if (!patch.is_object || !target.is_at('{')) {
    (void)target.take_value();
    append_new(out, patch);
    return;
  }
  std::vector<const Patch::Member*> by_name;
  for (const Patch::Member& member : patch.members) by_name.push_back(&member);
  std::ranges::sort(by_name, {}, &Patch::Member::name);
  std::vector<bool> met(by_name.size());
  ObjectWriter object(out);
  do {
    target.skip();  // the brace or the comma
    if (target.is_at('}')) break;
    const std::string_view name = target.take_name();
    const auto found = std::ranges::lower_bound(by_name, name, {}, &Patch::Member::name);
    if (found == by_name.end() || (*found)->name != name) {
      object.begin_member(name);
      out += target.take_value();
      continue;
    }
    met[static_cast<std::size_t>(found - by_name.begin())] = true;
    if ((*found)->value.is_null()) {
      (void)target.take_value();
      continue;
    }
    object.begin_member(name);
    append_merged(out, target, (*found)->value);
  } while (target.is_at(','));
  target.skip();
  for (const Patch::Member& member : patch.members) {
    const auto found = std::ranges::lower_bound(by_name, member.name, {}, &Patch::Member::name);
    if (met[static_cast<std::size_t>(found - by_name.begin())] || member.value.is_null()) continue;
    object.begin_member(member.name);
    append_new(out, member.value);
  }
  object.end();
}

}  // namespace

std::string merge_patch(std::string_view target, std::string_view patch) {
  Scanner target_scanner(target);
  Scanner patch_scanner(patch);
  std::string out;
  out.reserve(target.size() + patch.size());
  append_merged(out, target_scanner, Patch(patch_scanner));
  return out;
}

}  // namespace annals::json
