// A model: its variables, and the loss and gradients of a batch. It is told nothing of servers,
// slices or modes. One instance is used by one thread; a worker of
// several threads (cluster.threads_per_worker) makes one for each.
#ifndef CONVOY_WORKER_MODELS_MODEL_H_
#define CONVOY_WORKER_MODELS_MODEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "common/optimizers/frozen.h"
#include "proto/job.pb.h"
#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/layers/weights.h"

namespace convoy {

// What the data look like to a model.
struct ModelInput {
  int64_t features = 0;
  ExampleShape shape;
  bool sparse = false;
  int64_t classes = 0;  // 0: regression
  int64_t fields = 0;   // field numbers of the data are below this; 0: they have no fields
  uint64_t seed = 1;    // of the job; randomness is keyed by (seed, layer, epoch, example)
  // training.nan_policy SKIP: a loss that is not a number is no error of a custom model.
  bool allow_nan_loss = false;
};

// What a batch's forward pass found.
struct BatchOutput {
  double loss = 0;  // sum over the examples (times their weights), in a fixed order
  // Row-major [size, outputs()]: class probabilities, P(y = 1) if outputs() is 1, or the predicted
  // target of a regression. Owned by the model, valid until its next call.
  std::span<const float> predictions;
  // [metrics().size()]: sums over the examples, in a fixed order. Owned as `predictions` are.
  std::span<const double> metrics;
};

class Model {
 public:
  enum class Task { kRegression, kBinary, kMulticlass };

  virtual ~Model() = default;
  virtual Task task() const = 0;
  // Values of a prediction: 1, or the number of classes.
  virtual int64_t outputs() const = 0;
  virtual const std::vector<VariableSpec>& variables() const = 0;
  // The embedding tables of the model; none by default.
  virtual const std::vector<TableSpec>& tables() const;
  // Appends the ids that the batch reads of the table: one for each place, repeated ids repeated.
  // Train and Evaluate get the rows in this order (WeightSource::Rows).
  virtual void AppendIds(const Batch& batch, int table, std::vector<uint64_t>* ids) const;
  // Names of the metrics that the model class measures itself, beyond those of its task. Their
  // means over the examples are reported with loss and accuracy. See CheckMetricName.
  virtual std::span<const std::string> metrics() const { return {}; }

  // Maps a label of the data to what Batch::labels holds for this model (-1/+1 -> 0/1, class
  // numbers checked). InvalidArgument: out of range.
  virtual absl::Status CheckLabel(float label, float* mapped) const = 0;

  // Loss and gradients of a training batch (batch.size >= 1).
  virtual absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                            GradientSink& gradients) = 0;
  // Bytes that Train keeps for each example of a batch: what its layers put out, and gradients with
  // respect to that. For the estimate of a job's memory; 0: little.
  virtual int64_t activation_bytes() const { return 0; }
  // Before the first Train: no gradient of these variables and tables is wanted. What only theirs
  // need may be left out, and they need not be reported; by default nothing is left out.
  virtual void Freeze(const FrozenParts& /*frozen*/) {}
  // Whether Train multiplies loss and gradient of each example by Batch::weights. A job with class
  // weights is refused if not.
  virtual bool weighs_examples() const { return false; }
  // Loss and predictions without training (no dropout). Labels may be absent: then loss is 0.
  virtual absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) = 0;
};

using ModelFactory =
    std::function<absl::StatusOr<std::unique_ptr<Model>>(const v1::Model&, const ModelInput&)>;

// A model class of the program that embeds Convoy, for convoy::Main.
struct ModelRegistration {
  std::string name;
  ModelFactory factory;
};

// The built-in kinds, and `custom` ones by name. InvalidArgument: unknown custom name (lists those
// there are), a kind that does not fit the data (e.g. conv_net on vectors). Custom ones are held to
// the contract of Model, see checked_model.h: nothing that they throw passes, and what they get
// wrong is an error of the call.
absl::StatusOr<std::unique_ptr<Model>> MakeModel(const v1::Model& config, const ModelInput& input,
                                                 std::span<const ModelRegistration> custom);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_MODEL_H_
