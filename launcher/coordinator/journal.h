// The file of the coordinator's journal.
//
//   "CONVOYJ1", then blocks:
//   uint32 bytes of the data | uint32 flags (1: the compression begins anew) | uint64 XXH3 of the
//   data | uint32: the lower half of the XXH3 of the 16 bytes before | data: one record, deflated
//   (RFC 1951) and flushed, with the window of those before
//
// All numbers are little-endian. The first record is a JournalHeader, the others are
// JournalRecords. Heartbeats are nearly the same again and again: deflated they take some 50 bytes.
//
// A process that is killed loses nothing that Append has returned for; a machine that loses power
// nothing that Sync has. The last block may then be cut off: it is ignored, and removed when the
// journal is continued.
#ifndef CONVOY_LAUNCHER_COORDINATOR_JOURNAL_H_
#define CONVOY_LAUNCHER_COORDINATOR_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/files/owned_fd.h"
#include "proto/journal.pb.h"

namespace convoy {

// Append: one thread at a time. Sync and synced: any.
class Journal {
 public:
  // A new one in the place of what is there. FailedPrecondition: a living coordinator writes it.
  static absl::StatusOr<std::unique_ptr<Journal>> Create(const std::string& path,
                                                         const v1::JournalHeader& header);
  ~Journal();

  // In one write.
  absl::Status Append(const v1::JournalRecord& record);
  // Bytes so far.
  uint64_t size() const { return size_; }
  // What was appended before the call is on the disk when it returns. After an error nothing is
  // known of what was appended since the last time.
  absl::Status Sync() const;
  // Nobody is to go on from it any more: it is emptied and removed. An error says what is left.
  absl::Status Discard() const;

 private:
  friend class JournalReader;
  class Deflater;

  Journal(std::string path, OwnedFd fd, uint64_t size);
  absl::Status AppendBytes(const std::string& message);

  const std::string path_;
  const OwnedFd fd_;  // locked
  const std::unique_ptr<Deflater> deflater_;
  std::string block_;
  uint64_t size_;
};

// Reads what another process has written, and goes on writing there.
class JournalReader {
 public:
  // NotFound: there is none. FailedPrecondition: a living coordinator writes it, or its format is
  // newer. DataLoss: damaged.
  static absl::StatusOr<std::unique_ptr<JournalReader>> Open(const std::string& path);
  ~JournalReader();

  const v1::JournalHeader& header() const { return header_; }
  // nullopt: that was all. DataLoss: damaged, with the position.
  absl::StatusOr<std::optional<v1::JournalRecord>> Next();
  // After the last record: the journal, to be continued. The reader is used up.
  absl::StatusOr<std::unique_ptr<Journal>> Continue();

 private:
  class Inflater;

  JournalReader(std::string path, OwnedFd fd, uint64_t size);
  // nullopt: the file ends here.
  absl::StatusOr<std::optional<std::string>> NextBytes();
  absl::Status Damaged(const std::string& what) const;

  const std::string path_;
  OwnedFd fd_;
  const uint64_t size_;
  const std::unique_ptr<Inflater> inflater_;
  uint64_t at_ = 0;
  v1::JournalHeader header_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_JOURNAL_H_
