#include "http/routes/dry_run.hpp"

#include "base/invariant.hpp"
#include "json/writer.hpp"
#include "model/exposure.hpp"

namespace annals::http {

void leave_hidden(const model::Model& model, model::Command& command) {
  if (!model.hides || command.operation != model::Operation::update) return;
  std::erase_if(command.given, [&](const model::GivenField& given) {
    const model::Field& field = model.fields[given.field];
    return !field.exposed && !field.computed;  // of a computed one every value is refused, which tells nothing
  });
}

std::string shown_text(const model::Model& model, const SharedText& record) {
  const auto shown = model::shown_record(model, record);
  INVARIANT(shown && *shown, "what the writer left is a record of the model");
  return std::string(**shown);
}

void append_drafted(std::string& out, const engine::Engine& engine, const engine::Receipt& receipt) {
  INVARIANT(receipt.told != nullptr, "a dry run tells what it would have recorded");
  json::append_member(out, "events");
  out += '[';
  for (const StreamAppend& append : receipt.told->drafted) {
    const model::Model* model = engine.model_of(append.stream);
    StreamVersion version = append.expected.version();
    for (const NewEvent& event : append.events) {
      version = version.next();
      out += out.back() == '[' ? "{" : ",{";
      json::append_member(out, "event_type", model ? model->event_type_prefix + event.type : event.type);
      json::append_member(out, "stream", append.stream);
      json::append_member(out, "stream_version", version.value);
      json::append_member(out, "data");
      out += model && model->hides ? model::shown_data(*model, event.type, event.data) : event.data;
      out += '}';
    }
  }
  out += ']';
}

void append_state(std::string& out, const model::Model& model, std::string_view key, const engine::KeyReceipt& left) {
  if (!left.value) {
    out += "null";
  } else if (model.profile == model::Profile::resource) {
    out += shown_text(model, left.value);
  } else {
    out += '{';
    json::append_member(out, "name", key);
    json::append_member(out, "value", *left.value);
    json::append_member(out, "version", left.version.value);
    out += '}';
  }
}

void send_dry_run(Call call, const Result<engine::Receipt>& receipt) {
  call.position = call.position_of_table();
  if (!receipt) return call.refuse(receipt.error());
  std::string body = "{";
  append_drafted(body, call.engine, *receipt);
  json::append_member(body, "state");
  append_state(body, call.the_model(), call.key, {receipt->version, receipt->value});
  Response response;
  response.content_type = "application/json";
  response.body = body + "}";
  call.send(std::move(response));
}

}  // namespace annals::http
