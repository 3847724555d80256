#pragma once
// The query of a target, `?prefix=a&limit=10`, decoded. A parameter that the route does not know, or one given twice,
// is refused, because a filter that is silently ignored answers another question. Values; no thread rule.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/number.hpp"
#include "base/result.hpp"
#include "event/cursor.hpp"

namespace annals::http {

class QueryParameters {
 public:
  /// Errors: invalid ("unknown_parameter", "duplicate_parameter", "invalid_query").
  [[nodiscard]] static Result<QueryParameters> parse(std::string_view query,
                                                     std::initializer_list<std::string_view> known);

  /// As parse, but what is not known is kept, too, and a `+` is a blank, as the encoders of forms write it
  /// (application/x-www-form-urlencoded); in a value that is a time it stays what it is.
  [[nodiscard]] static Result<QueryParameters> parse_all(std::string_view query);

  struct Parameter {
    std::string name;
    std::string value;
  };
  /// All of them, in the order given.
  [[nodiscard]] const std::vector<Parameter>& all() const { return parameters_; }

  [[nodiscard]] const std::string* find(std::string_view name) const;

  /// Each: nullopt when the parameter is absent. Errors: invalid.
  [[nodiscard]] Result<std::optional<Instant>> time(std::string_view name) const;
  [[nodiscard]] Result<std::optional<std::uint64_t>> number(std::string_view name, std::uint64_t min,
                                                            std::uint64_t max) const;
  /// `prefix`: what names begin with; empty when it is not given. Errors: invalid ("invalid_prefix"), when no name can.
  [[nodiscard]] Result<std::string> prefix() const;
  [[nodiscard]] Result<std::optional<Cursor>> cursor(std::string_view name) const;
  [[nodiscard]] Result<std::optional<Duration>> duration(std::string_view name, Duration max) const;

 private:
  enum class Plus : std::uint8_t { plus, blank };
  [[nodiscard]] static Result<QueryParameters> read(std::string_view query, Plus plus);

  std::vector<Parameter> parameters_;
};

/// Errors: invalid ("invalid_timestamp").
[[nodiscard]] Result<Instant> parse_time(std::string_view text);

/// A token for a key of a list, of the characters [A-Za-z0-9_-]; "0" is the start, which no key has.
///
/// It says after which name a list goes on and nothing else, so it holds for every list, whatever its prefix or time,
/// in every store, and a tail that was lost takes nothing from it. It can never be mistaken for a Cursor, nor a Cursor
/// for it: the length of one is 1 more than a multiple of 4, which base64url without padding cannot have.
[[nodiscard]] std::string key_token(std::string_view key);
/// The key; nullopt (inside the Result) for the start. Errors: invalid ("invalid_cursor").
[[nodiscard]] Result<std::optional<std::string>> key_from_token(std::string_view token);

/// The same for a place of a sorted list (model::place_to_bytes), which is mistaken neither for a key nor for a Cursor.
[[nodiscard]] std::string place_token(std::string_view bytes);
[[nodiscard]] Result<std::optional<std::string>> place_from_token(std::string_view token);

}  // namespace annals::http
