// The clocks of ssp: how many batches each worker has completed, and who is the slowest of those
// that hold a task.
//
// Ho et al., "More effective distributed ML via a stale synchronous parallel parameter server",
// NIPS 2013.
#ifndef CONVOY_PS_CLOCK_TABLE_H_
#define CONVOY_PS_CLOCK_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace convoy {

// Not thread-safe. Workers count their clocks from when they joined; the table puts a joiner level
// with the slowest worker at that moment.
class ClockTable {
 public:
  explicit ClockTable(uint32_t bound) : bound_(bound) {}

  // `worker` starts to hold tasks; its own count stands at `clock`. Joining twice changes nothing.
  void Join(uint32_t worker, uint64_t clock);
  // `worker` holds no task: nobody waits for it.
  void Leave(uint32_t worker) { workers_.erase(worker); }
  // Workers from this rank on that have joined.
  std::vector<uint32_t> JoinedFrom(uint32_t rank) const;
  // The worker's own count stands at `clock`; lower values than before are ignored.
  void Advance(uint32_t worker, uint64_t clock);

  // True if `worker` may read: slowest clock >= its clock - bound. Workers that have not joined
  // may.
  bool MayRead(uint32_t worker) const;
  // The slowest worker, if any has joined.
  std::optional<uint32_t> Slowest() const;

 private:
  struct Entry {
    uint64_t start;   // level at which it joined
    uint64_t offset;  // its own count then
    uint64_t clock;   // its own count now
    uint64_t level() const { return start + (clock - offset); }
  };

  const uint32_t bound_;
  std::map<uint32_t, Entry> workers_;
};

}  // namespace convoy

#endif  // CONVOY_PS_CLOCK_TABLE_H_
