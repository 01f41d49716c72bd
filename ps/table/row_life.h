// When an id gets a row and when it loses it: admission, expiry, and what happens when there is no
// more room. All of it is decided when an update is applied, in the order of the ids, so that it
// does not depend on the order of arrival.
#ifndef CONVOY_PS_TABLE_ROW_LIFE_H_
#define CONVOY_PS_TABLE_ROW_LIFE_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "ps/table/row_store.h"

namespace convoy {

// The limits of one bucket.
struct RowLife {
  enum class WhenFull {
    kRefuse,       // ids without a row get none
    kEvictOldest,  // the rows that were updated longest ago go, of equals the smaller id
  };
  uint32_t admit_after = 1;           // sightings after which an id gets a row
  uint64_t expire_after = 0;          // steps without an update after which a row goes; 0: never
  uint64_t expire_after_seconds = 0;  // the same in time
  uint64_t max_rows = std::numeric_limits<uint64_t>::max();
  WhenFull when_full = WhenFull::kRefuse;
};

// When something happens to a row.
struct RowTime {
  uint64_t step = 0;    // from 1
  uint32_t second = 0;  // RowClock::seconds()
};

struct RowCounts {
  uint64_t rows = 0;
  uint64_t waiting = 0;   // ids seen that are not admitted yet
  uint64_t admitted = 0;  // since the start, as the following
  uint64_t refused = 0;   // gradients of ids that got no row for want of room
  uint64_t expired = 0;
  uint64_t evicted = 0;
  uint64_t bytes = 0;  // of rows, slots and index

  void Add(const RowCounts& other);
};

// Not thread-safe: used under the bucket's lock.
class RowLifeState {
 public:
  // What is known of an id that is not admitted yet.
  struct Candidate {
    uint32_t sightings = 0;
    uint32_t last_second = 0;
    uint64_t last_step = 0;
  };
  using Removed = std::function<void(const Row& row)>;

  explicit RowLifeState(const RowLife& life) : life_(life) {}

  // Before an update at `now` of the rows `ids` (ascending), seen `sightings` times (empty: once
  // each): takes away rows that are too old, and as many as the ids that get a row now need room,
  // if the policy is to evict. `removed` is called with each row before it goes.
  void MakeRoom(const RowTime& now, std::span<const uint64_t> ids,
                std::span<const uint32_t> sightings, RowStore* rows, const Removed& removed);
  // Whether MakeRoom looks for old rows at this step, and so is to be called without ids, too: when
  // a row goes must not depend on what else the bucket has.
  bool ExpiresAt(uint64_t step) const;
  // An id without row was seen `sightings` times at `now`, when there were `rows`: whether it gets
  // one now.
  bool Admit(uint64_t id, uint32_t sightings, const RowTime& now, uint64_t rows);

  // After each update: at most as many ids wait as there may be rows. Not before it has ended: none
  // of its ids must go that rows have gone for.
  void LimitCandidates();

  RowCounts Counts(const RowStore& rows) const;

  using Candidates = absl::flat_hash_map<uint64_t, Candidate>;
  const Candidates& candidates() const { return candidates_; }
  void Restore(Candidates candidates) { candidates_ = std::move(candidates); }

 private:
  // Whether it is time to look for rows that are too old.
  bool ExpiryIsDue(const RowTime& now);
  // Whether an id without row, seen so many times now, has been seen often enough for one.
  bool IsAdmitted(uint64_t id, uint32_t sightings) const;
  bool IsOld(uint64_t last_step, uint32_t last_second, const RowTime& now) const;
  void Expire(const RowTime& now, RowStore* rows, const Removed& removed);
  void EvictOldest(uint64_t count, std::span<const uint64_t> keep, RowStore* rows,
                   const Removed& removed);
  const RowLife life_;
  Candidates candidates_;
  RowCounts counts_;
  uint64_t next_expiry_second_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_LIFE_H_
