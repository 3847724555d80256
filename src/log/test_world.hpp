#pragma once
// A simulated world for tests: everything that a component asks of its platform, held still and in the test's hands.
// Confined to the test's thread.

#include <atomic>
#include <cstdint>
#include <functional>

#include "platform/simulated.hpp"

namespace annals::log {

struct TestWorld {
  explicit TestWorld(std::uint64_t seed = 1) : random(seed) {}

  [[nodiscard]] platform::Platform platform() { return {clock, random, files, log}; }

  platform::SimulatedClock clock;
  platform::SimulatedRandom random;
  platform::SimulatedFileSystem files;
  platform::CollectingLogger log;
  platform::SteppedExecutor background{clock};
};

/// Files of another file system, with something that happens before each of their flushes, and what was read of them
/// counted.
class HookedFiles final : public platform::FileSystem {
 public:
  explicit HookedFiles(
      platform::FileSystem& files, std::function<void()> before_flush = [] {})
      : files_(files), before_flush_(std::move(before_flush)) {}

  /// What happens instead of flushing the names of a directory and of those above it.
  void on_flush_names_above(std::function<Result<>(const std::string& path)> call) {
    flush_names_above_ = std::move(call);
  }

  /// How many bytes have been read since the last call.
  [[nodiscard]] std::uint64_t take_bytes_read() { return bytes_read_.exchange(0); }

  Result<> create_directories(const std::string& path) override { return files_.create_directories(path); }
  Result<std::vector<std::string>> list(const std::string& path) const override { return files_.list(path); }
  Result<bool> exists(const std::string& path) const override { return files_.exists(path); }
  Result<platform::EntryKind> kind_of(const std::string& path) const override { return files_.kind_of(path); }
  Result<std::unique_ptr<platform::File>> create(const std::string& path) override {
    return hooked(files_.create(path));
  }
  Result<std::unique_ptr<platform::File>> open(const std::string& path) override { return hooked(files_.open(path)); }
  Result<std::unique_ptr<platform::File>> open_to_read(const std::string& path) const override {
    return hooked(files_.open_to_read(path));
  }
  Result<> rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Result<> remove(const std::string& path) override { return files_.remove(path); }
  Result<> remove_directory(const std::string& path) override { return files_.remove_directory(path); }
  Result<> flush_directory(const std::string& path) override { return files_.flush_directory(path); }
  Result<> flush_names_above(const std::string& path) override { return flush_names_above_(path); }
  Result<std::unique_ptr<platform::DirectoryLock>> lock_directory(const std::string& path) override {
    return files_.lock_directory(path);
  }

 private:
  class HookedFile final : public platform::File {
   public:
    HookedFile(const HookedFiles& hook, std::unique_ptr<platform::File> file) : hook_(hook), file_(std::move(file)) {}
    Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t size) const override {
      const auto count = file_->read_at(offset, into, size);
      hook_.bytes_read_ += count.value_or(0);
      return count;
    }
    Result<> write_at(std::uint64_t offset, std::string_view bytes) override { return file_->write_at(offset, bytes); }
    Result<> flush() override {
      hook_.before_flush_();
      return file_->flush();
    }
    Result<std::uint64_t> size() const override { return file_->size(); }

   private:
    const HookedFiles& hook_;
    std::unique_ptr<platform::File> file_;
  };

  Result<std::unique_ptr<platform::File>> hooked(Result<std::unique_ptr<platform::File>> file) const {
    if (!file) return file;
    return std::make_unique<HookedFile>(*this, *std::move(file));
  }

  platform::FileSystem& files_;
  const std::function<void()> before_flush_;
  std::function<Result<>(const std::string& path)> flush_names_above_ = [](const std::string&) { return Result<>{}; };
  mutable std::atomic<std::uint64_t> bytes_read_{0};
};

}  // namespace annals::log
