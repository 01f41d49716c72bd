#include "common/job/model_task.h"

namespace convoy {

bool LearnsNumber(const v1::Model& model) {
  switch (model.kind_case()) {
    case v1::Model::kLinearRegression:
    case v1::Model::kMatrixFactorization:
      return true;
    case v1::Model::kFactorizationMachine:
      return model.factorization_machine().task() == v1::FactorizationMachine::SQUARED;
    default:
      return false;
  }
}

bool LearnsTwoClasses(const v1::Model& model) {
  switch (model.kind_case()) {
    case v1::Model::kLogisticRegression:
    case v1::Model::kSparseLogistic:
    case v1::Model::kDeepFm:
    case v1::Model::kWideAndDeep:
      return true;
    case v1::Model::kFactorizationMachine:
      return model.factorization_machine().task() == v1::FactorizationMachine::LOGISTIC;
    default:
      return false;
  }
}

bool HasTables(const v1::Model& model) {
  switch (model.kind_case()) {
    case v1::Model::kSparseLogistic:
    case v1::Model::kFactorizationMachine:
    case v1::Model::kDeepFm:
    case v1::Model::kWideAndDeep:
    case v1::Model::kMatrixFactorization:
      return true;
    default:
      return false;
  }
}

std::string KindName(const v1::Model& model) {
  if (model.kind_case() == v1::Model::KIND_NOT_SET) return "";
  return v1::Model::descriptor()->FindFieldByNumber(model.kind_case())->name();
}

}  // namespace convoy
