#pragma once
// Replies to writes that were decided and not recorded: `{"events": [...], "state": {...}}`. An event is shown as in a
// history, without what only a recorded one has (its id, position and time); the state as a read would show it, null
// where the record would not exist. Functions without state; confined to the call's I/O thread.

#include <string>

#include "engine/command.hpp"
#include "http/routes/call.hpp"

namespace annals::http {

/// Of a request for the call's key.
void send_dry_run(Call call, const Result<engine::Receipt>& receipt);

/// Appends `"events":[...]`, as the first member of an object. INVARIANT: the receipt is one of a dry run.
void append_drafted(std::string& out, const engine::Engine& engine, const engine::Receipt& receipt);

/// Takes what the command gives to fields that replies do not show out of it, where it is an update: whether a dry run
/// would change one tells whether the value given is the one that is there. What it gives to computed ones stays, since
/// every value of those is refused.
void leave_hidden(const model::Model& model, model::Command& command);

/// A record that the writer left as replies show it. INVARIANT: it is one of the model.
[[nodiscard]] std::string shown_text(const model::Model& model, const SharedText& record);

/// Appends what a command left of its key; null when nothing.
void append_state(std::string& out, const model::Model& model, std::string_view key, const engine::KeyReceipt& left);

}  // namespace annals::http
