#include "worker/models/tables/matrix_factorization.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/models/tables/factorization_machine.h"
#include "worker/models/tables/id_batch.h"
#include "worker/models/tables/table_model.h"

namespace convoy {
namespace {

TableSpec Table(std::string name, uint32_t factors, double init_scale) {
  return {std::move(name),
          {{"bias", 1, Initializer::Zeros()},
           {"factors", factors, {Initializer::Kind::kNormal, static_cast<float>(init_scale)}}}};
}

// Adds the gradient of one side's row: that of its bias is `scale`, that of its factors `scale`
// times the other's.
void AddGradient(float scale, const float* __restrict other, int64_t factors,
                 float* __restrict gradient) {
  gradient[0] += scale;
  for (int64_t f = 1; f <= factors; ++f) gradient[f] += scale * other[f];
}

class MatrixFactorization final : public TableModel {
 public:
  MatrixFactorization(uint32_t factors, double init_scale, double mean)
      : TableModel(Task::kRegression),
        factors_(factors),
        bias_(AddBias(static_cast<float>(mean))),
        user_(AddTable(Table("user", factors, init_scale))),
        item_(AddTable(Table("item", factors, init_scale))) {}

  void AppendIds(const Batch& batch, int table, std::vector<uint64_t>* ids) const override {
    if (!CheckIdBatch(batch).ok() || !CheckExamples(batch).ok()) return;
    for (size_t place = table == user_ ? 0 : 1; place < batch.values.size(); place += 2) {
      ids->push_back(batch.ids.empty() ? batch.columns[place] : batch.ids[place]);
    }
  }

 protected:
  absl::Status CheckExamples(const Batch& batch) const override {
    for (int64_t i = 0; i <= batch.size; ++i) {
      if (batch.row_offsets[i] == 2 * i) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("batch: got ", batch.row_offsets[i] - 2 * (i - 1), " values of example ",
                       i - 1, ", want 2 for matrix_factorization: the user and the item"));
    }
    for (size_t place = 0; place < batch.fields.size(); ++place) {
      if (batch.fields[place] == place % 2) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("batch: got field ", batch.fields[place], " at value ", place % 2,
                       " of example ", place / 2, ", want ", place % 2,
                       ": matrix_factorization has field 0 for users and 1 for items"));
    }
    return absl::OkStatus();
  }

  int64_t PlacesOf(const Batch& batch) const override { return batch.size; }

  absl::Status AddScores(const Batch& batch, bool /*training*/, WeightSource& weights,
                         std::span<float> scores) override {
    CONVOY_RETURN_IF_ERROR(AddBiasTo(bias_, weights, scores));
    for (int64_t i = 0; i < batch.size; ++i) {
      const float* const user = Row(user_, i);
      const float* const item = Row(item_, i);
      float product = 0;
      for (int64_t f = 1; f <= factors_; ++f) product += user[f] * item[f];
      scores[i] += user[0] + item[0] + product;
    }
    return absl::OkStatus();
  }

  absl::Status Gradients(const Batch& batch, std::span<const float> score_gradient,
                         GradientSink& gradients) override {
    CONVOY_RETURN_IF_ERROR(BiasGradient(bias_, score_gradient, gradients));
    CONVOY_ASSIGN_OR_RETURN(const std::span<float> users, ZeroedGradients(user_, gradients));
    CONVOY_ASSIGN_OR_RETURN(const std::span<float> items, ZeroedGradients(item_, gradients));
    for (int64_t i = 0; i < batch.size; ++i) {
      AddGradient(score_gradient[i], Row(item_, i), factors_, users.data() + Begin(user_, i));
      AddGradient(score_gradient[i], Row(user_, i), factors_, items.data() + Begin(item_, i));
    }
    CONVOY_RETURN_IF_ERROR(gradients.RowsReady(user_));
    return gradients.RowsReady(item_);
  }

 private:
  // Where the row of an example begins.
  int64_t Begin(int table, int64_t example) const {
    return rows(table).places[example] * (1 + factors_);
  }
  const float* Row(int table, int64_t example) const {
    return rows(table).values.data() + Begin(table, example);
  }

  const int64_t factors_;
  const int bias_;
  const int user_, item_;  // the tables
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeMatrixFactorization(
    const v1::MatrixFactorization& config, const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckSparseInput(input, "matrix_factorization"));
  CONVOY_RETURN_IF_ERROR(
      CheckFactors("model.matrix_factorization", "factors", config.factors(), config.init_scale()));
  return std::make_unique<MatrixFactorization>(config.factors(), config.init_scale(),
                                               config.mean());
}

}  // namespace convoy
