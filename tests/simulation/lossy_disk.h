// A folder that loses in a crash what was not synced, as a disk may: bytes of files without fsync,
// and names that were made, changed or removed in folders without fsync.
//
// fsync(2) of the whole program is this file's: while there is a LossyDisk it notes what it makes
// durable, and the real one is not called.
#ifndef CONVOY_TESTS_SIMULATION_LOSSY_DISK_H_
#define CONVOY_TESTS_SIMULATION_LOSSY_DISK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/math/random.h"
#include "common/mutex.h"

namespace convoy::testing {

class LossyDisk {
 public:
  // `root`: an empty folder. One at a time.
  explicit LossyDisk(std::string root);
  ~LossyDisk();
  LossyDisk(const LossyDisk&) = delete;

  // Makes `root` what may be left of it. Each name in a folder is that of the last fsync or that of
  // now, whatever the others are, so that a rename may be lost, or half of it. Of each file the
  // bytes are those of the last fsync, or those of now, whole, cut or with zeros in between:
  // `random` says which.
  void Crash(const RandomStream& random);
  // The crash is at the sync after so many more, before it makes anything durable: what happens
  // later, until Crash, is not on the disk.
  void LoseAfter(uint64_t syncs);
  // Whether that has been.
  bool lost() const;
  // The file or folder is durable as it is.
  void OnSync(int fd);
  // Times that something was lost.
  uint64_t losses() const;

 private:
  // Inode and when it was made, since inodes are used again.
  using Key = std::pair<uint64_t, int64_t>;
  struct Node {
    bool is_folder = false;
    std::map<std::string, Key> names;  // of a folder
    std::string bytes;                 // of a file
  };
  using Nodes = std::map<Key, Node>;

  static Key KeyOf(const std::string& path);
  static Node Read(const std::string& path);
  // `path` and all below it.
  static void ReadTree(const std::string& path, Nodes* nodes);
  Nodes Now() const;
  void Restore(const std::string& path, Key key, const Nodes& now, const RandomStream& random,
               uint64_t* draws) CONVOY_REQUIRES(mutex_);

  // Of a folder that was synced before.
  static std::map<std::string, Key> MixNames(const std::map<std::string, Key>& now,
                                             const std::map<std::string, Key>& durable,
                                             const RandomStream& random, uint64_t* draws);

  const std::string root_;
  mutable Mutex mutex_;
  Nodes durable_ CONVOY_GUARDED_BY(mutex_);
  std::optional<uint64_t> syncs_left_ CONVOY_GUARDED_BY(mutex_);
  std::optional<Nodes> at_loss_ CONVOY_GUARDED_BY(mutex_);
  uint64_t losses_ CONVOY_GUARDED_BY(mutex_) = 0;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_SIMULATION_LOSSY_DISK_H_
