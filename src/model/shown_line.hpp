#pragma once
// A line of a file of declarations as an error shows it: without what may be a secret. Somebody who misspells
// `password` has written a password behind a key that nobody knows, so it is not asked what looks like one. The rule:
//
// - Keys are shown, and `true` and `false`. What else stands behind a `=` is shown as ****, but for
// - values of what can be said of a model or a field, by its known name at its place (`model.NAME.cache`,
//   `model.NAME.fields.NAME.pattern`; not the `default`, `one_of` and `values` of a field that is to be secret, or
//   may be because something is said of it that nobody knows), and
// - the one value that the error is about, where who refuses it says that it is none (a number, one of a few words).
// - Even of these, none that has an address or a password in it.
// - Comments are ****, words without a `=` behind them, and all that follows the first thing that is not TOML.
//
// Pure.

#include <cstddef>
#include <string>
#include <string_view>

namespace annals::model {

struct ShownLine {
  std::string text;
  std::size_t column = 0;  ///< from 1, in characters: where in `text` the place is
  bool is_hidden = false;  ///< the place lies in, or right behind, what is not shown
};

/// Whether the value that begins at the place may be shown.
enum class ValueAtPlace { as_the_rule_says, shown };

/// The line of `file` with this number, from 1; `column`, in characters from 1, may lie behind its end. An empty text
/// where there is no such line.
[[nodiscard]] ShownLine shown_line(std::string_view file, std::size_t line, std::size_t column,
                                   ValueAtPlace value = ValueAtPlace::as_the_rule_says);

}  // namespace annals::model
