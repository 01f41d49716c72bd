#include "launcher/coordinator/stop_agreement.h"

#include <algorithm>

namespace convoy {

bool StopAgreement::Request() {
  if (step_ != 0) return false;
  step_ = sync_ ? HighestStep() + margin_ : 1;
  agreed_ = !sync_;
  Evaluate();
  return true;
}

bool StopAgreement::RequestAt(uint64_t step) {
  if (step_ != 0) return false;
  step_ = sync_ ? step : 1;
  agreed_ = !sync_;
  Evaluate();
  return true;
}

bool StopAgreement::MoveUpTo(uint64_t step) {
  if (!sync_ || step_ <= step) return false;
  step_ = step;
  agreed_ = false;  // what was confirmed is another step
  Evaluate();
  return true;
}

bool StopAgreement::Update(uint32_t worker, uint64_t step, uint64_t confirmed) {
  Worker& state = workers_[worker];
  state.step = std::max(state.step, step);
  state.confirmed = confirmed;
  return Evaluate();
}

bool StopAgreement::Leave(uint32_t worker) {
  workers_[worker].left = true;
  return Evaluate();
}

uint64_t StopAgreement::HighestStep() const {
  uint64_t highest = first_;
  for (const Worker& worker : workers_) highest = std::max(highest, worker.step);
  return highest;
}

bool StopAgreement::Evaluate() {
  if (step_ == 0 || agreed_) return false;
  const bool too_late = std::any_of(workers_.begin(), workers_.end(), [this](const Worker& worker) {
    return !worker.left && worker.step >= step_;
  });
  if (too_late) {
    margin_ *= 2;
    step_ = HighestStep() + margin_;
    return true;
  }
  agreed_ = std::all_of(workers_.begin(), workers_.end(), [this](const Worker& worker) {
    return worker.left || worker.confirmed == step_;
  });
  return agreed_;
}

}  // namespace convoy
