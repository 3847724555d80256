#include <algorithm>
#include <filesystem>
#include <set>

#include "base/invariant.hpp"
#include "platform/simulated.hpp"
#include "platform/simulated/disk.hpp"

namespace annals::platform {
namespace {

using Fault = SimulatedFileSystem::Fault;

std::string normal(const std::string& path) {
  std::string text = std::filesystem::path(path).lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::unexpected<Error> refused(const std::string& path, std::string_view why) {
  return fail(ErrorKind::input_output, path + ": " + std::string(why));
}

std::unexpected<Error> full(const std::string& path) {
  return fail(ErrorKind::input_output, "disk_full", path + ": no room is left on the simulated disk");
}

std::unexpected<Error> missing(const std::string& path) {
  return fail(ErrorKind::not_found, path + " does not exist");
}

std::unexpected<Error> failure_of(Fault fault, const std::string& path) {
  if (fault == Fault::disk_full) return full(path);
  return refused(path, fault == Fault::power_loss ? "the power is out" : "a fault was set on this step");
}

}  // namespace

struct SimulatedFileSystem::State {
  std::mutex mutex;
  SimulatedDisk disk;
  std::set<std::string> directories{"/", "."};
  std::map<std::string, std::uint64_t> locks;  // directory to the number of its lock
  std::uint64_t locks_taken = 0;
  std::uint64_t process = 1;  // a file or lock of an earlier process is dead
  std::uint64_t steps = 0;
  std::map<std::uint64_t, Fault> faults;
  std::optional<std::uint64_t> capacity;
  bool powered = true;

  /// Counts a step and says what goes wrong with it.
  std::optional<Fault> step() {
    ++steps;
    if (!powered) return Fault::power_loss;
    const auto found = faults.find(steps);
    if (found == faults.end()) return std::nullopt;
    return found->second;
  }

  /// How much of a write of `size` bytes that grows the disk's use by `growth` there is room for.
  [[nodiscard]] std::uint64_t room_for(std::uint64_t size, std::uint64_t growth) const {
    if (!capacity) return size;
    const std::uint64_t used = disk.bytes_used();
    const std::uint64_t room = *capacity > used ? *capacity - used : 0;
    return growth <= room ? size : size - std::min(size, growth - room);
  }

  void end_process() {
    ++process;
    locks.clear();
  }
};

namespace {

using State = SimulatedFileSystem::State;

class SimulatedFile final : public File {
 public:
  SimulatedFile(std::shared_ptr<State> state, InodePointer inode, std::string path, bool writable)
      : state_(std::move(state)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        process_(state_->process) {}

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t size) const override {
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive());
    if (offset >= inode_->cached.size()) return std::size_t{0};
    return inode_->cached.copy(into, size, static_cast<std::size_t>(offset));
  }

  [[nodiscard]] Result<> write_at(std::uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive());
    if (!writable_) return refused(path_, "it was opened to be read");
    const bool was_powered = state_->powered;
    if (const std::optional<Fault> fault = state_->step()) {
      if (fault == Fault::disk_full || fault == Fault::short_write) {
        state_->disk.write(*inode_, offset, bytes.substr(0, bytes.size() / 2));
      }
      if (fault == Fault::power_loss && was_powered) {
        // The write was under way: what of it gets to the disk is for crash() to say.
        state_->powered = false;
        state_->disk.write(*inode_, offset, bytes);
      }
      return failure_of(*fault, path_);
    }
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t growth = end > inode_->cached.size() ? end - inode_->cached.size() : 0;
    const std::uint64_t room = state_->room_for(bytes.size(), growth);
    state_->disk.write(*inode_, offset, bytes.substr(0, static_cast<std::size_t>(room)));
    if (room < bytes.size()) return full(path_);
    return {};
  }

  [[nodiscard]] Result<> flush() override {
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive());
    if (const std::optional<Fault> fault = state_->step()) {
      if (fault == Fault::power_loss) state_->powered = false;
      if (fault == Fault::fail_dirty) state_->disk.forget(*inode_);
      return failure_of(*fault, path_);
    }
    state_->disk.flush(*inode_);
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size() const override {
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive());
    return inode_->cached.size();
  }

 private:
  Result<> check_alive() const {
    if (process_ != state_->process) return refused(path_, "it was opened by a process that is dead");
    return {};
  }

  std::shared_ptr<State> state_;  // shared with the file system, which may go first
  InodePointer inode_;
  std::string path_;
  bool writable_;
  std::uint64_t process_;
};

class SimulatedLock final : public DirectoryLock {
 public:
  SimulatedLock(std::shared_ptr<State> state, std::string directory, std::uint64_t number)
      : state_(std::move(state)),
        directory_(std::move(directory)),
        number_(number),
        file_(state_->disk.find(normal(join_path(directory_, "LOCK")))) {}

  ~SimulatedLock() override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->locks.find(directory_);
    // After a crash the directory may be locked by somebody else.
    if (found != state_->locks.end() && found->second == number_) state_->locks.erase(found);
  }

  [[nodiscard]] Result<bool> is_in_place() const override {
    const std::lock_guard lock(state_->mutex);
    return state_->disk.find(normal(join_path(directory_, "LOCK"))) == file_;
  }

 private:
  std::shared_ptr<State> state_;  // shared with the file system, which may go first
  std::string directory_;
  std::uint64_t number_;
  InodePointer file_;
};

/// Runs one operation on names as a step. A loss of power comes while it is under way: whether it happened is for
/// crash() to say.
template <class Change>
Result<> change_names(State& state, const std::string& path, Change change) {
  const bool was_powered = state.powered;
  if (const std::optional<Fault> fault = state.step()) {
    if (fault == Fault::power_loss && was_powered) {
      state.powered = false;
      change();
    }
    return failure_of(*fault, path);
  }
  change();
  return {};
}

Result<std::unique_ptr<File>> open_existing(const std::shared_ptr<State>& state, const std::string& path,
                                            bool writable) {
  const std::lock_guard lock(state->mutex);
  InodePointer inode = state->disk.find(path);
  if (!inode) return missing(path);
  return std::make_unique<SimulatedFile>(state, std::move(inode), path, writable);
}

}  // namespace

SimulatedFileSystem::SimulatedFileSystem() : state_(std::make_shared<State>()) {}
SimulatedFileSystem::~SimulatedFileSystem() = default;

std::uint64_t SimulatedFileSystem::steps() const {
  const std::lock_guard lock(state_->mutex);
  return state_->steps;
}

void SimulatedFileSystem::fault_at(std::uint64_t step, Fault fault) {
  const std::lock_guard lock(state_->mutex);
  INVARIANT(step > state_->steps, "a fault is set on a step that is still to come");
  state_->faults[step] = fault;
}

void SimulatedFileSystem::set_capacity(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

void SimulatedFileSystem::crash(Survival survival, SimulatedRandom& dice) {
  const std::lock_guard lock(state_->mutex);
  state_->end_process();
  state_->disk.lose_power(survival, dice);
  state_->powered = true;
}

void SimulatedFileSystem::kill_process() {
  const std::lock_guard lock(state_->mutex);
  state_->end_process();
}

void SimulatedFileSystem::damage(const std::string& path, const std::function<void(std::string& bytes)>& change) {
  const std::lock_guard lock(state_->mutex);
  const InodePointer inode = state_->disk.find(normal(path));
  INVARIANT(inode != nullptr, "only a file that exists can be damaged");
  change(inode->cached);
  inode->durable = inode->cached;
  state_->disk.forget(*inode);
}

Result<> SimulatedFileSystem::create_directories(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->powered) return failure_of(Fault::power_loss, path);
  for (std::string directory = normal(path); !state_->directories.contains(directory);
       directory = directory_of(directory)) {
    if (state_->disk.find(directory)) return refused(path, "a file is in the way");
    state_->directories.insert(directory);
  }
  return {};
}

Result<std::vector<std::string>> SimulatedFileSystem::list(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  const std::string directory = normal(path);
  if (state_->disk.find(directory))
    return fail(ErrorKind::corrupt, "not_a_directory", path + " is a file; a directory is expected there");
  if (!state_->directories.contains(directory)) return missing(path);
  std::set<std::string> names;
  const auto add = [&](const std::string& entry) {
    if (entry != directory && entry != "." && directory_of(entry) == directory) {
      names.insert(entry.substr(entry.rfind('/') + 1));
    }
  };
  for (const std::string& entry : state_->directories) add(entry);
  for (const auto& [entry, inode] : state_->disk.names()) add(entry);
  return std::vector<std::string>(names.begin(), names.end());
}

Result<bool> SimulatedFileSystem::exists(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->disk.find(normal(path)) != nullptr || state_->directories.contains(normal(path));
}

Result<EntryKind> SimulatedFileSystem::kind_of(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  if (state_->disk.find(normal(path))) return EntryKind::file;
  return state_->directories.contains(normal(path)) ? EntryKind::directory : EntryKind::none;
}

Result<std::unique_ptr<File>> SimulatedFileSystem::create(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string name = normal(path);
  if (!state_->directories.contains(directory_of(name))) return refused(path, "its directory does not exist");
  if (state_->disk.find(name) || state_->directories.contains(name)) {
    return fail(ErrorKind::conflict, path + " exists");
  }
  TRY(change_names(*state_, path, [&] { state_->disk.make(name); }));
  return std::make_unique<SimulatedFile>(state_, state_->disk.find(name), name, true);
}

Result<std::unique_ptr<File>> SimulatedFileSystem::open(const std::string& path) {
  return open_existing(state_, normal(path), true);
}

Result<std::unique_ptr<File>> SimulatedFileSystem::open_to_read(const std::string& path) const {
  return open_existing(state_, normal(path), false);
}

Result<> SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  const std::string old_name = normal(from);
  const std::string new_name = normal(to);
  if (!state_->disk.find(old_name)) return missing(from);
  INVARIANT(directory_of(old_name) == directory_of(new_name), "nothing here moves a file to another directory");
  if (state_->directories.contains(new_name)) return refused(to, "it is a directory");
  return change_names(*state_, from, [&] { state_->disk.rename(old_name, new_name); });
}

Result<> SimulatedFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string name = normal(path);
  if (!state_->disk.find(name)) return missing(path);
  return change_names(*state_, path, [&] { state_->disk.remove(name); });
}

Result<> SimulatedFileSystem::remove_directory(const std::string& path) {
  if (!TRY(list(path)).empty()) return refused(path, "something is in it");
  const std::lock_guard lock(state_->mutex);
  if (!state_->powered) return failure_of(Fault::power_loss, path);
  state_->directories.erase(normal(path));
  return {};
}

Result<> SimulatedFileSystem::flush_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string directory = normal(path);
  if (!state_->directories.contains(directory)) return missing(path);
  if (const std::optional<Fault> fault = state_->step()) {
    if (fault == Fault::power_loss) state_->powered = false;
    if (fault == Fault::fail_dirty) state_->disk.forget_names(directory);
    return failure_of(*fault, path);
  }
  state_->disk.flush_names(directory);
  return {};
}

Result<std::unique_ptr<DirectoryLock>> SimulatedFileSystem::lock_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string directory = normal(path);
  if (!state_->powered) return failure_of(Fault::power_loss, path);
  if (!state_->directories.contains(directory)) return missing(path);
  if (state_->locks.contains(directory)) {
    return fail(ErrorKind::conflict, "directory_locked",
                "directory " + path + " is in use by process " + std::to_string(state_->process));
  }
  const std::string lock_file = normal(join_path(directory, "LOCK"));
  if (!state_->disk.find(lock_file)) {
    state_->disk.make_durably(lock_file, std::to_string(state_->process) + "\n");
  }
  state_->locks[directory] = ++state_->locks_taken;
  return std::make_unique<SimulatedLock>(state_, directory, state_->locks_taken);
}

}  // namespace annals::platform
