// How the processes of a job did over time, for the dashboard: a sample a second, and of a long job
// fewer, so that memory stays bounded.
#ifndef CONVOY_LAUNCHER_DASHBOARD_SAMPLES_H_
#define CONVOY_LAUNCHER_DASHBOARD_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "launcher/watch/run_view.h"

namespace convoy {

struct Sample {
  double seconds = 0;                         // since the training began
  std::vector<ProcessView> servers, workers;  // by rank; names and texts are left out
};

// One thread.
class Samples {
 public:
  // When there are `most`, every other one is forgotten, and from then on every other one is taken.
  explicit Samples(size_t most = 1800) : most_(most) {}

  void Add(const RunView& view);

  const std::vector<Sample>& all() const { return samples_; }
  // How often samples were forgotten: who has seen another number needs all again.
  uint32_t thinned() const { return thinned_; }

 private:
  const size_t most_;
  std::vector<Sample> samples_;
  uint32_t thinned_ = 0;
  uint64_t offered_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_DASHBOARD_SAMPLES_H_
