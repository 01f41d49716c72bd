// Whether a checkpoint is as it was written, byte for byte, and which one a job can go on from.
#ifndef CONVOY_COMMON_CHECKPOINT_VERIFY_CHECKPOINT_H_
#define CONVOY_COMMON_CHECKPOINT_VERIFY_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_directory.h"

namespace convoy {

struct VerifiedFile {
  std::string name;  // without folder
  uint64_t bytes = 0;
  std::string
      damage;  // empty: as it was written; else e.g. "has 4096 bytes, want 8192: it was cut"
};

// Reads every byte of every file, of a delta checkpoint also of its bases. `files`, if given, gets
// the verdict on each of its own, the manifest first. DataLoss: lists what is damaged, or `folder`
// has the name of another step. NotFound: there is no manifest. Unimplemented: of a newer version.
absl::Status VerifyCheckpoint(const std::string& folder,
                              std::vector<VerifiedFile>* files = nullptr);

// The same for several checkpoints, each of which is read once. One thread.
class CheckpointVerifier {
 public:
  absl::Status Verify(const std::string& folder, std::vector<VerifiedFile>* files = nullptr);

 private:
  struct Verdict {
    absl::Status status;
    std::vector<VerifiedFile> files;
  };
  absl::Status VerifyAll(const std::string& folder, std::vector<VerifiedFile>* files);

  std::map<std::string, Verdict> known_;  // by folder, whatever way it is written
};

struct UsableCheckpoint {
  StoredCheckpoint checkpoint;
  std::vector<std::string> damaged;  // for each newer one, what is wrong with it
};

// The newest one in the folder `checkpoints` that is undamaged. NotFound: there is none at all.
// DataLoss: all are damaged; says how. Unimplemented: the newest undamaged one is of a newer
// version, so that a newer program should go on.
absl::StatusOr<UsableCheckpoint> FindNewestUsable(const std::string& checkpoints);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_VERIFY_CHECKPOINT_H_
