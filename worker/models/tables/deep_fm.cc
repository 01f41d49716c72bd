#include "worker/models/tables/deep_fm.h"

#include <utility>

#include "common/aligned_buffer.h"
#include "common/status.h"
#include "worker/models/tables/deep_part.h"
#include "worker/models/tables/factor_terms.h"
#include "worker/models/tables/factorization_machine.h"
#include "worker/models/tables/id_batch.h"
#include "worker/models/tables/table_model.h"

namespace convoy {
namespace {

class DeepFm final : public TableModel {
 public:
  DeepFm(int64_t factors, double init_scale, std::unique_ptr<DeepPart> deep)
      : TableModel(Task::kBinary),
        factors_(factors),
        deep_(std::move(deep)),
        table_(AddTable(FactorTable(factors, init_scale))) {
    for (const VariableSpec& variable : deep_->variables()) AddVariable(variable);
  }
  void Freeze(const FrozenParts& frozen) override { deep_->Freeze(frozen.variables); }

 protected:
  absl::Status CheckExamples(const Batch& batch) const override {
    return deep_->CheckFields(batch);
  }

  absl::Status AddScores(const Batch& batch, bool training, WeightSource& weights,
                         std::span<float> scores) override {
    const Places places = PlacesIn(batch, table_);
    sums_.Reserve(batch.size * factors_);
    AddFactorTerms(places, rows(table_).values, factors_, sums_.span(), scores);
    return deep_->AddScores(batch, places, rows(table_).values, 1 + factors_, training, weights,
                            scores);
  }

  absl::Status Gradients(const Batch& batch, std::span<const float> score_gradient,
                         GradientSink& gradients) override {
    CONVOY_RETURN_IF_ERROR(deep_->Backward(batch, score_gradient, gradients));
    CONVOY_ASSIGN_OR_RETURN(const std::span<float> memory, ZeroedGradients(table_, gradients));
    const Places places = PlacesIn(batch, table_);
    AddFactorGradients(places, rows(table_).values, factors_, sums_.span(), score_gradient, memory);
    deep_->AddRowGradients(batch, places, 1 + factors_, memory);
    return gradients.RowsReady(table_);
  }

 private:
  const int64_t factors_;
  const std::unique_ptr<DeepPart> deep_;
  const int table_;
  AlignedBuffer sums_;  // of v x, [examples, factors]
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeDeepFm(const v1::DeepFm& config,
                                                  const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckSparseInput(input, "deep_fm"));
  CONVOY_RETURN_IF_ERROR(
      CheckFactors("model.deep_fm", "factors", config.factors(), config.init_scale()));
  DeepPart::Options options{"model.deep_fm",
                            config.fields(),
                            config.factors(),
                            {config.hidden().begin(), config.hidden().end()},
                            config.dropout()};
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<DeepPart> deep, DeepPart::Create(options, input));
  return std::make_unique<DeepFm>(config.factors(), config.init_scale(), std::move(deep));
}

}  // namespace convoy
