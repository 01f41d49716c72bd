// Measuring a model on examples without training it.
#ifndef CONVOY_WORKER_EVALUATION_H_
#define CONVOY_WORKER_EVALUATION_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/metrics/metrics.h"
#include "proto/coordinator.pb.h"
#include "worker/compute_threads.h"
#include "worker/data/batches.h"
#include "worker/data/dataset.h"
#include "worker/models/model.h"

namespace convoy {

// Examples that are measured together.
inline constexpr uint64_t kEvaluationBatch = 256;

// Classes as MetricAccumulator counts them: 0 for a regression, 2 for a binary model.
int64_t MetricClasses(const Model& model);

// Adds what the model found on a batch.
void AddBatch(const Model& model, const BatchOutput& output, const Batch& batch,
              MetricAccumulator* metrics);

// Loss and metrics of the examples [range.begin, range.end) of `data`, in their order, in batches
// of a fixed size, so that the sums do not depend on who computes which part. `between` is called
// between batches and may end it. `negative_rate`: data.negative_rate of the training. Below 1,
// predictions of the (binary) model are corrected for it, and the loss is the log loss of the
// corrected ones.
absl::StatusOr<v1::MetricSums> Evaluate(const Dataset& data, const Range& range, Model& model,
                                        WeightSource& weights,
                                        const std::function<absl::Status()>& between,
                                        double negative_rate = 1);

// The same for each of `parts`, as many at a time as there are threads, each with a model of its
// own; several threads wait for all weights first. `between` is called by the calling thread only.
absl::StatusOr<std::vector<v1::MetricSums>> EvaluateParts(
    const Dataset& data, std::span<const Range> parts, ComputeThreads& threads,
    std::span<Model* const> models, WeightSource& weights,
    const std::function<absl::Status()>& between, double negative_rate = 1);

// The same of one stretch, which may be empty, cut into a part for each thread.
absl::StatusOr<v1::MetricSums> EvaluateRange(const Dataset& data, const Range& range,
                                             ComputeThreads& threads,
                                             std::span<Model* const> models, WeightSource& weights,
                                             const std::function<absl::Status()>& between,
                                             double negative_rate = 1);

}  // namespace convoy

#endif  // CONVOY_WORKER_EVALUATION_H_
