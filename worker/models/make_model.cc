#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/model_task.h"
#include "worker/models/checked_model.h"
#include "worker/models/conv_net.h"
#include "worker/models/linear_models.h"
#include "worker/models/mlp.h"
#include "worker/models/model.h"
#include "worker/models/tables/deep_fm.h"
#include "worker/models/tables/factorization_machine.h"
#include "worker/models/tables/matrix_factorization.h"
#include "worker/models/tables/sparse_logistic.h"
#include "worker/models/tables/wide_and_deep.h"

namespace convoy {
namespace {

absl::StatusOr<std::unique_ptr<Model>> MakeCustom(const v1::Model& config, const ModelInput& input,
                                                  std::span<const ModelRegistration> custom) {
  const std::string& name = config.custom().name();
  for (const ModelRegistration& registration : custom) {
    if (registration.name == name) return MakeCheckedModel(registration, config, input);
  }
  const auto quoted = [](std::string* out, const ModelRegistration& registration) {
    absl::StrAppend(out, "\"", registration.name, "\"");
  };
  return absl::InvalidArgumentError(absl::StrCat(
      "model.custom.name: no model is registered as \"", name, "\"; ",
      custom.empty() ? "this program has registered none"
                     : absl::StrCat("there are ", absl::StrJoin(custom, ", ", quoted))));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeModel(const v1::Model& config, const ModelInput& input,
                                                 std::span<const ModelRegistration> custom) {
  ModelInput chosen = input;
  if (config.has_classes()) chosen.classes = config.classes();
  // Models with tables look at the ids that occur, whatever there may be.
  if (chosen.features < 1 && !HasTables(config)) {
    return absl::InvalidArgumentError(
        absl::StrCat("model: the data have ", chosen.features, " features, want at least 1"));
  }
  switch (config.kind_case()) {
    case v1::Model::kLinearRegression:
      return MakeLinearRegression(config.linear_regression(), chosen);
    case v1::Model::kLogisticRegression:
      return MakeLogisticRegression(config.logistic_regression(), chosen);
    case v1::Model::kSoftmaxRegression:
      return MakeSoftmaxRegression(config.softmax_regression(), chosen);
    case v1::Model::kMlp:
      return MakeMlp(config.mlp(), chosen);
    case v1::Model::kConvNet:
      return MakeConvNet(config.conv_net(), chosen);
    case v1::Model::kCustom:
      return MakeCustom(config, chosen, custom);
    case v1::Model::kSparseLogistic:
      return MakeSparseLogistic(chosen);
    case v1::Model::kFactorizationMachine:
      return MakeFactorizationMachine(config.factorization_machine(), chosen);
    case v1::Model::kDeepFm:
      return MakeDeepFm(config.deep_fm(), chosen);
    case v1::Model::kWideAndDeep:
      return MakeWideAndDeep(config.wide_and_deep(), chosen);
    case v1::Model::kMatrixFactorization:
      return MakeMatrixFactorization(config.matrix_factorization(), chosen);
    case v1::Model::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "model: no kind is given; set one of linear_regression, logistic_regression, "
      "softmax_regression, mlp, conv_net, sparse_logistic, factorization_machine, deep_fm, "
      "wide_and_deep, matrix_factorization, custom");
}

}  // namespace convoy
