#pragma once
// What the fields of a request ask for: media types it accepts, the type of its body, entity tags of its conditions.
//
// Source: RFC 9110, sections 8.3 (Content-Type), 8.8.3 (ETag), 12.5.1 (Accept), 13.1 (If-Match, If-None-Match).
// Pure functions; no thread rule. Views borrow from the request.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/number.hpp"
#include "base/result.hpp"
#include "http/request.hpp"

namespace annals::http {

/// How much the client wants `media_type` (such as "application/json"), from 0 (not at all) to 1000; 1000 when the
/// request has no Accept. The most specific range decides; parameters other than `q` are not looked at; a malformed
/// range counts for nothing.
[[nodiscard]] int quality_of(const Request& request, std::string_view media_type);

[[nodiscard]] bool accepts(const Request& request, std::string_view media_type);

/// True when Accept has room for text/plain and for no JSON.
[[nodiscard]] bool asks_only_for_plain_text(const Request& request);

/// Which of `offers` the client likes best, the first of equals; nullopt when it accepts none.
[[nodiscard]] std::optional<std::size_t> preferred(const Request& request, std::span<const std::string_view> offers);

/// True when Accept names `media_type` itself, not only by a wildcard, and does not refuse it.
[[nodiscard]] bool names_in_accept(const Request& request, std::string_view media_type);

/// True when the request has one Content-Type and it is `media_type`, whatever its parameters.
[[nodiscard]] bool content_type_is(const Request& request, std::string_view media_type);

/// True for `application/json` with any parameters, and for a request without Content-Type.
[[nodiscard]] bool content_type_is_json(const Request& request);

struct EntityTag {
  bool weak = false;
  std::string_view opaque;  ///< without the quotes
};

/// The entity tags of a record, which are its version: `7` of its value as text, `7-json` of it as JSON, and
/// `7-1f00b4c2` of a record of declared fields where its model has a declaration_mark (engine/engine.hpp). What differs
/// in its bytes must differ in its strong tag (RFC 9110 section 8.8.3), and a condition on any is one on the version.
[[nodiscard]] std::string tag_of(StreamVersion version, bool json);
[[nodiscard]] std::string marked_tag_of(StreamVersion version, std::string_view declaration_mark);
/// The version that a tag names in any form; nullopt for one that was never given out.
[[nodiscard]] std::optional<StreamVersion> version_of_tag(std::string_view opaque);
/// The declaration's mark in a tag; empty when it has none.
[[nodiscard]] std::string_view declaration_mark_of_tag(std::string_view opaque);

/// The value of an If-Match or If-None-Match.
struct EntityTagList {
  bool any = false;  ///< `*`
  std::vector<EntityTag> tags;

  /// For If-Match: weak tags match nothing. `*` matches: the caller asks only about what exists.
  [[nodiscard]] bool matches_strongly(std::string_view opaque) const;
  /// For If-None-Match.
  [[nodiscard]] bool matches_weakly(std::string_view opaque) const;
};

/// The entity tags of the fields of this name (given in lower case), several fields taken as one list; nullopt when
/// there is none. Errors: invalid ("invalid_entity_tag"), when it is neither `*` nor a list of quoted tags.
[[nodiscard]] Result<std::optional<EntityTagList>> entity_tags(const Request& request,
                                                               std::string_view lower_case_name);

}  // namespace annals::http
