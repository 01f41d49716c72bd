#include "launcher/watch/warnings.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace convoy {
namespace {

constexpr double kStragglerFactor = 1.5;
constexpr double kStandstillSeconds = 30;

double MedianOf(std::vector<double> values) {
  const size_t half = values.size() / 2;
  std::ranges::nth_element(values, values.begin() + static_cast<ptrdiff_t>(half));
  const double upper = values[half];
  if (values.size() % 2 == 1) return upper;
  return (upper +
          *std::max_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half))) /
         2;
}

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
  std::vector<std::string> warnings;
  for (const ProcessView& worker : workers) {
    if (!worker.busy_per_example) continue;
    std::vector<double> others;
    for (const ProcessView& other : workers) {
      if (&other != &worker && other.busy_per_example) others.push_back(*other.busy_per_example);
    }
    if (others.empty()) continue;
    const double median = MedianOf(std::move(others));
    if (!(median > 0) || *worker.busy_per_example < kStragglerFactor * median) continue;
    warnings.push_back(
        absl::StrFormat("%s needs %.1f times as long for an example as the other workers",
                        worker.name(), *worker.busy_per_example / median));
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
