#include "model/methods.hpp"

#include <algorithm>

#include "base/did_you_mean.hpp"
#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

constexpr std::string_view methods_expected = "expected a list of methods, of GET, POST, PUT, PATCH and DELETE";

Result<> read_method(Model& model, const Declared& value) {
  const std::string attribute = attribute_of(model, "methods");
  const auto* method = value.as<std::string>();
  if (method == nullptr) return refuse(value.place, attribute + std::string(methods_expected));
  if (*method == "HEAD") return refuse(value.place, attribute + "HEAD goes with GET and is not named");
  if (std::ranges::find(methods_all, *method) == methods_all.end()) {
    const std::vector<std::string> known(methods_all.begin(), methods_all.end());
    return refuse(value.place,
                  attribute + "\"" + method->substr(0, 100) +
                      "\" is not a method that a model can be served with (GET, POST, PUT, PATCH, DELETE)" +
                      did_you_mean(*method, known));
  }
  if (std::ranges::find(model.methods, *method) != model.methods.end())
    return refuse(value.place, attribute + *method + " is named twice");
  model.methods.push_back(*method);
  return {};
}

/// That what has an event of its own can be changed.
Result<> check_events_happen(const Model& model, const Declared& value) {
  if (serves(model, "PUT") || serves(model, "PATCH") || serves(model, "POST")) return {};
  for (const Field& field : model.fields) {
    if (field.event.empty() || field.on_delete == OnDelete::set_null) continue;
    return refuse(value.place, attribute_of(model, "methods") +
                                   "without PUT, PATCH and POST (a rollback) no record changes, and \"" + field.name +
                                   "\" has an event, " + field.event +
                                   ", for when it does; serve one of them as well, or take that away");
  }
  return {};
}

}  // namespace

std::unexpected<Error> refuse_unserved(const Model& model, std::string_view attribute, std::string_view methods,
                                       const Declared& value) {
  return refuse(value.place, attribute_of(model, attribute) +
                                 "nothing would come of it, because the model is served with " + served_methods(model) +
                                 " only; take it away, or serve " + std::string(methods) + " as well");
}

Result<> check_writes_happen(const Model& model, std::string_view attribute, const Declared& value) {
  for (const ApiOperation one : {ApiOperation::create, ApiOperation::update, ApiOperation::remove}) {
    if (can_happen(model, one)) return {};
  }
  return refuse_unserved(model, attribute, "a method that writes", value);
}

Result<> check_shows_past(const Model& model, std::string_view attribute, const Declared& value) {
  if (serves(model, "GET") || serves(model, "POST")) return {};
  return refuse_unserved(model, attribute, "GET", value);
}

extern const ModelAttribute methods_attribute;
const ModelAttribute methods_attribute{
    .name = "methods",
    .of_kv = false,
    .of_resource = true,
    .sentence =
        "The methods of HTTP that it is served with, of `GET` (and HEAD), `POST` (rollbacks, too), `PUT`, `PATCH` "
        "and `DELETE`; others are 405, and refused in a batch. Default: all.",
    .change = "Nothing of what is stored changes.",
    .accepted = R"(methods = ["GET", "POST"])",
    .refused = "methods = []",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* methods = value.as<Declared::List>();
      if (methods == nullptr)
        return refuse(value.place, attribute_of(declared.model, "methods") + std::string(methods_expected));
      if (methods->empty()) {
        return refuse(value.place, attribute_of(declared.model, "methods") +
                                       "the list is empty; a model without methods would be served to nobody");
      }
      for (const Declared& one : *methods) TRY(read_method(declared.model, one));
      return {};
    },
    .tell =
        [](std::string& out, const Model& model) {
          if (model.methods.empty() || model.methods.size() == methods_all.size()) return;
          std::vector<std::string> served;
          for (const std::string_view method : methods_all) {
            if (serves(model, method)) served.emplace_back(method);
          }
          append_texts(out, served);
        },
    .suits = [](const Model& model, const Declared& value) -> Result<> {
      TRY(check_events_happen(model, value));
      if (serves(model, "GET")) return {};
      for (const Field& field : model.fields) {
        if (!field.indexed && !field.bloom_filter) continue;
        return refuse(value.place, attribute_of(model, "methods") + "without GET there are no lists, for which \"" +
                                       field.name + "\" is to be " + (field.indexed ? "indexed" : "in a bloom_filter") +
                                       "; serve GET as well, or take that away");
      }
      return {};
    },
};

}  // namespace annals::model
