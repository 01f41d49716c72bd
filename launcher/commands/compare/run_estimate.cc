#include "launcher/commands/compare/run_estimate.h"

#include <algorithm>

namespace convoy {

RunEstimate EstimateRun(const RunRecord& probe, double probe_seconds,
                        const v1::Training& training) {
  const auto& points = probe.train.points();
  if (points.empty()) return {};
  // The first steps wait for what only they wait for.
  const CurvePoint begin = points.size() > 1 ? points.front() : CurvePoint();
  const double examples = points.back().examples - begin.examples;
  const double seconds = points.back().seconds - begin.seconds;
  if (examples <= 0 || seconds <= 0) return {};
  RunEstimate estimate;
  estimate.examples_per_second = examples / seconds;
  const double validation = std::max(0.0, probe.wall_seconds - points.back().seconds);
  const uint32_t every = training.validate_every_epochs();
  const double validations = every == 0 ? 1 : std::max(1u, training.epochs() / every);
  const double start = std::max(0.0, probe_seconds - probe.wall_seconds);
  estimate.seconds =
      start + validation * validations +
      static_cast<double>(probe.epoch_examples) * training.epochs() / estimate.examples_per_second;
  return estimate;
}

}  // namespace convoy
