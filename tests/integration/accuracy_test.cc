// What the examples reach on real data. Skipped where the data are not installed.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/files/safetensors_reader.h"
#include "tests/testing/run_program.h"
#include "worker/data/dataset.h"

namespace convoy::testing {
namespace {

using nlohmann::json;

constexpr char kFashion[] = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
const std::string kExamples = std::string(CONVOY_SOURCE) + "/examples/";

json Train(const std::string& run, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {CONVOY_BINARY, "train"});
  arguments.insert(arguments.end(), {"--run-dir", run});
  const ProgramResult result = RunProgram(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.exit_code == 0 ? json::parse(ReadFile(run + "/summary.json")) : json();
}

// 0.8833 is the accuracy of this net in the data set's published benchmark.
TEST(AccuracyTest, FashionMnistReaches880InSyncAnd875InAsyncWithThreeSeeds) {
  if (!std::filesystem::exists(kFashion))
    GTEST_SKIP() << kFashion << " is absent (package dataset-fashion-mnist)";
  for (const char* seed : {"1", "2", "3"}) {
    for (const auto& [mode, wanted] : {std::pair{"sync", 0.880}, std::pair{"async", 0.875}}) {
      TemporaryFolder folder;
      const json summary =
          Train(folder / "run", {kExamples + "fashion_mnist/job.textproto", "--mode", mode, "--set",
                                 std::string("seed=") + seed});
      EXPECT_GE(summary["validation"]["accuracy"], wanted) << mode << ", seed " << seed;
      EXPECT_EQ(summary["examples"], 600000) << mode << ", seed " << seed;
    }
  }
}

class A9aTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(train_)) GTEST_SKIP() << train_ << " is absent";
  }
  std::vector<std::string> Job(std::vector<std::string> set) const {
    set.insert(set.begin(), {"data.train=" + train_, "data.validation.path=" + test_,
                             "data.cache_dir=" + folder_.path()});
    std::vector<std::string> arguments = {kExamples + "a9a/job.textproto"};
    for (const std::string& field : set) arguments.insert(arguments.end(), {"--set", field});
    return arguments;
  }

  const std::string train_ = std::string(CONVOY_SHARED_DATA) + "/a9a/a9a.libsvm.gz";
  const std::string test_ = std::string(CONVOY_SHARED_DATA) + "/a9a/a9a.t.libsvm.gz";
  TemporaryFolder folder_;
};

TEST_F(A9aTest, LogisticRegressionReachesLiblinearsAccuracyAndAuc) {
  const json summary = Train(folder_ / "run", Job({}));
  EXPECT_NEAR(summary["validation"]["accuracy"], 0.8499, 0.001);
  EXPECT_GE(summary["validation"]["auc"], 0.902);
}

// The minimum that liblinear finds with -s 0 -c 1 -B 1: 1/2 |w|^2 + 1/2 b^2 + the sum of the
// losses.
TEST_F(A9aTest, FullBatchSyncReachesLiblinearsMinimum) {
  Train(folder_ / "run", Job({"optimizer.nesterov={momentum:0.99}", "optimizer.learning_rate=0.5",
                              "optimizer.schedule.constant={}", "training.batch_size=32561",
                              "training.epochs=1000", "training.validate_every_epochs=0"}));
  const auto model = *SafetensorsReader::Open(folder_ / "run/model.safetensors");
  const AlignedBuffer weights = *model->Read("head/weight");
  const double bias = (*model->Read("head/bias"))[0];
  double objective = 0.5 * bias * bias;
  for (float w : weights.span()) objective += 0.5 * w * w;
  v1::Data data;
  data.set_train(train_);
  data.set_features(123);
  data.set_cache_dir(folder_.path());
  const DataSets sets = *OpenData(data, 1, nullptr);
  Batch batch;
  for (uint32_t i = 0; i < sets.train->size(); ++i) {
    sets.train->Read(std::span(&i, 1), &batch);
    double z = bias;
    for (size_t k = 0; k < batch.columns.size(); ++k)
      z += double{weights[batch.columns[k]]} * batch.values[k];
    objective += std::log1p(std::exp(-(batch.labels[0] > 0 ? z : -z)));
  }
  EXPECT_NEAR(objective / 10529.3114, 1.0, 1e-4);
}

}  // namespace
}  // namespace convoy::testing
