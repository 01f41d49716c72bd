// At which step a job that was asked to stop does stop.
//
// sync: all workers must end at the same step, and none may have begun it. A step a little ahead of
// the fastest worker is proposed; it holds when every worker has confirmed that it will not begin
// it. A worker that was faster than the proposal makes a later one necessary.
// Other modes: workers just take no further batch.
#ifndef CONVOY_LAUNCHER_COORDINATOR_STOP_AGREEMENT_H_
#define CONVOY_LAUNCHER_COORDINATOR_STOP_AGREEMENT_H_

#include <cstdint>
#include <vector>

namespace convoy {

class StopAgreement {
 public:
  // `first`: the step that the workers go on with, which none of them may have begun.
  StopAgreement(bool sync, uint32_t workers, uint64_t first = 0)
      : sync_(sync), first_(first), workers_(workers) {}

  // A stop is wanted. Returns whether that is news.
  bool Request();
  // sync: the same, at `step`, which nobody has begun.
  bool RequestAt(uint64_t step);
  // sync: a stop that is wanted is to be at `step` already, which nobody has begun. Returns whether
  // step() has changed.
  bool MoveUpTo(uint64_t step);
  // What a worker says: the highest step it has begun, and the stop step it agrees to (0: none).
  // Returns whether step() or agreed() has changed.
  bool Update(uint32_t worker, uint64_t step, uint64_t confirmed);
  // The worker takes no further step and need not be asked. Returns as Update.
  bool Leave(uint32_t worker);

  // The first step that is not to be begun; other modes: 1. 0: no stop is wanted.
  uint64_t step() const { return step_; }
  // Every worker has confirmed step().
  bool agreed() const { return agreed_; }

 private:
  struct Worker {
    uint64_t step = 0;
    uint64_t confirmed = 0;
    bool left = false;
  };

  uint64_t HighestStep() const;
  bool Evaluate();

  bool sync_;
  uint64_t first_;
  std::vector<Worker> workers_;
  uint64_t margin_ = 2;
  uint64_t step_ = 0;
  bool agreed_ = false;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_STOP_AGREEMENT_H_
