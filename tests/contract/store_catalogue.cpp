#include "tests/contract/store_catalogue.hpp"

#include <filesystem>
#include <string>

#include "platform/simulated.hpp"
#include "store/embedded_store.hpp"
#include "store/memory_store.hpp"

namespace annals::contract {
namespace {

class MemoryPlace final : public StorePlace {
 public:
  explicit MemoryPlace(const platform::Platform& platform) : platform_(platform) {}
  [[nodiscard]] Result<std::unique_ptr<EventStore>> open() override { return store::make_memory_store(platform_); }

 private:
  platform::Platform platform_;
};

/// An embedded store in `directory` of some file system. Small segments, so that a test of a few hundred events fills
/// several.
class EmbeddedPlace : public StorePlace {
 public:
  EmbeddedPlace(const platform::Platform& platform, platform::FileSystem& files, std::string directory, GroupSize size,
                store::Sync sync)
      : platform_{platform.clock, platform.random, files, platform.log} {
    options_.directory = std::move(directory);
    options_.segment_bytes = size == GroupSize::small ? 256u << 10 : 64u << 20;
    options_.sync = sync;
  }

  [[nodiscard]] Result<std::unique_ptr<EventStore>> open() override {
    return store::open_embedded_store(options_, platform_, *background_);
  }

 private:
  platform::Platform platform_;
  store::EmbeddedOptions options_;
  std::unique_ptr<platform::Executor> background_ = platform::make_thread_executor("background");
};

/// A directory that no other test has, removed with all that is in it at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory()
      : path_((std::filesystem::temp_directory_path() /
               ("annals-contract-" +
                platform::make_uuid(platform::system_clock().now(), platform::system_random()).to_text()))
                  .string()) {}
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <store::Sync sync>
class EmbeddedOnFiles final : public StorePlace {
 public:
  EmbeddedOnFiles(const platform::Platform& platform, GroupSize size)
      : place_(platform, platform::posix_files(), directory_.path(), size, sync) {}
  [[nodiscard]] Result<std::unique_ptr<EventStore>> open() override { return place_.open(); }

 private:
  TemporaryDirectory directory_;
  EmbeddedPlace place_;
};

class EmbeddedOnSimulatedFiles final : public StorePlace {
 public:
  EmbeddedOnSimulatedFiles(const platform::Platform& platform, GroupSize size)
      : place_(platform, files_, "/data/annals", size, store::Sync::group) {}
  [[nodiscard]] Result<std::unique_ptr<EventStore>> open() override { return place_.open(); }

 private:
  platform::SimulatedFileSystem files_;
  EmbeddedPlace place_;
};

template <class Place>
std::unique_ptr<StorePlace> make(const platform::Platform& platform, GroupSize size) {
  if constexpr (std::is_constructible_v<Place, const platform::Platform&, GroupSize>) {
    return std::make_unique<Place>(platform, size);
  } else {
    return std::make_unique<Place>(platform);
  }
}

constexpr StoreUnderTest catalogue[] = {
    {"memory", false, make<MemoryPlace>},
    {"embedded_on_files", true, make<EmbeddedOnFiles<store::Sync::group>>},
    {"embedded_flushing_now_and_then", true, make<EmbeddedOnFiles<store::Sync::periodic>>},
    {"embedded_on_simulated_files", true, make<EmbeddedOnSimulatedFiles>},
};

}  // namespace

std::span<const StoreUnderTest> stores_under_test() {
  return catalogue;
}

}  // namespace annals::contract
