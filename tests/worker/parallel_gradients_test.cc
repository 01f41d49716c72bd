#include "worker/parallel_gradients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/placement/placement.h"
#include "worker/evaluation.h"
#include "worker/gradient_rules.h"
#include "worker/models/checked_model.h"
#include "worker/row_index.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr int64_t kFeatures = 5, kExamples = 40;

// Example i has the features 0.1 i + j / 7 and the label i % 3.
class Ramp final : public Dataset {
 public:
  int64_t size() const override { return kExamples; }
  int64_t features() const override { return kFeatures; }
  bool sparse() const override { return false; }
  ExampleShape example_shape() const override { return {1, 1, kFeatures}; }
  uint64_t fingerprint() const override { return 1; }
  bool has_labels() const override { return true; }
  float label(int64_t i) const override { return static_cast<float>(i % 3); }
  void Read(std::span<const uint32_t> indices, Batch* batch) const override {
    batch->size = static_cast<int64_t>(indices.size());
    batch->features = kFeatures;
    batch->dense.Reserve(indices.size() * kFeatures);
    batch->labels.clear();
    batch->examples.assign(indices.begin(), indices.end());
    for (size_t i = 0; i < indices.size(); ++i) {
      batch->labels.push_back(label(indices[i]));
      for (size_t j = 0; j < kFeatures; ++j) {
        batch->dense[i * kFeatures + j] =
            0.1f * static_cast<float>(indices[i]) + static_cast<float>(j) / 7;
      }
    }
  }
};

// One variable of more than one block whose gradient is, in every element, the sum of the labels;
// labels of 2 throw, or make it infinite.
enum class AtLabel2 { kNothing, kThrow, kInfinity };

class LabelModel final : public Model {
 public:
  explicit LabelModel(AtLabel2 at) : at_(at) {}
  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float label, float* mapped) const override {
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    float sum = 0;
    for (const float label : batch.labels) {
      if (label == 2 && at_ == AtLabel2::kThrow) throw std::runtime_error("no label 2");
      sum +=
          label == 2 && at_ == AtLabel2::kInfinity ? std::numeric_limits<float>::infinity() : label;
    }
    const std::span<float> gradient = gradients.Gradient(0);
    std::fill(gradient.begin(), gradient.end(), sum);
    if (absl::Status s = gradients.Ready(0, 0, static_cast<int64_t>(gradient.size())); !s.ok())
      return s;
    return Evaluate(batch, weights);
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource&) override {
    predictions_.assign(static_cast<size_t>(batch.size), 0);
    return BatchOutput{0, predictions_, {}};
  }

 private:
  const AtLabel2 at_;
  const std::vector<VariableSpec> variables_ = {
      {"all", {kBlockElements + 10}, Initializer::Zeros()}};
  std::vector<float> predictions_;
};

// Weights that the seed gives.
class InitialWeights final : public WeightSource {
 public:
  explicit InitialWeights(const std::vector<VariableSpec>& variables) {
    for (const VariableSpec& variable : variables) {
      values_.emplace_back(static_cast<size_t>(variable.size()));
      InitializeValues(variable, /*seed=*/3, 0, values_.back().span());
    }
  }
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return std::as_const(values_[static_cast<size_t>(variable)]).span();
  }

 private:
  std::vector<AlignedBuffer> values_;
};

// A gradient, and which pieces of it were reported.
class RecordedSink final : public GradientSink {
 public:
  std::span<float> Gradient(int variable) override {
    values[variable].resize(2 * kBlockElements);
    return std::span(values[variable]).first(static_cast<size_t>(sizes[variable]));
  }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    pieces.push_back({variable, begin, end});
    return absl::OkStatus();
  }

  std::map<int, int64_t> sizes;
  std::map<int, std::vector<float>> values;
  std::vector<std::vector<int64_t>> pieces;
};

class ParallelGradientsTest : public ::testing::Test {
 protected:
  void MakeMlps(size_t threads) {
    v1::Model config;
    config.mutable_mlp()->add_hidden(7);
    config.mutable_mlp()->set_dropout(0.3);
    ModelInput input;
    input.features = kFeatures;
    input.shape = data_.example_shape();
    input.classes = 3;
    Make(threads, [&] { return *MakeModel(config, input, {}); });
  }

  void MakeLabelModels(size_t threads, AtLabel2 at) {
    const ModelRegistration registration{"label", [at](const v1::Model&, const ModelInput&) {
                                           return std::make_unique<LabelModel>(at);
                                         }};
    Make(threads, [&] { return *MakeCheckedModel(registration, {}, {}); });
  }

  void Make(size_t threads, const std::function<std::unique_ptr<Model>()>& make) {
    threads_ = *ComputeThreads::Start(threads);
    owned_.clear();
    models_.clear();
    for (size_t i = 0; i < threads; ++i) models_.push_back(owned_.emplace_back(make()).get());
    training_.examples = &data_;
    training_.model = models_[0];
    training_.shuffle = false;
    weights_ = std::make_unique<InitialWeights>(models_[0]->variables());
  }

  ParallelGradients Gradients(ParallelGradients::Options options = {}) {
    return ParallelGradients(threads_.get(), models_, &training_, std::move(options));
  }

  absl::Status ComputeSlices(ParallelGradients& gradients, uint32_t first, size_t parts,
                             uint32_t slices) {
    return gradients.Run(
        parts, *weights_, [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
          return gradients.Gradient(0, SliceRange(first + part, slices, kExamples), slot, weights);
        });
  }

  RecordedSink Sink() const {
    RecordedSink sink;
    for (size_t v = 0; v < models_[0]->variables().size(); ++v) {
      sink.sizes[static_cast<int>(v)] = models_[0]->variables()[v].size();
    }
    return sink;
  }

  // Gradient of variable 0 over slice `slice`, computed by one model alone.
  std::vector<float> Alone(uint32_t slice, uint32_t slices) {
    ExampleReader reader(&training_);
    Batch batch;
    EXPECT_TRUE(reader.Read(0, SliceRange(slice, slices, kExamples), &batch).ok());
    RecordedSink sink = Sink();
    EXPECT_TRUE(models_[0]->Train(batch, *weights_, sink).ok());
    return First(sink);
  }

  static std::vector<float> First(const RecordedSink& sink) {
    const std::vector<float>& values = sink.values.at(0);
    return {values.begin(), values.begin() + sink.sizes.at(0)};
  }

  static std::vector<float> Sum(std::vector<float> left, const std::vector<float>& right) {
    for (size_t i = 0; i < left.size(); ++i) left[i] += right[i];
    return left;
  }

  const Ramp data_{};
  TrainingData training_;
  std::unique_ptr<ComputeThreads> threads_;
  std::vector<std::unique_ptr<Model>> owned_;
  std::vector<Model*> models_;
  std::unique_ptr<InitialWeights> weights_;
};

TEST_F(ParallelGradientsTest, SlicesOfAnMlpWithDropoutAddUpToTheBitsOfOneThread) {
  MakeMlps(4);
  const SliceTree tree(8);
  ParallelGradients gradients = Gradients();
  for (int repetition = 0; repetition < 20; ++repetition) {
    ASSERT_TRUE(ComputeSlices(gradients, 4, 4, 8).ok());
    RecordedSink sink = Sink();
    ASSERT_TRUE(gradients.AddUp(tree, {2, 1}, 4, sink).ok());
    EXPECT_EQ(gradients.Examples(tree, {2, 1}, 4), 20u);  // 8 slices of 40 examples
    EXPECT_EQ(First(sink), Sum(Sum(Alone(4, 8), Alone(5, 8)), Sum(Alone(6, 8), Alone(7, 8))));
  }
}

TEST_F(ParallelGradientsTest, AWaveThatIsNoSubtreeIsAddedUpNodeByNode) {
  MakeMlps(3);
  const SliceTree tree(6);
  ParallelGradients gradients = Gradients();
  ASSERT_TRUE(ComputeSlices(gradients, 3, 3, 6).ok());
  RecordedSink left = Sink(), right = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, {0, 3}, 3, left).ok());
  ASSERT_TRUE(gradients.AddUp(tree, {1, 2}, 3, right).ok());
  EXPECT_EQ(First(left), Alone(3, 6));
  EXPECT_EQ(First(right), Sum(Alone(4, 6), Alone(5, 6)));
}

TEST_F(ParallelGradientsTest, TheSumIsHandedOverBlockByBlock) {
  MakeLabelModels(2, AtLabel2::kNothing);
  const SliceTree tree(2);
  ParallelGradients gradients = Gradients();
  ASSERT_TRUE(ComputeSlices(gradients, 0, 2, 2).ok());
  RecordedSink sink = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, tree.root(), 0, sink).ok());
  EXPECT_THAT(sink.pieces, ElementsAre(ElementsAre(0, 0, kBlockElements),
                                       ElementsAre(0, kBlockElements, kBlockElements + 10)));
  // 40 labels 0, 1, 2, 0, ...: 13 times 3.
  EXPECT_EQ(First(sink), std::vector<float>(kBlockElements + 10, 39));
}

// A table of one column: the gradient of a row is the sum of row + 1 of the examples that read it.
class RowModel final : public Model {
 public:
  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  const std::vector<TableSpec>& tables() const override { return tables_; }
  // Example i reads ids i % 4 and 100 + i / 10.
  void AppendIds(const Batch& batch, int, std::vector<uint64_t>* ids) const override {
    for (const int64_t i : batch.examples) {
      ids->push_back(static_cast<uint64_t>(i % 4));
      ids->push_back(static_cast<uint64_t>(100 + i / 10));
    }
  }
  absl::Status CheckLabel(float label, float* mapped) const override {
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    const absl::StatusOr<TableRows> rows = weights.Rows(0);
    if (!rows.ok()) return rows.status();
    if (rows->places.size() != 2 * static_cast<size_t>(batch.size))
      return absl::InternalError("places of other examples");
    const std::span<float> gradient = gradients.RowGradients(0);
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    for (const uint32_t place : rows->places) gradient[place] += rows->values[place] + 1;
    if (absl::Status s = gradients.RowsReady(0); !s.ok()) return s;
    return Evaluate(batch, weights);
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource&) override {
    predictions_.assign(static_cast<size_t>(batch.size), 0);
    return BatchOutput{0, predictions_, {}};
  }

 private:
  const std::vector<VariableSpec> variables_{};
  const std::vector<TableSpec> tables_ = {{"rows", {{"v", 1, Initializer::Zeros()}}}};
  std::vector<float> predictions_;
};

// Rows in the order in which they are named; the value of a row is its id.
class IdsAsValues final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int) override {
    return absl::InternalError("there are no variables");
  }
  absl::Status WantRows(int, std::span<const uint64_t> ids) override {
    wanted_.Build(ids);
    return absl::OkStatus();
  }
  void UseWantedRows() override {
    used.assign(wanted_.unique().begin(), wanted_.unique().end());
    places_.assign(wanted_.places().begin(), wanted_.places().end());
    values_.assign(used.begin(), used.end());
  }
  absl::StatusOr<TableRows> Rows(int) override {
    return TableRows{values_, places_, static_cast<int64_t>(used.size())};
  }

  std::vector<uint64_t> used;

 private:
  RowIndex wanted_{1};
  std::vector<uint32_t> places_;
  std::vector<float> values_;
};

class RowSink final : public GradientSink {
 public:
  explicit RowSink(size_t rows) : values(rows, -1) {}
  std::span<float> Gradient(int) override { return {}; }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  std::span<float> RowGradients(int) override { return values; }
  absl::Status RowsReady(int) override {
    ++ready;
    return absl::OkStatus();
  }

  std::vector<float> values;
  int ready = 0;
};

// 16 examples in 3 parts; each id of 0 to 3 is read by 4 of them, id 100 by 10, 101 by 6.
TEST_F(ParallelGradientsTest, PartsOfABatchShareItsRowsAndAddUpTheirGradients) {
  Make(3, [] { return std::make_unique<RowModel>(); });
  const SliceTree tree(3);
  ParallelGradients gradients = Gradients();
  IdsAsValues rows;
  std::vector<uint64_t> ids;
  const auto want = [&](const Range& positions) {
    ASSERT_TRUE(gradients.ReadParts(0, positions).ok());
    ids.clear();
    gradients.AppendIds(0, &ids);
    ASSERT_TRUE(rows.WantRows(0, ids).ok());
  };
  want({0, 16});
  EXPECT_EQ(ids.size(), 32u);
  gradients.UseParts();
  rows.UseWantedRows();
  want({0, 1});  // the next batch, of which two parts are empty, does not disturb this one
  ASSERT_TRUE(gradients.TrainParts(rows).ok());
  RowSink sink(rows.used.size());
  ASSERT_TRUE(gradients.AddUpRows(tree, tree.root(), 0, sink).ok());
  EXPECT_EQ(gradients.Examples(tree, tree.root(), 0), 16u);
  std::map<uint64_t, float> sums;
  for (size_t i = 0; i < rows.used.size(); ++i) sums[rows.used[i]] = sink.values[i];
  EXPECT_THAT(sums, ElementsAre(Pair(0, 4), Pair(1, 8), Pair(2, 12), Pair(3, 16), Pair(100, 1010),
                                Pair(101, 612)));
  EXPECT_EQ(sink.ready, 1);

  gradients.UseParts();
  rows.UseWantedRows();
  ASSERT_TRUE(gradients.TrainParts(rows).ok());
  EXPECT_EQ(gradients.Examples(tree, tree.root(), 0), 1u);
  RowSink small(rows.used.size());
  ASSERT_TRUE(gradients.AddUpRows(tree, tree.root(), 0, small).ok());
  float sum = 0;
  for (const float value : small.values) sum += value;
  EXPECT_EQ(sum, 1 + 101);
}

TEST_F(ParallelGradientsTest, EmptyAndSkippedSlicesAreNoZeros) {
  MakeLabelModels(4, AtLabel2::kInfinity);
  const SliceTree tree(4);
  ParallelGradients gradients = Gradients({.skip_not_finite = true});
  // Labels 0 1 | 2 | none | 0.
  const std::vector<Range> parts = {{0, 2}, {2, 3}, {3, 3}, {3, 4}};
  ASSERT_TRUE(gradients
                  .Run(4, *weights_,
                       [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
                         return gradients.Gradient(0, parts[part], slot, weights);
                       })
                  .ok());
  EXPECT_EQ(gradients.slot(1).examples, 0u);
  EXPECT_EQ(gradients.slot(1).batch.size, 1);  // skipped
  EXPECT_EQ(gradients.slot(2).batch.size, 0);  // empty
  EXPECT_EQ(gradients.Examples(tree, tree.root(), 0), 3u);
  RecordedSink sink = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, tree.root(), 0, sink).ok());
  EXPECT_EQ(First(sink)[0], 1.0f);

  RecordedSink nothing = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, {0, 2}, 0, nothing).ok());
  EXPECT_TRUE(nothing.pieces.empty());
}

TEST_F(ParallelGradientsTest, EachSliceIsClippedByItself) {
  MakeMlps(2);
  const SliceTree tree(2);
  ParallelGradients gradients = Gradients({.clip_norm = 1e-3});
  ASSERT_TRUE(ComputeSlices(gradients, 0, 2, 2).ok());
  for (size_t part = 0; part < 2; ++part) {
    double squares = 0;
    for (const std::span<float> variable : gradients.gradient(part).spans()) {
      for (const float value : variable) squares += double{value} * value;
    }
    EXPECT_NEAR(std::sqrt(squares) / 20, 1e-3, 1e-6);  // 20 examples each
  }
}

TEST_F(ParallelGradientsTest, AnExceptionInAnyThreadIsAnErrorThatNamesModelAndBatch) {
  MakeLabelModels(3, AtLabel2::kThrow);
  ParallelGradients gradients = Gradients();
  // Labels 0 1 | 0 1 | 2: the last thread throws.
  const std::vector<Range> parts = {{0, 2}, {3, 5}, {5, 6}};
  const absl::Status status = gradients.Run(
      3, *weights_, [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
        return gradients.Gradient(0, parts[part], slot, weights);
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model \"label\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("batch of 1 examples (numbers 5)"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("it threw std::runtime_error: no label 2"));
}

TEST_F(ParallelGradientsTest, TheCallersWorkIsInterruptedBetweenPieces) {
  MakeMlps(2);
  ParallelGradients gradients =
      Gradients({.between = [] { return absl::AbortedError("the job has failed"); }});
  EXPECT_EQ(ComputeSlices(gradients, 0, 2, 2), absl::AbortedError("the job has failed"));
}

TEST_F(ParallelGradientsTest, PartsOfAnEvaluationHaveTheSumsOfOneThread) {
  MakeMlps(3);
  const std::vector<Range> parts = {{0, 9}, {9, 20}, {20, 21}, {21, 40}};
  const auto between = [] { return absl::OkStatus(); };
  const auto sums = EvaluateParts(data_, parts, *threads_, models_, *weights_, between);
  ASSERT_TRUE(sums.ok()) << sums.status();
  ASSERT_EQ(sums->size(), parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto alone = Evaluate(data_, parts[i], *models_[0], *weights_, between);
    EXPECT_EQ((*sums)[i].SerializeAsString(), alone->SerializeAsString());
  }
}

}  // namespace
}  // namespace convoy
