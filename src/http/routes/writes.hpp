#pragma once
// What requests that change something have in common. Functions without state; confined to the call's I/O thread.

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/faults.hpp"
#include "engine/command.hpp"
#include "http/problem.hpp"
#include "http/request.hpp"
#include "http/routes/call.hpp"
#include "http/routes/query_parameters.hpp"
#include "json/reader.hpp"

namespace annals::http {

inline constexpr std::string_view anonymous = "anonymous";
inline constexpr std::string_view merge_patch_type = "application/merge-patch+json";  ///< of PATCH; JSON will do, too

/// `cipher` is that of secrets that the body may hold, or null: then the request is remembered in a form that nobody
/// without the keys can try guesses on. Errors: invalid ("invalid_idempotency_key").
[[nodiscard]] Result<std::optional<engine::Idempotency>> idempotency_of(const Request& request,
                                                                        const model::SecretCipher* cipher = nullptr);

/// The answer that a request with this key got before, or that its key came with another one; nullopt when it is to be
/// worked on. To be asked before the state is looked at, which may have changed since.
[[nodiscard]] std::optional<Result<engine::Receipt>> answered_before(
    const Call& call, const std::optional<engine::Idempotency>& idempotency);

/// What a repeated request is told whose path was of another model when it was done. Errors: unprocessable
/// ("idempotency_key_reused").
[[nodiscard]] std::unexpected<Error> path_was_anothers();

/// Has the writer give a refusal that follows from the state: of a request with a key it may know better, because the
/// first of two twins has been recorded meanwhile.
[[nodiscard]] std::function<Result<engine::Plan>()> refusal(Error error);

/// What If-Match and If-None-Match demand. Errors: invalid ("invalid_precondition", "invalid_entity_tag").
[[nodiscard]] Result<model::Precondition> precondition_of(const Request& request);

/// `?dry_run=`. Errors: invalid ("invalid_dry_run"), for what is neither true nor false.
[[nodiscard]] Result<bool> dry_run_of(const QueryParameters& parameters);

/// The value in the body of a PUT of kv. Errors: unprocessable ("invalid_body", with faults), too_large.
[[nodiscard]] Result<SharedText> kv_value_of(const model::Model& model, const json::Object& body,
                                             Faults::Limits limits = {});

/// False after having refused a body with a Content-Encoding.
[[nodiscard]] bool body_is_plain(const Request& request, Call& call);

/// What every write of one record has in common, `?dry_run=` included; the command is still without its value.
[[nodiscard]] Result<engine::WriteRequest> write_request(const Request& request, const Call& call,
                                                         model::Operation operation);

/// Has the writer do it, and sends the reply. `created_at`: see send_resource.
void submit(engine::WriteRequest&& write, Call&& call, std::string created_at = {});

/// False after having refused a body that does not say that it is JSON, or is coded; also when it is still to come.
/// `example`: a command whose body the route would take.
[[nodiscard]] bool body_is_json(const Request& request, Call& call, std::string_view example);

/// The body as a JSON object, whatever its type; refuses and gives nothing when it is none. Of a body that is still to
/// come it gives nothing.
[[nodiscard]] std::optional<json::Object> plain_body_of(const Request& request, Call& call);

/// The body as a JSON object; refuses and gives nothing when it is none. `example`: as body_is_json.
[[nodiscard]] std::optional<json::Object> body_of(const Request& request, Call& call, std::string_view example);

/// Adds the members of a body that the route does not know, as many as are told.
void add_unknown(Faults& faults, const json::Object& body, std::initializer_list<std::string_view> known);

/// 422 "invalid_body". `form`: what the body is not.
[[nodiscard]] Error invalid_body(const std::string& form, Faults faults);

/// Once the request has been found valid, and before anything is decided.
void log_operation(const Request& request, const Call& call, std::string_view operation);

}  // namespace annals::http
