#include "model/methods.hpp"

#include <algorithm>
#include <vector>

namespace annals::model {

bool serves(const Model& model, std::string_view method) {
  return model.methods.empty() || std::ranges::find(model.methods, method) != model.methods.end();
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
