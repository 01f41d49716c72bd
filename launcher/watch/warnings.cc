#include "launcher/watch/warnings.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "launcher/coordinator/stragglers.h"

namespace convoy {
namespace {

constexpr double kStandstillSeconds = 30;

// When a worker that still trains last began a step, or else the training began.
uint64_t LastStepMs(const v1::GetProgressReply& reply) {
  uint64_t last = reply.figures().training_ms();
  for (const v1::ProcessInfo& process : reply.processes())
    last = std::max(last, process.stepped_ms());
  return last;
}

bool SomebodyTrains(const RunView& view) {
  return std::ranges::any_of(view.workers,
                             [](const ProcessView& worker) { return !worker.finished; });
}

}  // namespace

std::vector<std::string> StragglerWarnings(const std::vector<ProcessView>& workers) {
  std::vector<std::optional<double>> seconds;
  for (const ProcessView& worker : workers) seconds.push_back(worker.busy_per_example);
  std::vector<std::string> warnings;
  for (const Straggler& found : FindStragglers(seconds)) {
    warnings.push_back(DescribeStraggler({workers[found.worker].rank, found.factor}));
  }
  return warnings;
}

std::vector<std::string> LiveWarnings(const v1::GetProgressReply& reply, const RunView& view) {
  std::vector<std::string> warnings;
  const bool training = reply.phase() == v1::TRAINING;
  if (training) {
    const double still = 1e-3 * (static_cast<double>(reply.figures().now_ms()) -
                                 static_cast<double>(LastStepMs(reply)));
    if (still >= kStandstillSeconds && SomebodyTrains(view)) {
      warnings.push_back(absl::StrFormat("no worker has begun a step for %.0f s", still));
    }
    for (const std::vector<ProcessView>* processes : {&view.servers, &view.workers}) {
      for (const ProcessView& process : *processes) {
        if (!process.silent_seconds) continue;
        warnings.push_back(absl::StrFormat("%s was not heard of for %.0f s", process.name(),
                                           *process.silent_seconds));
      }
    }
    for (std::string& text : StragglerWarnings(view.workers)) warnings.push_back(std::move(text));
  }
  for (const std::string& note : reply.notes()) warnings.push_back(note);
  return warnings;
}

}  // namespace convoy
