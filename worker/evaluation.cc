#include "worker/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/status.h"
#include "worker/data/negative_sampling.h"
#include "worker/example_reader.h"
#include "worker/want_rows.h"
#include "worker/weight_view.h"

namespace convoy {
namespace {
// A float32 can't be closer to 1 than this without being 1.
constexpr double kLeastComplement = 0x1p-25;

double LogLoss(float p, bool positive) {
  return -std::log(positive ? std::max<double>(p, std::numeric_limits<float>::min())
                            : std::max(1 - double{p}, kLeastComplement));
}

// What the model found, corrected for `rate` < 1. `predictions`: memory of the result.
BatchOutput Corrected(const BatchOutput& output, const Batch& batch, double rate,
                      std::vector<float>* predictions) {
  predictions->clear();
  BatchOutput corrected = output;
  corrected.loss = 0;
  for (size_t i = 0; i < output.predictions.size(); ++i) {
    predictions->push_back(CorrectForSampling(output.predictions[i], rate));
    corrected.loss += LogLoss(predictions->back(), batch.labels[i] > 0);
  }
  corrected.predictions = *predictions;
  return corrected;
}
}  // namespace

int64_t MetricClasses(const Model& model) {
  switch (model.task()) {
    case Model::Task::kRegression:
      return 0;
    case Model::Task::kBinary:
      return 2;
    case Model::Task::kMulticlass:
      return model.outputs();
  }
  return 0;
}

void AddBatch(const Model& model, const BatchOutput& output, const Batch& batch,
              MetricAccumulator* metrics) {
  metrics->Add(output.loss, output.predictions, model.outputs(), batch.labels);
  metrics->AddOwn(model.metrics(), output.metrics);
}

absl::StatusOr<v1::MetricSums> Evaluate(const Dataset& data, const Range& range, Model& model,
                                        WeightSource& weights,
                                        const std::function<absl::Status()>& between,
                                        double negative_rate) {
  MetricAccumulator metrics(MetricClasses(model),
                            /*keep_scores=*/model.task() == Model::Task::kBinary);
  ExampleReader reader(&data, &model);
  Batch batch;
  std::vector<uint64_t> ids;
  std::vector<float> corrected;
  for (uint64_t begin = range.begin; begin < range.end; begin += kEvaluationBatch) {
    CONVOY_RETURN_IF_ERROR(
        reader.Read(0, {begin, std::min(begin + kEvaluationBatch, range.end)}, &batch));
    CONVOY_RETURN_IF_ERROR(WantRowsOf(model, batch, weights, &ids));
    weights.UseWantedRows();
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, model.Evaluate(batch, weights));
    AddBatch(model,
             negative_rate < 1 ? Corrected(output, batch, negative_rate, &corrected) : output,
             batch, &metrics);
    CONVOY_RETURN_IF_ERROR(between());
  }
  return metrics.Take();
}

absl::StatusOr<std::vector<v1::MetricSums>> EvaluateParts(
    const Dataset& data, std::span<const Range> parts, ComputeThreads& threads,
    std::span<Model* const> models, WeightSource& weights,
    const std::function<absl::Status()>& between, double negative_rate) {
  std::vector<WeightView> views;
  if (threads.count() > 1) {
    CONVOY_ASSIGN_OR_RETURN(
        views, WeightView::Of(weights, models[0]->variables().size(), threads.count()));
  }
  std::vector<v1::MetricSums> sums(parts.size());
  for (size_t first = 0; first < parts.size(); first += threads.count()) {
    const size_t count = std::min(threads.count(), parts.size() - first);
    CONVOY_RETURN_IF_ERROR(threads.Run(count, [&](size_t part) -> absl::Status {
      const auto others = [] { return absl::OkStatus(); };
      WeightSource& source = views.empty() ? weights : views[part];
      CONVOY_ASSIGN_OR_RETURN(
          sums[first + part],
          Evaluate(data, parts[first + part], *models[part], source,
                   part == 0 ? between : std::function<absl::Status()>(others), negative_rate));
      return absl::OkStatus();
    }));
  }
  return sums;
}

absl::StatusOr<v1::MetricSums> EvaluateRange(const Dataset& data, const Range& range,
                                             ComputeThreads& threads,
                                             std::span<Model* const> models, WeightSource& weights,
                                             const std::function<absl::Status()>& between,
                                             double negative_rate) {
  const size_t count = std::clamp<size_t>(range.size(), 1, threads.count());
  std::vector<Range> parts;
  for (size_t i = 0; i < count; ++i) parts.push_back(SlicePositions(i, count, range));
  CONVOY_ASSIGN_OR_RETURN(
      const std::vector<v1::MetricSums> sums,
      EvaluateParts(data, parts, threads, models, weights, between, negative_rate));
  v1::MetricSums merged;
  for (const v1::MetricSums& part : sums) MergeSums(part, &merged);
  return merged;
}

}  // namespace convoy
