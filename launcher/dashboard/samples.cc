#include "launcher/dashboard/samples.h"

#include <utility>

namespace convoy {
namespace {

std::vector<ProcessView> NumbersOf(std::vector<ProcessView> processes) {
  for (ProcessView& process : processes) {
    process.host = {};
    process.activity = {};
  }
  return processes;
}

}  // namespace

void Samples::Add(const RunView& view) {
  if (offered_++ % (uint64_t{1} << thinned_) != 0) return;
  samples_.push_back({view.seconds, NumbersOf(view.servers), NumbersOf(view.workers)});
  if (samples_.size() < most_) return;
  size_t kept = 0;
  for (size_t i = 0; i < samples_.size(); i += 2) {
    if (i != kept) samples_[kept] = std::move(samples_[i]);
    ++kept;
  }
  samples_.resize(kept);
  ++thinned_;
}

}  // namespace convoy
