// When checkpoints are taken, and how the servers agree on one.
//
//   IDLE --due--> ARMING --all servers have armed it--> WRITING --all have written--> COMMITTING
//   --> IDLE
//                   ^  |                                   |
//                   +--+ a server is beyond the version:   +--- a server could not write: reported,
//                   the
//                        a later one is tried                    next one is tried when it is due
//
// Modes with steps: all cells of all servers at one version. A version is armed before any cell has
// left it, else a later one is tried. Workers arm it, too: each will report what it has summed up
// by then. Other modes: wherever each cell is. At the end of the job, when nothing moves any more,
// a last one is taken; it replaces one under way.
//
// Some versions must not be missed (`exact_every`): workers hold at the next of them, hold(), until
// everybody has armed it or it can't be written.
//
// Plain logic without threads and clocks. Not thread-safe.
#ifndef CONVOY_LAUNCHER_COORDINATOR_CHECKPOINT_KEEPER_H_
#define CONVOY_LAUNCHER_COORDINATOR_CHECKPOINT_KEEPER_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// A checkpoint whose files are there: the manifest is to be written and the folder to get its name.
struct CheckpointToCommit {
  uint64_t step = 0;
  uint64_t examples = 0;  // counted by server 0
  uint64_t dropped = 0;   // slices, by all servers
  std::string folder;     // temporary
  bool delta = false;     // some file has only what has changed since the one committed before
  std::vector<v1::SnapshotState> files;  // by server
  absl::Time begun;
};

class CheckpointKeeper {
 public:
  struct Options {
    bool rounds = true;  // the mode has steps
    uint32_t servers = 1;
    std::string folder;  // of the job's checkpoints, absolute; empty: none are taken
    uint64_t generation = 1;
    uint64_t first_step = 0;   // the job begins, or goes on, here
    uint64_t total_steps = 0;  // it ends here
    uint64_t every_steps = 0;  // 0: not by steps
    absl::Duration every = absl::InfiniteDuration();
    bool at_end = true;
    uint32_t deltas = 0;  // so many in a row may be changes of the one before
    // Modes with steps: multiples of this are not missed; 0: none.
    uint64_t exact_every = 0;
    // Modes with steps: which workers arm versions, by rank.
    std::vector<bool> workers = {};
  };

  CheckpointKeeper(const Options& options, absl::Time now);

  // What the servers are told; number 0: nothing.
  const v1::SnapshotOrder& order() const { return order_; }

  // The following return whether order() has changed.
  //
  // The time is now, and some worker has begun step (other modes: the workers have pushed batch)
  // `step`.
  bool Tick(absl::Time now, uint64_t step);
  // Somebody asks for one that has everything up to now; Tick begins it. Returns the number of the
  // first order that will do. Not after Finish.
  uint64_t Request(uint64_t step);
  // What server `rank` says of order().
  bool OnState(uint32_t rank, const v1::SnapshotState& state, absl::Time now);
  // The same of worker `rank`: ARMED or REFUSED.
  bool OnWorkerState(uint32_t rank, const v1::SnapshotState& state, absl::Time now);
  // Other workers have come: which of them arm versions, by rank.
  void SetWorkers(std::vector<bool> workers);
  // The training has ended: the last one, unless none is wanted or the newest is as new.
  bool Finish(absl::Time now, uint64_t step);

  // What is to be committed, once.
  std::optional<CheckpointToCommit> TakeCommit();
  // A temporary folder that nobody needs any more, once; "": none.
  std::string TakeDiscard() { return std::exchange(discard_, {}); }
  // The outcome of the commit. Returns whether order() has changed.
  bool OnCommitted(bool ok, absl::Time now, uint64_t step);
  // Why a checkpoint was not taken, once; "": nothing went wrong.
  std::string TakeFailure() { return std::exchange(failure_, {}); }

  // The step that must not be begun yet; 0: none.
  uint64_t hold() const;
  // After Finish: nothing is under way any more.
  bool done() const { return state_ == State::kIdle; }
  // Checkpoints are taken at all.
  bool enabled() const { return Enabled(); }
  // What the one under way waits for, for people; "": none is.
  std::string WaitingFor() const;
  // When Tick is due.
  absl::Time NextDeadline() const;
  uint64_t taken() const { return taken_; }
  uint64_t failed() const { return failed_; }
  uint64_t newest() const { return newest_; }  // step; 0: none of this run

 private:
  enum class State { kIdle, kArming, kWriting, kCommitting };

  bool Enabled() const { return !options_.folder.empty(); }
  // The next multiple of every_steps after `step`; the job may end before.
  uint64_t NextMultiple(uint64_t step) const;
  // The version to take by steps: the next multiple, or the one that must not be missed.
  uint64_t NextByStep() const { return std::min(next_multiple_, exact_); }
  // exact_ is over for a version up to `step`.
  void PassExact(uint64_t step);
  // Workers need not hold at it any more: it is armed, and they are close to it.
  void ReleaseIfArmed(uint64_t step);
  bool Begin(uint64_t version, absl::Time now);
  bool TryLater(uint64_t beyond, absl::Time now);
  void GiveUp(const std::string& why);
  bool AllSay(v1::SnapshotState::Progress progress) const;
  bool AllArmed() const;
  bool OnArmed();
  // The order that is over was asked for.
  void NoteAnswered();
  // Waits for a step that is far away, so that one which is due by time may come before.
  bool MayWait(uint64_t step) const;
  bool OnWritten();

  Options options_;
  State state_ = State::kIdle;
  v1::SnapshotOrder order_;
  std::vector<v1::SnapshotState> said_;  // by server, on order_
  std::vector<bool> worker_armed_;       // by worker, order_; those that need not are true
  bool by_steps_ = false;                // the one under way is a multiple of every_steps
  uint64_t asked_ = 0;                   // the first order that Request waits for; 0: nobody asks
  bool finishing_ = false;
  uint64_t last_step_ = 0;  // then
  bool final_ = false;      // the one under way is the last
  uint64_t margin_ = 2;
  uint64_t next_multiple_ = 0;
  uint64_t exact_ =
      std::numeric_limits<uint64_t>::max();  // not to be missed, and workers hold at it
  bool released_ = false;  // the one under way is an exact version that workers may pass
  absl::Time next_time_;
  absl::Time begun_;
  std::optional<CheckpointToCommit> commit_;
  std::string discard_;
  std::string failure_;
  uint64_t committed_ = 0;  // number of the order of the newest one of this generation
  uint32_t deltas_in_row_ = 0;
  uint64_t taken_ = 0, failed_ = 0, newest_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_CHECKPOINT_KEEPER_H_
