// Gradients that the threads of a worker compute at the same time, each with a model, a reader and
// memory of its own, and their sum along the fixed tree (cluster.threads_per_worker).
#ifndef CONVOY_WORKER_PARALLEL_GRADIENTS_H_
#define CONVOY_WORKER_PARALLEL_GRADIENTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/placement/slice_tree.h"
#include "worker/compute_threads.h"
#include "worker/data/batch.h"
#include "worker/data/batches.h"
#include "worker/example_reader.h"
#include "worker/gradient_memory.h"
#include "worker/models/model.h"
#include "worker/training_data.h"

namespace convoy {

// Called by one thread, which is the one that computes part 0.
class ParallelGradients {
 public:
  struct Options {
    bool skip_not_finite = false;  // training.nan_policy SKIP
    double clip_norm = 0;          // optimizer.clip_norm; 0: none
    // Called between pieces of the calling thread's own work; an error ends the computing.
    std::function<absl::Status()> between = [] { return absl::OkStatus(); };
  };

  // What the thread of one part works with; nobody else touches it while threads run.
  struct Slot {
    Slot(Model* model_of_slot, const TrainingData* training)
        : model(model_of_slot), reader(training, model_of_slot), gradient(&model->variables()) {}

    Model* const model;
    ExampleReader reader;
    Batch batch, ahead;         // the next one, of local steps and of ReadParts
    std::vector<uint64_t> ids;  // memory for those of the batch
    // By table: the ids of `ahead` and of `batch`, of ReadParts.
    std::vector<std::vector<uint64_t>> ids_ahead, ids_of_batch;
    GradientMemory gradient;
    uint32_t examples = 0;  // for which `gradient` stands; 0: there is no gradient
    BatchOutput output;     // of Gradient, on `batch`
  };
  using Work = std::function<absl::Status(size_t part, Slot& slot, WeightSource& weights)>;

  // One model for each thread; all of this outlives it. Memory is taken when it is used first.
  ParallelGradients(ComputeThreads* threads, std::span<Model* const> models,
                    const TrainingData* training, Options options);

  size_t slots() const { return slots_.size(); }
  const Slot& slot(size_t part) const { return slots_[part]; }
  GradientMemory& gradient(size_t part) { return slots_[part].gradient; }

  // Slices, each with rows of its own. Waits for all of `weights`, then does the work of each part
  // < `parts` <= slots() in the thread of its slot. Returns when all parts are done; the error is
  // that of the lowest part that has one.
  absl::Status Run(size_t parts, WeightSource& weights, const Work& work);
  // The work of a part: the gradient over the examples at `positions` of `epoch`, clipped and
  // checked as the options say. `positions` may be empty: no gradient.
  absl::Status Gradient(uint64_t epoch, const Range& positions, Slot& slot, WeightSource& weights);

  // One batch of a model with tables, cut into a part for each slot; its rows are those of all
  // parts together. ReadParts reads the examples of the next batch; AppendIds has their ids, for
  // WantRows; UseParts makes it the current one; TrainParts computes the gradient of each of its
  // parts, waiting for the weights and for the rows, which were wanted and are used.
  absl::Status ReadParts(uint64_t epoch, const Range& positions);
  void AppendIds(size_t table, std::vector<uint64_t>* ids) const;
  void UseParts();
  absl::Status TrainParts(WeightSource& weights);

  // Examples for which the gradients of the last Run stand, over the slices of `node`; slice
  // `first` is part 0.
  uint64_t Examples(const SliceTree& tree, TreeNode node, uint32_t first) const;
  // Adds them up along `tree` and hands the sum over, block by block from the last variable to the
  // first; nothing if there are no examples. The gradients are spent.
  absl::Status AddUp(const SliceTree& tree, TreeNode node, uint32_t first, GradientSink& sink);
  // The same of the rows of tables: of one part, or of the parts of one batch.
  absl::Status AddUpRows(const SliceTree& tree, TreeNode node, uint32_t first, GradientSink& sink);

 private:
  using Addition = std::pair<size_t, size_t>;  // slot += slot

  // Appends the additions for the sum over `node`; returns the slot that has it then, if there is
  // one: that of the last addition.
  std::optional<size_t> PlanSum(const SliceTree& tree, TreeNode node, uint32_t first,
                                std::vector<Addition>* additions) const;
  // Adds up elements [block.begin, block.end) of what `values(slot)` has of the slots.
  static void AddBlock(std::span<const Addition> additions, size_t result, const Range& block,
                       const std::function<float*(size_t slot)>& values, float* sum);
  // Of the slot's batch, whose rows `weights` has.
  absl::Status Train(Slot& slot, WeightSource& weights);

  ComputeThreads* const threads_;
  const Options options_;
  std::vector<Slot> slots_;  // by part
};

}  // namespace convoy

#endif  // CONVOY_WORKER_PARALLEL_GRADIENTS_H_
