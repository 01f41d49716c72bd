#include "worker/models/tables/wide_and_deep.h"

#include <utility>

#include "common/status.h"
#include "worker/models/tables/deep_part.h"
#include "worker/models/tables/factorization_machine.h"
#include "worker/models/tables/id_batch.h"
#include "worker/models/tables/linear_terms.h"
#include "worker/models/tables/table_model.h"

namespace convoy {
namespace {

class WideAndDeep final : public TableModel {
 public:
  WideAndDeep(uint32_t dim, double init_scale, std::unique_ptr<DeepPart> deep_part)
      : TableModel(Task::kBinary),
        dim_(dim),
        deep_part_(std::move(deep_part)),
        wide_(AddTable({"wide", {{"weight", 1, Initializer::Zeros()}}})),
        deep_(AddTable(
            {"deep",
             {{"embedding", dim, {Initializer::Kind::kNormal, static_cast<float>(init_scale)}}}})) {
    for (const VariableSpec& variable : deep_part_->variables()) AddVariable(variable);
  }
  void Freeze(const FrozenParts& frozen) override { deep_part_->Freeze(frozen.variables); }

 protected:
  absl::Status CheckExamples(const Batch& batch) const override {
    return deep_part_->CheckFields(batch);
  }

  absl::Status AddScores(const Batch& batch, bool training, WeightSource& weights,
                         std::span<float> scores) override {
    AddLinearTerms(PlacesIn(batch, wide_), rows(wide_).values, scores);
    return deep_part_->AddScores(batch, PlacesIn(batch, deep_), rows(deep_).values, dim_, training,
                                 weights, scores);
  }

  absl::Status Gradients(const Batch& batch, std::span<const float> score_gradient,
                         GradientSink& gradients) override {
    CONVOY_ASSIGN_OR_RETURN(const std::span<float> wide, ZeroedGradients(wide_, gradients));
    AddLinearGradients(PlacesIn(batch, wide_), score_gradient, wide);
    CONVOY_RETURN_IF_ERROR(gradients.RowsReady(wide_));
    CONVOY_RETURN_IF_ERROR(deep_part_->Backward(batch, score_gradient, gradients));
    CONVOY_ASSIGN_OR_RETURN(const std::span<float> deep, ZeroedGradients(deep_, gradients));
    deep_part_->AddRowGradients(batch, PlacesIn(batch, deep_), dim_, deep);
    return gradients.RowsReady(deep_);
  }

 private:
  const int64_t dim_;
  const std::unique_ptr<DeepPart> deep_part_;
  const int wide_, deep_;  // the tables
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeWideAndDeep(const v1::WideAndDeep& config,
                                                       const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckSparseInput(input, "wide_and_deep"));
  CONVOY_RETURN_IF_ERROR(
      CheckFactors("model.wide_and_deep", "dim", config.dim(), config.init_scale()));
  DeepPart::Options options{"model.wide_and_deep",
                            config.fields(),
                            config.dim(),
                            {config.hidden().begin(), config.hidden().end()},
                            config.dropout()};
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<DeepPart> deep_part, DeepPart::Create(options, input));
  return std::make_unique<WideAndDeep>(config.dim(), config.init_scale(), std::move(deep_part));
}

}  // namespace convoy
