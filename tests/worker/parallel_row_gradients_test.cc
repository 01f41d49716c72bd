// Gradients of the rows of tables, from several threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "common/placement/slice_tree.h"
#include "tests/worker/parallel_gradients_fixture.h"
#include "worker/row_index.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

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

}  // namespace
}  // namespace convoy
