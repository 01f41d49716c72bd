#include "ps/table/bucket_walk.h"

namespace convoy {
namespace {

// Ids from the end of the run that is worked on to those that a stage comes to; fewer if these are
// in many buckets, which would all be locked.
constexpr size_t kIndexAhead = 64;
constexpr size_t kGuessesAhead = 40;
constexpr size_t kRowsAhead = 20;
constexpr size_t kBucketsAhead = 24;

}  // namespace

BucketWalk::BucketWalk(TableShard* table, std::span<const uint64_t> ids,
                       std::span<const BucketRun> runs, std::optional<uint64_t> pulled)
    : table_(table),
      ids_(ids),
      runs_(runs),
      pulled_(pulled),
      guesses_(ids.size()),
      needed_(runs.size()) {}

// The analysis of locks does not know sets of them: here and below.
BucketWalk::~BucketWalk() CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  for (; done_ < locked_; ++done_) bucket(done_).mutex_.Unlock();
}

bool BucketWalk::Next() CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  if (begun_ && done_ < runs_.size()) bucket(done_++).mutex_.Unlock();
  begun_ = true;
  if (done_ == runs_.size()) return false;
  RunAhead();
  return true;
}

bool BucketWalk::Reaches(size_t run, size_t ids_ahead) const {
  return run <= done_ || (run < runs_.size() && run < done_ + kBucketsAhead &&
                          runs_[run].begin < runs_[done_].end + ids_ahead);
}

void BucketWalk::RunAhead() CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  for (; Reaches(locked_, kIndexAhead); ++locked_) {
    bucket(locked_).mutex_.Lock();
    needed_[locked_] = bucket(locked_).NeedsRowsLocked(pulled_);
    if (needed_[locked_]) bucket(locked_).PrefetchIndexLocked(ids_of(locked_));
  }
  for (; Reaches(guessed_, kGuessesAhead); ++guessed_) {
    bucket(guessed_).GuessLocked(ids_of(guessed_), guesses_of(guessed_));
  }
  for (; Reaches(fetched_, kRowsAhead); ++fetched_) {
    bucket(fetched_).PrefetchGuessedLocked(guesses_of(fetched_));
  }
}

std::span<uint32_t> BucketWalk::guesses_of(size_t run) {
  if (!needed_[run]) return {};
  return std::span(guesses_).subspan(runs_[run].begin, runs_[run].end - runs_[run].begin);
}

PushResult BucketWalk::Push(const PushKey& key, uint64_t base_version, const RowSum& rows,
                            std::vector<ParkedRows>* released) CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  return bucket(done_).PushLocked(key, base_version, rows, guesses_of(done_), released);
}

TableBucket::PullResult BucketWalk::Pull(const RowsOut& out,
                                         const std::function<ParkedRows()>& parked)
    CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  return bucket(done_).PullLocked(*pulled_, ids_of(done_), guesses_of(done_), out, parked);
}

}  // namespace convoy
