#pragma once
// JSON Merge Patch (RFC 7396): what a patch makes of a value. Pure function; no thread rule.

#include <string>
#include <string_view>

namespace annals::json {

/// The value that `patch` makes of `target`. Both are JSON as a Reader gives it, without blanks and each name escaped
/// in one way only, and so is the result, which nests no deeper than the deeper of them: members that are in both stay
/// where they were, those that are new come last.
///
/// A patch that is no object takes the target's place. In an object, null takes a member away, and a target that is no
/// object counts as an empty one.
[[nodiscard]] std::string merge_patch(std::string_view target, std::string_view patch);

}  // namespace annals::json
