#include "platform/simulated/disk.hpp"

#include <algorithm>
#include <set>

#include "base/invariant.hpp"

namespace annals::platform {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

InodePointer SimulatedDisk::find(const std::string& path) const {
  const auto found = cached_names_.find(path);
  return found == cached_names_.end() ? nullptr : found->second;
}

void SimulatedDisk::make(const std::string& path) {
  const auto inode = std::make_shared<Inode>();
  inodes_.push_back(inode);
  cached_names_[path] = inode;
  change_name({.removed = {}, .made = path, .inode = inode});
}

void SimulatedDisk::rename(const std::string& from, const std::string& to) {
  const InodePointer inode = find(from);
  cached_names_.erase(from);
  cached_names_[to] = inode;
  change_name({.removed = from, .made = to, .inode = inode});
}

void SimulatedDisk::remove(const std::string& path) {
  cached_names_.erase(path);
  change_name({.removed = path, .made = {}, .inode = nullptr});
}

void SimulatedDisk::make_durably(const std::string& path, std::string_view bytes) {
  const auto inode = std::make_shared<Inode>(Inode{std::string(bytes), std::string(bytes), {}});
  inodes_.push_back(inode);
  cached_names_[path] = inode;
  durable_names_[path] = inode;
}

void SimulatedDisk::change_name(NameChange change) {
  change.sequence = ++sequence_;
  name_changes_.push_back(std::move(change));
}

void SimulatedDisk::write(Inode& inode, std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  const std::uint64_t end = offset + bytes.size();
  // A write beyond the end dirties the hole too: it is part of what the file must read as.
  const std::uint64_t changed_from = std::min<std::uint64_t>(offset, inode.cached.size());
  if (inode.cached.size() < end) inode.cached.resize(end);
  std::ranges::copy(bytes, inode.cached.begin() + static_cast<std::ptrdiff_t>(offset));

  const std::uint64_t image_begin = changed_from / sector_bytes * sector_bytes;
  const std::uint64_t image_end =
      std::min<std::uint64_t>((end + sector_bytes - 1) / sector_bytes * sector_bytes, inode.cached.size());
  inode.dirty.push_back({.sequence = ++sequence_,
                         .begin = image_begin,
                         .written_begin = changed_from,
                         .written_end = end,
                         .image = inode.cached.substr(image_begin, image_end - image_begin)});
}

void SimulatedDisk::flush(Inode& inode) {
  for (const DirtySectors& dirty : inode.dirty) apply(inode, dirty.begin, dirty.image);
  inode.dirty.clear();
}

void SimulatedDisk::apply(Inode& inode, std::uint64_t begin, std::string_view bytes) {
  if (inode.durable.size() < begin + bytes.size()) inode.durable.resize(begin + bytes.size());
  std::ranges::copy(bytes, inode.durable.begin() + static_cast<std::ptrdiff_t>(begin));
}

void SimulatedDisk::apply(const NameChange& change) {
  if (!change.removed.empty()) durable_names_.erase(change.removed);
  if (!change.made.empty()) durable_names_[change.made] = change.inode;
}

namespace {

bool is_in(const NameChange& change, const std::string& directory) {
  return directory_of(change.made.empty() ? change.removed : change.made) == directory;
}

}  // namespace

void SimulatedDisk::flush_names(const std::string& directory) {
  for (const NameChange& change : name_changes_) {
    if (is_in(change, directory)) apply(change);
  }
  forget_names(directory);
}

void SimulatedDisk::forget_names(const std::string& directory) {
  std::erase_if(name_changes_, [&](const NameChange& change) { return is_in(change, directory); });
}

std::uint64_t SimulatedDisk::bytes_used() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, inode] : cached_names_) bytes += inode->cached.size();
  return bytes;
}

std::vector<InodePointer> SimulatedDisk::living() const {
  std::vector<InodePointer> inodes;
  for (const std::weak_ptr<Inode>& weak : inodes_) {
    if (InodePointer inode = weak.lock()) inodes.push_back(std::move(inode));
  }
  return inodes;
}

void SimulatedDisk::lose_power(SimulatedFileSystem::Survival survival, SimulatedRandom& dice) {
  using Survival = SimulatedFileSystem::Survival;
  switch (survival) {
    case Survival::nothing: break;
    case Survival::everything: save_everything(); break;
    case Survival::some_sectors:
      save_some_sectors(dice);
      save_some_names(dice);
      break;
    case Survival::a_prefix: save_a_prefix(dice); break;
  }
  name_changes_.clear();
  cached_names_ = durable_names_;
  inodes_.clear();
  for (const auto& [path, inode] : durable_names_) {
    inode->dirty.clear();
    inode->cached = inode->durable;
    inodes_.push_back(inode);
  }
}

void SimulatedDisk::save_everything() {
  for (const InodePointer& inode : living()) flush(*inode);
  for (const NameChange& change : name_changes_) apply(change);
}

void SimulatedDisk::save_some_sectors(SimulatedRandom& dice) {
  for (const InodePointer& inode : living()) {
    for (const DirtySectors& dirty : inode->dirty) {
      for (std::uint64_t at = 0; at < dirty.image.size(); at += sector_bytes) {
        if (dice.below(2) == 0) continue;
        apply(*inode, dirty.begin + at, std::string_view(dirty.image).substr(at, sector_bytes));
      }
    }
  }
}

void SimulatedDisk::save_some_names(SimulatedRandom& dice) {
  std::set<std::string> behind;  // names of which a change was lost
  for (const NameChange& change : name_changes_) {
    const bool follows_loss = behind.contains(change.removed) || behind.contains(change.made);
    if (!follows_loss && dice.below(2) == 1) {
      apply(change);
      continue;
    }
    if (!change.removed.empty()) behind.insert(change.removed);
    if (!change.made.empty()) behind.insert(change.made);
  }
}

void SimulatedDisk::save_a_prefix(SimulatedRandom& dice) {
  // One line of writes and changes of names, in the order of their happening; a change of a name counts as one byte.
  struct Step {
    std::uint64_t sequence;
    std::uint64_t size;
    Inode* inode;
    const DirtySectors* dirty;
    const NameChange* change;
  };
  const std::vector<InodePointer> inodes = living();
  std::vector<Step> line;
  std::uint64_t total = 0;
  for (const InodePointer& inode : inodes) {
    for (const DirtySectors& dirty : inode->dirty) {
      line.push_back({dirty.sequence, dirty.written_end - dirty.written_begin, inode.get(), &dirty, nullptr});
      total += line.back().size;
    }
  }
  for (const NameChange& change : name_changes_) {
    line.push_back({change.sequence, 1, nullptr, nullptr, &change});
    total += 1;
  }
  std::ranges::sort(line, {}, &Step::sequence);

  std::uint64_t left = dice.below(total + 1);
  for (const Step& step : line) {
    if (left == 0) return;
    if (step.change != nullptr) {
      apply(*step.change);
    } else {
      const std::uint64_t written = std::min(left, step.size);
      const std::uint64_t end =
          written == step.size ? step.dirty->image.size() : step.dirty->written_begin + written - step.dirty->begin;
      apply(*step.inode, step.dirty->begin, std::string_view(step.dirty->image).substr(0, end));
    }
    left -= std::min(left, step.size);
  }
}

}  // namespace annals::platform
