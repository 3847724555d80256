#include "http/routes/paths.hpp"

#include "model/resource.hpp"

namespace annals::http {

std::optional<ModelPath> model_of(const engine::Engine& engine, std::string_view path) {
  for (std::size_t model = 0; model < engine.models(); ++model) {
    for (const std::string& base : engine.model(model).paths) {
      if (!path.starts_with(base)) continue;
      const std::string_view rest = path.substr(base.size());
      if (rest.empty() || rest.front() == '/') return ModelPath{model, rest};
    }
  }
  return std::nullopt;
}

Result<std::string> key_in_path(const model::Model& model, std::string key) {
  TRY(model::check_key(key));
  if (model.profile != model::Profile::resource) return key;
  auto canonical = model::canonical_key(model, key);
  if (canonical) return *std::move(canonical);
  return fail(ErrorKind::not_found, "not_found", "no " + model.name + " can have this key");
}

}  // namespace annals::http
