// The coordinator's logic with a memory that survives its process.
//
// CoordinatorCore is a function of what it is told: all of that goes into a journal before the
// logic hears of it, and another process that tells it to a new CoordinatorCore in the same order
// has the same coordinator again, with its members, tasks, losses, checkpoints under way and
// everything else. Servers and workers meanwhile ask again and again, and notice nothing but the
// delay; a call whose answer was lost is repeated, which no call minds.
//
// A journal that can't be written is removed, with a warning: the job goes on, and without it the
// end of the coordinator means a restart from a checkpoint.
#ifndef CONVOY_LAUNCHER_COORDINATOR_JOURNALED_CORE_H_
#define CONVOY_LAUNCHER_COORDINATOR_JOURNALED_CORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/journal.h"
#include "launcher/coordinator/journal_records.h"

namespace convoy {

// Not thread-safe, except what journal() returns.
class JournaledCore {
 public:
  // `journal`: path of the file, which is made anew; "": none is written. `clock`: SteadyMark of
  // the clock that later times come from; "": another clock, or none.
  // Errors as CoordinatorCore::Create and Journal::Create.
  static absl::StatusOr<std::unique_ptr<JournaledCore>> Create(CoordinatorCore::Options options,
                                                               const std::string& journal,
                                                               const std::string& clock = "");
  // Goes on where the process that wrote `journal` was. Errors as JournalReader;
  // FailedPrecondition: another build wrote it.
  static absl::StatusOr<std::unique_ptr<JournaledCore>> Recover(const std::string& journal,
                                                                AdmitFunction admit,
                                                                PlanInitFunction plan_init,
                                                                absl::Time now);

  // The events of CoordinatorCore.
  template <typename Request>
  Actions On(Actions (CoordinatorCore::*event)(CallId, const Request&, absl::Time), CallId call,
             const Request& request, absl::Time now) {
    if (journal_ != nullptr) {
      v1::JournalRecord record;
      if (DescribeRequest(request, &record)) Write(&record, call, now);
    }
    return Noted((core_.get()->*event)(call, request, Adjusted(now)));
  }
  void OnCancelled(CallId call, absl::Time now);
  Actions OnCheckpointCommitted(const absl::Status& status, absl::Time now);
  Actions OnModelSaved(const absl::Status& status, absl::Time now);
  Actions Fail(std::string_view failure, absl::Time now);
  Actions Tick(absl::Time now);
  void OnOverslept(absl::Time now);
  // The journal does not get to the disk. People are told so, the first time.
  Actions NoteSlowDisk(absl::Time now);
  v1::GetProgressReply Look(uint64_t events_seen, absl::Time now) {
    return core_->Look(events_seen, Adjusted(now));
  }
  absl::Time NextDeadline() const { return core_->NextDeadline() - ahead_; }

  const CoordinatorCore& core() const { return *core_; }
  // Calls of the process before had ids up to this one.
  CallId last_call() const { return last_call_; }
  // Where the coordinator is called, host:port; for one that takes its place.
  void NoteAddress(const std::string& address, absl::Time now);
  // After Recover; "": it was never called.
  const std::string& address() const { return address_; }
  // After Recover, once: what the process before was to do, and may not have done.
  Actions TakeOutstanding() { return std::exchange(outstanding_, {}); }
  // All lines of events.jsonl so far, after Recover; else none. Once.
  std::vector<std::string> TakeLines() { return std::exchange(lines_, {}); }

  // Nobody should hear of what was decided, and nothing is to be done about it, before the journal
  // is on the disk up to here; 0: it is. OnSynced(size) says up to where it is.
  uint64_t to_sync() const { return to_sync_ > synced_ ? to_sync_ : 0; }
  void OnSynced(const absl::Status& status, uint64_t size, absl::Time now);
  // nullptr: none is written.
  std::shared_ptr<const Journal> journal() const { return journal_; }

 private:
  explicit JournaledCore(std::string path) : path_(std::move(path)) {}

  absl::Status Begin(CoordinatorCore::Options options);
  // What the logic asks of the world while it deals with an event is written down, too.
  void Watch(CoordinatorCore::Options* options);
  absl::Status Replay(absl::Time now);
  absl::Status ReplayOne(const v1::JournalRecord& record);
  absl::StatusOr<std::optional<v1::JournalRecord>> NextRecord();
  // The next record if it is of that kind.
  std::optional<v1::JournalRecord> TakeAnswer(v1::JournalRecord::EventCase kind);

  void Write(v1::JournalRecord* record, CallId call, absl::Time now);
  void GiveUp(const absl::Status& why);
  // Whether somebody is about to hear of a change.
  Actions Noted(Actions actions);
  absl::Time Adjusted(absl::Time now) const { return now + ahead_; }

  const std::string path_;
  std::unique_ptr<CoordinatorCore> core_;
  std::shared_ptr<Journal> journal_;
  std::unique_ptr<JournalReader> reader_;    // while it is replayed
  std::optional<v1::JournalRecord> peeked_;  // likewise
  // Answers of the world that the process before did not come to write.
  std::vector<v1::JournalRecord> unwritten_;
  absl::Duration ahead_ = absl::ZeroDuration();  // the clock of the first process is so far ahead
  CallId last_call_ = 0;
  std::string address_;
  absl::Time last_time_ = absl::InfinitePast();
  uint64_t sequence_ = 0;
  uint64_t to_sync_ = 0, synced_ = 0;
  std::string trouble_;     // why the journal is gone, to be told
  bool slow_disk_ = false;  // people were told
  Actions outstanding_;
  std::vector<std::string> lines_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_JOURNALED_CORE_H_
