// Whether the directory of the store is still where it was opened, and its indexes still in it.

#include "store/embedded/embedded_store.hpp"

namespace annals::store {

namespace {

/// The directory of indexes has a name for each segment, so it is not read each time.
constexpr std::uint64_t checks_between_indexes = 10;

}  // namespace

void EmbeddedStore::check_place() {
  if (!background_) return;
  log_->check_place();
  if (place_checks_.fetch_add(1) % checks_between_indexes != 0) return;
  log_->check_indexes();
  sealed_->check_files();
}

}  // namespace annals::store
