#include "ps/table/bucket_walk.h"

#include <algorithm>

namespace convoy {
namespace {

// More are not locked at once, however few rows they have.
constexpr size_t kBucketsAhead = 24;

}  // namespace

BucketWalk::BucketWalk(TableShard* table, const RowIds& ids, std::optional<uint64_t> pulled)
    : table_(table), ids_(ids), pulled_(pulled), needed_(ids.runs.size()) {
  ahead_.Start(ids.hashes);
}

// The analysis of locks does not know sets of them: here and below.
BucketWalk::~BucketWalk() CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  for (; done_ < locked_; ++done_) bucket(done_).mutex_.Unlock();
}

bool BucketWalk::Next() CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  if (begun_ && done_ < ids_.runs.size()) bucket(done_++).mutex_.Unlock();
  begun_ = true;
  if (done_ == ids_.runs.size()) return false;
  LockAhead();
  ahead_.Begin(ids_.runs[done_].begin);
  return true;
}

void BucketWalk::LockAhead() CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  const size_t rows = ids_.runs[done_].end + RowsAhead::kIndexAhead;
  const size_t runs = std::min(ids_.runs.size(), done_ + kBucketsAhead);
  for (; locked_ < runs && ids_.runs[locked_].begin < rows; ++locked_) {
    TableBucket& next = bucket(locked_);
    next.mutex_.Lock();
    needed_[locked_] = next.NeedsRowsLocked(pulled_);
    if (!needed_[locked_]) continue;
    ahead_.Add(&next.rows_, ids_.runs[locked_].begin, ids_.runs[locked_].end);
  }
}

PushResult BucketWalk::Push(const PushKey& key, uint64_t base_version, const RowSum& rows,
                            std::vector<ParkedRows>* released) CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  return bucket(done_).PushLocked(key, base_version, rows, ahead(), released);
}

TableBucket::PullResult BucketWalk::Pull(const RowsOut& out,
                                         const std::function<ParkedRows()>& parked)
    CONVOY_NO_THREAD_SAFETY_ANALYSIS {
  return bucket(done_).PullLocked(*pulled_, ids_.of(ids_.runs[done_]), ahead(), out, parked);
}

}  // namespace convoy
