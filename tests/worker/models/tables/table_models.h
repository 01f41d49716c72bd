// What the tests of models with tables share: models, batches, and scores from their definitions.
#ifndef CONVOY_TESTS_WORKER_MODELS_TABLES_TABLE_MODELS_H_
#define CONVOY_TESTS_WORKER_MODELS_TABLES_TABLE_MODELS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/worker/models/tables/table_parameters.h"
#include "worker/models/model.h"

namespace convoy::testing {

// Data of ids with so many fields.
ModelInput Sparse(int64_t fields = 0);
std::unique_ptr<Model> Make(const v1::Model& config, const ModelInput& input = Sparse());

v1::Model SparseLogistic();
v1::Model Factorization(uint32_t factors);
v1::Model DeepFm(uint32_t factors);  // one hidden layer of 4
v1::Model WideAndDeep();             // embeddings of 2, one hidden layer of 4
v1::Model Ratings(uint32_t factors);

// Two users, three items: 6 ratings, user 1 and item 1 have the same id. Centred at 3, and what
// user 1 likes user 2 does not: only the factors can tell.
Batch SixRatings();
// Label 1 if both fields have the same category of three: every weight sees as many ones whatever
// the other field is.
Batch SameCategory();

// Predictions at random weights, and those weights.
std::vector<float> Predictions(Model& model, const Batch& batch, TableParameters* parameters);
// Mean loss of the last of `steps` steps of plain gradient descent on one batch.
double LossAfter(Model& model, const Batch& batch, int steps, float rate);
// Why the batch, or the model, is refused (InvalidArgument).
std::string TrainError(const v1::Model& config, const ModelInput& input, const Batch& batch);
std::string MakeError(const v1::Model& config, const ModelInput& input);

// float32 scores of some 50 terms of order 1 are right to about 50 * 2^-24 * 4 = 1e-5.
inline constexpr double kTolerance = 1e-5;
double Sigmoid(double score);
// The terms w x of an example, where w is the first column of the rows of a table.
double LinearScore(const Batch& batch, int64_t example, int table, TableParameters& parameters);
// The terms w x and (v_i . v_j) x_i x_j of an example, pair by pair.
double PairwiseScore(const Batch& batch, int64_t example, TableParameters& parameters);
// The output of one hidden layer of ReLUs and the head over the fields, where `first` is the first
// column of an embedding.
double DeepScore(const Batch& batch, int64_t example, int table, size_t first, int64_t fields,
                 TableParameters& parameters);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_WORKER_MODELS_TABLES_TABLE_MODELS_H_
