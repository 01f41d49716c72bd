#include "worker/models/tables/sparse_logistic.h"

#include "common/status.h"
#include "worker/models/tables/id_batch.h"
#include "worker/models/tables/linear_terms.h"
#include "worker/models/tables/table_model.h"

namespace convoy {
namespace {

class SparseLogistic final : public TableModel {
 public:
  SparseLogistic()
      : TableModel(Task::kBinary),
        bias_(AddBias()),
        table_(AddTable({"weight", {{"weight", 1, Initializer::Zeros()}}})) {}

 protected:
  absl::Status AddScores(const Batch& batch, bool /*training*/, WeightSource& weights,
                         std::span<float> scores) override {
    CONVOY_RETURN_IF_ERROR(AddBiasTo(bias_, weights, scores));
    AddLinearTerms(PlacesIn(batch, table_), rows(table_).values, scores);
    return absl::OkStatus();
  }

  absl::Status Gradients(const Batch& batch, std::span<const float> score_gradient,
                         GradientSink& gradients) override {
    CONVOY_RETURN_IF_ERROR(BiasGradient(bias_, score_gradient, gradients));
    CONVOY_ASSIGN_OR_RETURN(const std::span<float> memory, ZeroedGradients(table_, gradients));
    AddLinearGradients(PlacesIn(batch, table_), score_gradient, memory);
    return gradients.RowsReady(table_);
  }

 private:
  const int bias_;
  const int table_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeSparseLogistic(const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckSparseInput(input, "sparse_logistic"));
  return std::make_unique<SparseLogistic>();
}

}  // namespace convoy
