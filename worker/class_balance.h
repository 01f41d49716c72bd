// Classes of different sizes: what the training data have, and the weights that make up for it.
#ifndef CONVOY_WORKER_CLASS_BALANCE_H_
#define CONVOY_WORKER_CLASS_BALANCE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/dataset.h"
#include "worker/models/model.h"

namespace convoy {

// The class of each example, as `model` (a classifier) numbers them. InvalidArgument: a label that
// is no class.
absl::StatusOr<std::vector<uint32_t>> ClassOfEachExample(const Dataset& data, const Model& model);

// n / (C * n_c) for each of `count` classes, with n examples, n_c of class c, and C classes that
// occur: every class has the same part of the loss, and the mean weight over the examples is 1.
// This is "balanced" of scikit-learn, after King & Zeng, "Logistic regression in rare events data",
// Political Analysis 9(2), 2001. 1 for a class without examples. `classes`: each below `count`.
std::vector<float> BalancedWeights(std::span<const uint32_t> classes, size_t count);

}  // namespace convoy

#endif  // CONVOY_WORKER_CLASS_BALANCE_H_
