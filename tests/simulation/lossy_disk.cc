#include "tests/simulation/lossy_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

std::atomic<LossyDisk*> the_disk{nullptr};

// What may be there of a file that was not synced: its beginning, or its length with zeros where
// nothing had been written yet.
void Tear(const RandomStream& random, uint64_t* draws, std::string* bytes) {
  const bool cut = random.Below((*draws)++, 2) == 0;
  const uint64_t from = random.Below((*draws)++, bytes->size() + 1);
  if (cut) {
    bytes->resize(from);
    return;
  }
  const uint64_t count = random.Below((*draws)++, bytes->size() - from + 1);
  bytes->replace(from, count, count, '\0');
}

}  // namespace

LossyDisk::LossyDisk(std::string root) : root_(std::move(root)) {
  MutexLock lock(mutex_);
  durable_[KeyOf(root_)] = Read(root_);
  the_disk = this;
}

LossyDisk::~LossyDisk() { the_disk = nullptr; }

uint64_t LossyDisk::losses() const {
  MutexLock lock(mutex_);
  return losses_;
}

LossyDisk::Key LossyDisk::KeyOf(const std::string& path) {
  struct statx status {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &status) != 0) {
    return {};
  }
  return {status.stx_ino, status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec};
}

LossyDisk::Node LossyDisk::Read(const std::string& path) {
  Node node;
  node.is_folder = std::filesystem::is_directory(path);
  if (!node.is_folder) {
    node.bytes = ReadFile(path);
    return node;
  }
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(path, gone)) {
    node.names.emplace(entry.path().filename().string(), KeyOf(entry.path().string()));
  }
  return node;
}

void LossyDisk::ReadTree(const std::string& path, Nodes* nodes) {
  Node node = Read(path);
  for (const auto& [name, key] : node.names) ReadTree(absl::StrCat(path, "/", name), nodes);
  nodes->insert_or_assign(KeyOf(path), std::move(node));
}

void LossyDisk::OnSync(int fd) {
  std::error_code error;
  const std::string path =
      std::filesystem::read_symlink(absl::StrCat("/proc/self/fd/", fd), error).string();
  if (error || !path.starts_with(root_)) return;
  Node node = Read(path);
  MutexLock lock(mutex_);
  if (syncs_left_ && !at_loss_ && (*syncs_left_)-- == 0) at_loss_ = Now();
  if (at_loss_) return;
  durable_.insert_or_assign(KeyOf(path), std::move(node));
}

LossyDisk::Nodes LossyDisk::Now() const {
  Nodes nodes;
  ReadTree(root_, &nodes);
  return nodes;
}

void LossyDisk::LoseAfter(uint64_t syncs) {
  MutexLock lock(mutex_);
  syncs_left_ = syncs;
}

bool LossyDisk::lost() const {
  MutexLock lock(mutex_);
  return at_loss_.has_value();
}

void LossyDisk::Crash(const RandomStream& random) {
  const Key root = KeyOf(root_);
  MutexLock lock(mutex_);
  const std::string left = root_ + ".left";
  uint64_t draws = 0;
  const Nodes now = at_loss_ ? *std::move(at_loss_) : Now();
  at_loss_.reset();
  syncs_left_.reset();
  Restore(left, root, now, random, &draws);
  // The root itself stays, and so does its key.
  for (const auto& entry : std::filesystem::directory_iterator(root_)) {
    std::filesystem::remove_all(entry.path());
  }
  for (const auto& entry : std::filesystem::directory_iterator(left)) {
    std::filesystem::rename(entry.path(), root_ + "/" + entry.path().filename().string());
  }
  std::filesystem::remove_all(left);
  // What is there after the crash is on the disk.
  durable_ = Now();
}

void LossyDisk::Restore(const std::string& path, Key key, const Nodes& now,
                        const RandomStream& random, uint64_t* draws) {
  const auto live = now.find(key);
  const auto durable = durable_.find(key);
  const bool is_folder = live != now.end() ? live->second.is_folder
                                           : durable != durable_.end() && durable->second.is_folder;
  const bool keep_now = live != now.end() && random.Below((*draws)++, 2) == 0;
  static const Node kNothing;
  const Node& node = keep_now                    ? live->second
                     : durable != durable_.end() ? durable->second
                                                 : kNothing;
  if (!is_folder) {
    std::string bytes = node.bytes;
    const bool synced = durable != durable_.end() && durable->second.bytes == bytes;
    if (keep_now && !synced) Tear(random, draws, &bytes);
    if (live != now.end() && live->second.bytes != bytes) ++losses_;
    WriteFile(path, bytes);
    return;
  }
  std::map<std::string, Key> names = node.names;
  if (live != now.end() && durable != durable_.end()) {
    names = MixNames(live->second.names, durable->second.names, random, draws);
  }
  if (live != now.end() && live->second.names != names) ++losses_;
  std::filesystem::create_directory(path);
  for (const auto& [name, child] : names) {
    Restore(absl::StrCat(path, "/", name), child, now, random, draws);
  }
}

std::map<std::string, LossyDisk::Key> LossyDisk::MixNames(const std::map<std::string, Key>& now,
                                                          const std::map<std::string, Key>& durable,
                                                          const RandomStream& random,
                                                          uint64_t* draws) {
  std::map<std::string, Key> all = now, mixed;
  all.insert(durable.begin(), durable.end());
  for (const auto& [name, unused] : all) {
    const auto& from = random.Below((*draws)++, 2) == 0 ? now : durable;
    if (const auto found = from.find(name); found != from.end()) mixed.insert(*found);
  }
  return mixed;
}

}  // namespace convoy::testing

// In place of the C library's.
extern "C" int fsync(int fd) {
  if (convoy::testing::LossyDisk* const disk = convoy::testing::the_disk.load()) {
    disk->OnSync(fd);
    return 0;
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
