#include "model/methods.hpp"

#include <algorithm>
#include <vector>

namespace annals::model {

bool serves(const Model& model, std::string_view method) {
  return model.methods.empty() || std::ranges::find(model.methods, method) != model.methods.end();
}

bool can_happen(const Model& model, ApiOperation operation) {
  const auto goes_with = [&](OnDelete on_delete) {
    return std::ranges::any_of(model.fields, [on_delete](const Field& field) {
      return !field.references.empty() && field.on_delete == on_delete;
    });
  };
  switch (operation) {
    case ApiOperation::list:
    case ApiOperation::get: return serves(model, "GET");
    case ApiOperation::create: return serves(model, "POST");
    case ApiOperation::update:
      return serves(model, "PUT") || serves(model, "PATCH") || serves(model, "POST") || goes_with(OnDelete::set_null);
    case ApiOperation::remove: return serves(model, "DELETE") || goes_with(OnDelete::cascade);
  }
  return true;
}

std::string_view methods_of(ApiOperation operation) {
  switch (operation) {
    case ApiOperation::list:
    case ApiOperation::get: return "GET";
    case ApiOperation::create: return "POST";
    case ApiOperation::update: return "PUT, PATCH or POST (a rollback)";
    case ApiOperation::remove: return "DELETE";
  }
  return "";
}

std::string served_methods(const Model& model) {
  std::vector<std::string_view> served;
  for (const std::string_view method : methods_all) {
    if (serves(model, method)) served.push_back(method);
  }
  std::string text;
  for (std::size_t place = 0; place < served.size(); ++place) {
    if (place > 0) text += place + 1 == served.size() ? " and " : ", ";
    text += served[place];
  }
  return text;
}

}  // namespace annals::model
