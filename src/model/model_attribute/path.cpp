#include "model/model_attribute.hpp"

namespace annals::model {
namespace {

bool has_dot_segment(const std::string& path) {
  const std::string closed = path + "/";
  return closed.find("/./") != std::string::npos || closed.find("/../") != std::string::npos;
}

Result<> read_path(DeclaredModel& declared, const Declared& value) {
  const std::string attribute = attribute_of(declared.model, "path");
  const auto* path = value.as<std::string>();
  if (path == nullptr) return refuse(value.place, attribute + "expected a path in quotes, or a list of them");
  bool good = path->size() >= 2 && path->size() <= 200 && path->front() == '/' && path->back() != '/' &&
              path->find("//") == std::string::npos;
  for (char character : *path) {
    good = good && ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                    (character >= '0' && character <= '9') ||
                    std::string_view("/-_.~").find(character) != std::string_view::npos);
  }
  if (!good) {
    return refuse(value.place, attribute + "\"" + path->substr(0, 100) +
                                   "\" is not a path such as \"/config\" (letters, digits and -_.~ between slashes)");
  }
  if (has_dot_segment(*path)) {
    return refuse(value.place, attribute + "\"" + *path +
                                   "\" has a segment . or .., which clients resolve before they ask; choose another");
  }
  for (const std::string& taken : declared.model.paths) {
    if (paths_overlap(*path, taken)) {
      return refuse(value.place,
                    attribute + "\"" + *path + "\" lies with \"" + taken + "\" of the same model; choose paths apart");
    }
  }
  declared.model.paths.push_back(*path);
  declared.path_places.push_back(value.place);
  return {};
}

}  // namespace

bool paths_overlap(std::string_view one, std::string_view other) {
  const auto lies_in = [](std::string_view inner, std::string_view outer) {
    return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/';
  };
  return one == other || lies_in(one, other) || lies_in(other, one);
}

extern const ModelAttribute path_attribute;
const ModelAttribute path_attribute{
    .name = "path",
    .of_kv = true,
    .of_resource = true,
    .sentence = "Where it is served, such as `\"/config\"`, or a list of paths; needed.",
    .change = "Nothing of what is stored changes: streams have the name of the model, and not its paths.",
    .accepted = R"(path = ["/products", "/v1/products"])",
    .refused = R"(path = "products")",
    .declare = [](DeclaredModel& declared, const Declared& value) -> Result<> {
      const auto* several = value.as<Declared::List>();
      if (several == nullptr || several->empty()) return read_path(declared, value);
      for (const Declared& one : *several) TRY(read_path(declared, one));
      return {};
    },
    .tell = [](std::string& out, const Model& model) { append_texts(out, model.paths); },
};

}  // namespace annals::model
