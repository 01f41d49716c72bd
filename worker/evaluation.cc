#include "worker/evaluation.h"

#include <algorithm>
#include <vector>

#include "common/status.h"
#include "worker/example_reader.h"
#include "worker/want_rows.h"

namespace convoy {
namespace {
constexpr uint64_t kBatch = 256;
}  // namespace

int64_t MetricClasses(const Model& model) {
  switch (model.task()) {
    case Model::Task::kRegression: return 0;
    case Model::Task::kBinary: return 2;
    case Model::Task::kMulticlass: return model.outputs();
  }
  return 0;
}

void AddBatch(const Model& model, const BatchOutput& output, const Batch& batch, MetricAccumulator* metrics) {
  metrics->Add(output.loss, output.predictions, model.outputs(), batch.labels);
  metrics->AddOwn(model.metrics(), output.metrics);
}

absl::StatusOr<v1::MetricSums> Evaluate(const Dataset& data, const Range& range, Model& model, WeightSource& weights,
                                        const std::function<absl::Status()>& between) {
  MetricAccumulator metrics(MetricClasses(model), /*keep_scores=*/model.task() == Model::Task::kBinary);
  ExampleReader reader(&data, &model);
  Batch batch;
  std::vector<uint64_t> ids;
  for (uint64_t begin = range.begin; begin < range.end; begin += kBatch) {
    CONVOY_RETURN_IF_ERROR(reader.Read(0, {begin, std::min(begin + kBatch, range.end)}, &batch));
    CONVOY_RETURN_IF_ERROR(WantRowsOf(model, batch, weights, &ids));
    weights.UseWantedRows();
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, model.Evaluate(batch, weights));
    AddBatch(model, output, batch, &metrics);
    CONVOY_RETURN_IF_ERROR(between());
  }
  return metrics.Take();
}

}  // namespace convoy
