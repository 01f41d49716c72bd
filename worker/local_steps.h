// Steps of the optimizer that a worker takes itself, on a copy of the weights, between two
// exchanges with the servers (local_sgd, geo). What it sends is how far it came. The optimizer's
// slots start anew in each round, but for the anchors, which servers keep. Rows of tables are asked
// for when a batch reads them for the first time in the round, and are stepped here from then on.
#ifndef CONVOY_WORKER_LOCAL_STEPS_H_
#define CONVOY_WORKER_LOCAL_STEPS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/math/variable.h"
#include "worker/gradient_rules.h"
#include "worker/local_optimizer.h"
#include "worker/local_rows.h"
#include "worker/models/model.h"
#include "worker/pulled_weights.h"

namespace convoy {

// One thread. Holds the weights, a gradient and the slots once.
class LocalSteps final : private WeightSource, private GradientSink {
 public:
  struct Options {
    LocalOptimizer::Options optimizer;
    bool skip_not_finite = false;  // training.nan_policy SKIP
    double clip_norm = 0;          // optimizer.clip_norm; 0: none
  };
  static absl::StatusOr<std::unique_ptr<LocalSteps>> Create(
      Options options, const std::vector<VariableSpec>& variables,
      const std::vector<TableSpec>& tables = {});

  // What the variables are held near (optimizer.anchor), to be filled in once before the first
  // round, by variable; empty: it is not. Anchors of rows come with the rows.
  std::vector<std::span<float>> anchors();
  // Starts a round from `weights`, waiting for them. They give the rows of tables until the round
  // ends.
  absl::Status Begin(WeightSource& weights);
  // One step on the mean gradient of `batch`; `seen`: examples before it, for the schedule. The
  // result is the model's. `next`: the batch of the next step, whose rows are asked for while this
  // one computes; null: not known.
  absl::StatusOr<BatchOutput> Step(Model& model, const Batch& batch, uint64_t seen,
                                   const Batch* next = nullptr);
  // The same on a gradient over `examples` that `compute` gets from the weights and rows, wherever
  // it does. `append_ids` appends the ids that the step reads of a table, one for each place.
  using AppendIds = std::function<void(size_t table, std::vector<uint64_t>* ids)>;
  using Compute = std::function<absl::Status(WeightSource& weights, GradientSink& gradient)>;
  absl::Status Step(const AppendIds& append_ids, const Compute& compute, uint32_t examples,
                    uint64_t seen);
  // The rows that the round has updated, by table.
  std::vector<std::vector<uint64_t>> UpdatedIds() const;
  // Hands `factor` * (weights now - weights of Begin) to `sink`; `weights` must still give those of
  // Begin. `batches`: those that were built of UpdatedIds(); the differences of their rows go to
  // their gradients.
  absl::Status End(WeightSource& weights, float factor, const TableBatches& batches,
                   GradientSink& sink);

  // Steps without effect because the gradient was not finite, since the last call.
  uint64_t TakeSkipped();

 private:
  explicit LocalSteps(Options options) : options_(std::move(options)) {}

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  absl::StatusOr<TableRows> Rows(int table) override;
  std::span<float> Gradient(int variable) override;
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  std::span<float> RowGradients(int table) override;
  absl::Status RowsReady(int) override { return absl::OkStatus(); }
  absl::Status StepOn(const Compute& compute, uint32_t examples, uint64_t seen);
  // Asks, and waits, for the rows that the batch is the first in the round to read.
  absl::Status AskForRows(const AppendIds& append_ids);
  absl::Status WaitForRows();
  GradientSpans Spans();

  const Options options_;
  std::unique_ptr<LocalOptimizer> optimizer_;
  std::vector<AlignedBuffer> weights_, gradient_;  // by variable
  std::vector<LocalRows> rows_;                    // by table
  WeightSource* source_ = nullptr;                 // of the round
  bool asked_ = false;                             // for the rows of the next batch
  uint64_t skipped_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LOCAL_STEPS_H_
