#include "model/audited_operations.hpp"

#include <utility>

namespace annals::model {

bool is_audited(const Model& model, ApiOperation operation) {
  return model.operations[std::to_underlying(operation)].audited.value_or(model.audited);
}

bool is_audited(const Model& model) {
  return is_audited(model, ApiOperation::create) || is_audited(model, ApiOperation::update) ||
         is_audited(model, ApiOperation::remove);
}

ApiOperation operation_of(const Model& model, std::string_view event_type) {
  if (event_type == model.created_type) return ApiOperation::create;
  return event_type == model.deleted_type ? ApiOperation::remove : ApiOperation::update;
}

}  // namespace annals::model
