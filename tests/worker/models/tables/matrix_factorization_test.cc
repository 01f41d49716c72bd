// Matrix factorization.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/worker/models/tables/table_models.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;

TEST(MatrixFactorizationTest, MatrixFactorizationAddsBiasesAndTheProductOfTheFactors) {
  const auto model = Make(Ratings(4));
  const Batch batch = SixRatings();
  TableParameters parameters(*model, 1);
  const std::vector<float> predictions = Predictions(*model, batch, &parameters);
  for (int64_t i = 0; i < batch.size; ++i) {
    const auto user = parameters.row(0, batch.ids[2 * i]),
               item = parameters.row(1, batch.ids[2 * i + 1]);
    double rating = parameters.variables().weights(0)[0] + user[0] + item[0];
    for (size_t f = 1; f <= 4; ++f) rating += double{user[f]} * item[f];
    EXPECT_NEAR(predictions[i], rating, kTolerance);
  }
}

TEST(MatrixFactorizationTest, UsersAndItemsAreInTablesOfTheirOwn) {
  const auto model = Make(Ratings(4));
  std::vector<uint64_t> users, items;
  model->AppendIds(SixRatings(), 0, &users);
  model->AppendIds(SixRatings(), 1, &items);
  EXPECT_THAT(users, ElementsAre(1, 1, 1, 2, 2, 2));
  EXPECT_THAT(items, ElementsAre(1, 8, 9, 1, 8, 9));
}

TEST(MatrixFactorizationTest, MeanIsWhereTheBiasOfMatrixFactorizationStarts) {
  v1::Model config = Ratings(4);
  config.mutable_matrix_factorization()->set_mean(3.5);
  const auto model = Make(config);
  TableParameters parameters(*model, 1);
  EXPECT_EQ(parameters.variables().weights(0)[0], 3.5f);
}

TEST(MatrixFactorizationTest, MatrixFactorizationLearnsWhatBiasesCannotSay) {
  EXPECT_LT(LossAfter(*Make(Ratings(4)), SixRatings(), 3000, 0.1f), 0.01);
}

TEST(MatrixFactorizationTest, ARatingHasAUserAndAnItem) {
  Batch batch = SixRatings();
  batch.row_offsets[3] = 7;
  EXPECT_EQ(
      TrainError(Ratings(3), Sparse(), batch),
      "batch: got 3 values of example 2, want 2 for matrix_factorization: the user and the item");
  batch = SixRatings();
  batch.fields[6] = 1;
  EXPECT_EQ(TrainError(Ratings(3), Sparse(), batch),
            "batch: got field 1 at value 0 of example 3, want 0: matrix_factorization has field 0 "
            "for users and 1 for "
            "items");
}

}  // namespace
}  // namespace convoy::testing
