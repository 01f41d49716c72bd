#include "worker/models/tables/factorization_machine.h"

#include "absl/strings/str_cat.h"
#include "common/aligned_buffer.h"
#include "common/status.h"
#include "worker/models/tables/factor_terms.h"
#include "worker/models/tables/id_batch.h"
#include "worker/models/tables/table_model.h"

namespace convoy {
namespace {

class FactorizationMachine final : public TableModel {
 public:
  FactorizationMachine(Task task, int64_t factors, double init_scale)
      : TableModel(task),
        factors_(factors),
        bias_(AddBias()),
        table_(AddTable(FactorTable(factors, init_scale))) {}

 protected:
  absl::Status AddScores(const Batch& batch, bool /*training*/, WeightSource& weights,
                         std::span<float> scores) override {
    CONVOY_RETURN_IF_ERROR(AddBiasTo(bias_, weights, scores));
    sums_.Reserve(batch.size * factors_);
    AddFactorTerms(PlacesIn(batch, table_), rows(table_).values, factors_, sums_.span(), scores);
    return absl::OkStatus();
  }

  absl::Status Gradients(const Batch& batch, std::span<const float> score_gradient,
                         GradientSink& gradients) override {
    CONVOY_RETURN_IF_ERROR(BiasGradient(bias_, score_gradient, gradients));
    CONVOY_ASSIGN_OR_RETURN(const std::span<float> memory, ZeroedGradients(table_, gradients));
    AddFactorGradients(PlacesIn(batch, table_), rows(table_).values, factors_, sums_.span(),
                       score_gradient, memory);
    return gradients.RowsReady(table_);
  }

 private:
  const int64_t factors_;
  const int bias_;
  const int table_;
  AlignedBuffer sums_;  // of v x, [examples, factors]
};

}  // namespace

TableSpec FactorTable(int64_t factors, double init_scale) {
  return {"rows",
          {{"weight", 1, Initializer::Zeros()},
           {"factors",
            static_cast<uint32_t>(factors),
            {Initializer::Kind::kNormal, static_cast<float>(init_scale)}}}};
}

absl::Status CheckFactors(const std::string& model, const std::string& field, uint32_t factors,
                          double init_scale) {
  if (factors < 1 || factors > kMaxFactors) {
    return absl::InvalidArgumentError(
        absl::StrCat(model, ".", field, ": got ", factors, ", want 1 to ", kMaxFactors));
  }
  if (init_scale > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(model, ".init_scale: got ", init_scale, ", want more than 0"));
}

absl::StatusOr<std::unique_ptr<Model>> MakeFactorizationMachine(
    const v1::FactorizationMachine& config, const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckSparseInput(input, "factorization_machine"));
  CONVOY_RETURN_IF_ERROR(CheckFactors("model.factorization_machine", "factors", config.factors(),
                                      config.init_scale()));
  const bool squared = config.task() == v1::FactorizationMachine::SQUARED;
  return std::make_unique<FactorizationMachine>(
      squared ? Model::Task::kRegression : Model::Task::kBinary, config.factors(),
      config.init_scale());
}

}  // namespace convoy
