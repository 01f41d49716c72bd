#include "worker/layers/dense.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"
#include "worker/layers/matrix.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::ExpectLayerGradients;
using ::convoy::testing::MemoryParameters;
using ::convoy::testing::SparseBatch;
using ::convoy::testing::ToDense;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;
using Event = MemoryParameters::Event;

Dense MakeDense(int64_t inputs, int64_t outputs, bool bias = true) {
  return Dense({"layer1", inputs, outputs, Initializer::Zeros(), bias});
}

struct DenseResult {
  std::vector<float> output;
  std::vector<float> gradients;
};

// Forward, and backward with an output gradient equal to the output.
DenseResult RunOnce(Dense& dense, const Batch& batch, MemoryParameters& parameters,
                    float* input_gradient = nullptr) {
  std::vector<std::span<const float>> weights;
  for (int v = 0; v < parameters.count(); ++v) weights.push_back(parameters.weights(v));
  LayerPass pass;
  pass.batch = &batch;
  pass.training = true;
  pass.input = batch.sparse ? nullptr : batch.dense.data();
  pass.weights = weights;
  AlignedBuffer output(batch.size * dense.outputs());
  EXPECT_TRUE(dense.Forward(pass, output.data()).ok());
  EXPECT_TRUE(dense.Backward(pass, output.data(), output.data(), input_gradient, parameters).ok());
  return {{output.span().begin(), output.span().end()}, parameters.AllGradients()};
}

TEST(DenseTest, OutputIsInputTimesWeightPlusBias) {
  Dense dense = MakeDense(2, 3);
  MemoryParameters parameters(dense.variables());
  for (int i = 0; i < 6; ++i) parameters.weights(0)[i] = static_cast<float>(i + 1);
  for (int i = 0; i < 3; ++i) parameters.weights(1)[i] = static_cast<float>(100 * (i + 1));
  Batch batch = DenseBatch(1, 2, 0);
  batch.dense[0] = 10;
  batch.dense[1] = 20;
  // [10 20] [1 2 3; 4 5 6] + [100 200 300]
  EXPECT_THAT(RunOnce(dense, batch, parameters).output, ElementsAre(190, 320, 450));
}

// Wide layers are computed part by part: not one bit differs from one product.
class WideDenseTest : public ::testing::TestWithParam<int64_t> {
 protected:
  static constexpr int64_t kNarrow = 300, kExamples = 5;

  void Run(int64_t inputs, int64_t outputs) {
    Dense dense = MakeDense(inputs, outputs);
    parameters_ = std::make_unique<MemoryParameters>(dense.variables());
    parameters_->Randomize(3, 0.5f);
    batch_ = DenseBatch(kExamples, inputs, 0);
    input_gradient_ = RowMajorMatrix(kExamples, inputs);
    output_ = RunOnce(dense, batch_, *parameters_, input_gradient_.data()).output;
  }
  ConstMatrixView Weights(int64_t inputs, int64_t outputs) {
    return {parameters_->weights(0).data(), inputs, outputs};
  }

  std::unique_ptr<MemoryParameters> parameters_;
  Batch batch_;
  std::vector<float> output_;
  RowMajorMatrix input_gradient_;
};

TEST_P(WideDenseTest, OutputHasTheBitsOfOneProduct) {
  Run(kNarrow, GetParam());
  RowMajorMatrix expected(kExamples, GetParam());
  expected.rowwise() =
      Eigen::Map<const Eigen::RowVectorXf>(parameters_->weights(1).data(), GetParam());
  expected.noalias() +=
      ConstMatrixView(batch_.dense.data(), kExamples, kNarrow) * Weights(kNarrow, GetParam());
  EXPECT_TRUE(std::ranges::equal(output_, std::span(expected.data(), output_.size())));
}

TEST_P(WideDenseTest, InputGradientHasTheBitsOfOneProduct) {
  Run(GetParam(), kNarrow);
  RowMajorMatrix expected(kExamples, GetParam());
  expected.noalias() = ConstMatrixView(output_.data(), kExamples, kNarrow) *
                       Weights(GetParam(), kNarrow).transpose();
  EXPECT_EQ(input_gradient_, expected);
}

INSTANTIATE_TEST_SUITE_P(Parts, WideDenseTest,
                         ::testing::Values(3073, 2 * 3072, 2 * 3072 + 1, 3 * 3072 + 107));

TEST(DenseTest, VariablesAreWeightAndBias) {
  const Dense dense = MakeDense(5, 3);
  ASSERT_EQ(dense.variables().size(), 2u);
  EXPECT_EQ(dense.variables()[0].name, "layer1/weight");
  EXPECT_THAT(dense.variables()[0].shape, ElementsAre(5, 3));
  EXPECT_EQ(dense.variables()[1].name, "layer1/bias");
  EXPECT_THAT(dense.variables()[1].shape, ElementsAre(3));
  EXPECT_EQ(MakeDense(5, 3, /*bias=*/false).variables().size(), 1u);
}

TEST(DenseTest, GradientsMatchDifferences) {
  Dense dense = MakeDense(17, 9);
  ExpectLayerGradients(dense, DenseBatch(6, 17, 0));
}

TEST(DenseTest, GradientsWithoutBiasMatchDifferences) {
  Dense dense = MakeDense(17, 1, /*bias=*/false);
  ExpectLayerGradients(dense, DenseBatch(6, 17, 0));
}

TEST(DenseTest, GradientsOfSparseInputMatchDifferences) {
  Dense dense = MakeDense(17, 9);
  ExpectLayerGradients(dense, SparseBatch(6, 17, 0));
}

TEST(DenseTest, SparseAndDenseInputAgreeOverSeveralPieces) {
  Dense dense = MakeDense(300, 500);  // pieces of 131 rows: 131, 131, 38
  const Batch sparse = SparseBatch(11, 300, 0);
  MemoryParameters one(dense.variables()), two(dense.variables());
  one.Randomize(5, 0.1f);
  two.Randomize(5, 0.1f);
  const DenseResult from_sparse = RunOnce(dense, sparse, one);
  const DenseResult from_dense = RunOnce(dense, ToDense(sparse), two);
  // Sums of at most 300 products of order 0.1: the order of adding changes some 2^-24 of a few.
  EXPECT_THAT(from_sparse.output, Pointwise(FloatNear(1e-5f), from_dense.output));
  EXPECT_THAT(from_sparse.gradients, Pointwise(FloatNear(1e-4f), from_dense.gradients));
}

TEST(DenseTest, FeatureThatOccursTwiceInARowCountsTwice) {
  Dense dense = MakeDense(2, 1);
  MemoryParameters parameters(dense.variables());
  parameters.weights(0)[1] = 3;
  Batch batch = SparseBatch(1, 2, 0);
  batch.columns = {1, 1};
  batch.values = {2, 5};
  batch.row_offsets = {0, 2};
  const DenseResult result = RunOnce(dense, batch, parameters);
  EXPECT_THAT(result.output, ElementsAre(21));
  EXPECT_THAT(result.gradients, ElementsAre(0, 7 * 21, 21));
}

TEST(DenseTest, LargeGradientIsReportedInPiecesOfWholeRowsAfterTheBias) {
  for (const bool sparse : {false, true}) {
    Dense dense = MakeDense(1000, 100);  // 65536 / 100 = 655 rows a piece
    MemoryParameters parameters(dense.variables());
    RunOnce(dense, sparse ? SparseBatch(2, 1000, 0) : DenseBatch(2, 1000, 0), parameters);
    EXPECT_THAT(parameters.events(),
                ElementsAre(Event{Event::kReady, 1, 0, 100}, Event{Event::kReady, 0, 0, 65500},
                            Event{Event::kReady, 0, 65500, 100000}));
  }
}

TEST(DenseTest, RowWiderThanAPieceIsAPieceOfItsOwn) { EXPECT_EQ(PieceRows(70000), 1); }

TEST(DenseTest, ErrorOfASinkEndsTheBackwardPass) {
  struct FullSink : MemoryParameters {
    using MemoryParameters::MemoryParameters;
    absl::Status Ready(int, int64_t, int64_t) override {
      return absl::ResourceExhaustedError("full");
    }
  };
  Dense dense = MakeDense(3, 2);
  FullSink sink(dense.variables());
  const Batch batch = DenseBatch(2, 3, 0);
  const AlignedBuffer output(4);
  LayerPass pass;
  pass.batch = &batch;
  pass.input = batch.dense.data();
  EXPECT_EQ(dense.Backward(pass, output.data(), output.data(), nullptr, sink).code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace convoy
