// Fully connected layers over the embeddings of the fields of an example.
#ifndef CONVOY_WORKER_MODELS_TABLES_DEEP_PART_H_
#define CONVOY_WORKER_MODELS_TABLES_DEEP_PART_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "worker/models/layer_stack.h"
#include "worker/models/model.h"
#include "worker/models/tables/places.h"

namespace convoy {

// The layers' input is row-major [examples, fields * columns]: for each field the sum of v x over
// its places in the example, where v are the last `columns` columns of a row. Data without fields
// are one field. The output is one number, which is added to the score.
class DeepPart {
 public:
  struct Options {
    std::string model;             // for messages, e.g. "model.deep_fm"
    int64_t fields = 0;            // of the setting; 0: those of the data
    int64_t columns = 0;           // >= 1
    std::vector<uint32_t> hidden;  // empty: 128, 64
    double dropout = 0;
  };

  // The variables of the layers are the first ones of the model: layerN/weight [inputs, units] and
  // layerN/bias [units] for N = 1, 2, ... (ReLU, He), then head/weight [units, 1] and head/bias
  // [1]. InvalidArgument: a layer of 0 units, dropout outside [0, 1), fewer fields than the data
  // have, more than 4,096.
  static absl::StatusOr<std::unique_ptr<DeepPart>> Create(const Options& options,
                                                          const ModelInput& input);

  const std::vector<VariableSpec>& variables() const { return layers_->variables(); }

  // By number of the variable in the model: no gradients of these are reported.
  void Freeze(const std::vector<bool>& variables) { layers_->Freeze(variables); }

  // InvalidArgument: a field number that is too large, or no fields where there should be several.
  absl::Status CheckFields(const Batch& batch) const;

  // Adds the output to the scores. `rows`: row-major [rows, dim].
  absl::Status AddScores(const Batch& batch, const Places& places, std::span<const float> rows,
                         int64_t dim, bool training, WeightSource& weights,
                         std::span<float> scores);

  // Follows AddScores of the same training batch. Reports the gradients of the layers, and computes
  // those of their input for AddRowGradients.
  absl::Status Backward(const Batch& batch, std::span<const float> score_gradient,
                        GradientSink& gradients);
  // Adds the gradients of the rows to `row_gradients` [rows, dim].
  void AddRowGradients(const Batch& batch, const Places& places, int64_t dim,
                       std::span<float> row_gradients) const;

 private:
  DeepPart(const Options& options, int64_t fields, std::unique_ptr<LayerStack> layers);

  int64_t FieldOf(const Batch& batch, int64_t place) const;

  const std::string model_;
  const int64_t fields_, columns_;
  const std::unique_ptr<LayerStack> layers_;
  AlignedBuffer input_, input_gradient_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_DEEP_PART_H_
