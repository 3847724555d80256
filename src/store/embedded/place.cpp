// Whether the directory of the store is still where it was opened.

#include "store/embedded/embedded_store.hpp"

namespace annals::store {

void EmbeddedStore::check_place() {
  if (background_) log_->check_place();
}

}  // namespace annals::store
