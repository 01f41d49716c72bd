#include "worker/check_gradients.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/layers/eigen.h"
#include "worker/models/gradient_check.h"
#include "worker/setup.h"
#include "worker/training_data.h"

namespace convoy {
namespace {
constexpr int64_t kExamples = 16;
}  // namespace

absl::StatusOr<std::string> CheckGradients(const v1::Job& job,
                                           std::span<const ModelRegistration> models) {
  ConfigureEigen();
  CONVOY_ASSIGN_OR_RETURN(const DataSets data,
                          OpenData(job.data(), job.seed(), [](const std::string&) {}));
  CONVOY_ASSIGN_OR_RETURN(const ModelInput input, ModelInputOf(job, data));
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model,
                          MakeModel(job.model(), input, models));
  const auto examples = static_cast<uint64_t>(std::min(kExamples, data.train->size()));
  Batch batch;
  CONVOY_ASSIGN_OR_RETURN(const TrainingData training, MakeTrainingData(job, *data.train, *model));
  ExampleReader reader(&training);
  CONVOY_RETURN_IF_ERROR(reader.Read(0, {0, examples}, &batch));
  CONVOY_ASSIGN_OR_RETURN(const std::vector<VariableGradients> variables,
                          CompareGradients(*model, batch, job.seed()));
  CONVOY_RETURN_IF_ERROR(GradientsVerdict(variables));
  return absl::StrCat("gradients on ", examples, " examples agree with finite differences:\n",
                      GradientsTable(variables));
}

}  // namespace convoy
