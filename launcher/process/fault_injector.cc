#include "launcher/process/fault_injector.h"

#include <signal.h>

namespace convoy {

FaultInjector::FaultInjector(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    if (fault.OfProcess()) waiting_.push_back(fault);
  }
}

std::vector<std::string> FaultInjector::Missing() const {
  std::vector<std::string> texts;
  for (const Fault& fault : waiting_) texts.push_back(ToString(fault));
  return texts;
}

std::vector<FaultInjector::Signal> FaultInjector::Ends(absl::Time now) {
  std::vector<Signal> due;
  std::erase_if(frozen_, [&](const Frozen& frozen) {
    if (frozen.until > now) return false;
    due.push_back(frozen.end);
    return true;
  });
  return due;
}

std::vector<FaultInjector::Signal> FaultInjector::Due(uint64_t step, absl::Time now) {
  std::vector<Signal> due = Ends(now);
  std::erase_if(waiting_, [&](const Fault& fault) {
    if (fault.step > step) return false;
    const bool freeze = fault.kind == Fault::Kind::kFreeze;
    Signal signal{fault.role, static_cast<int>(fault.rank), freeze ? SIGSTOP : SIGKILL,
                  ToString(fault)};
    due.push_back(signal);
    signal.number = SIGCONT;
    if (freeze) frozen_.push_back({signal, now + fault.time});
    return true;
  });
  return due;
}

}  // namespace convoy
