#include "worker/check_gradients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/files/scratch_folder.h"
#include "worker/models/simple_model.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

// Least squares through the origin; forgets the factor 2 of the gradient if `wrong`.
class Slope : public SimpleModel {
 public:
  Slope(const ModelInput& input, bool wrong)
      : SimpleModel(Task::kRegression, 1, input), factor_(wrong ? 1 : 2) {
    AddVariable("slope", {1}, Initializer::Constant(1));
  }

 protected:
  absl::StatusOr<double> Compute(const Batch& batch,
                                 std::span<const std::span<const float>> weights,
                                 std::span<const std::span<float>> gradients,
                                 std::span<float> predictions) override {
    double loss = 0;
    for (size_t i = 0; i < predictions.size(); ++i) {
      predictions[i] = weights[0][0] * batch.values[i];
      const float error = predictions[i] - batch.labels[i];
      loss += error * error;
      if (!gradients.empty()) gradients[0][0] += factor_ * error * batch.values[i];
    }
    return loss;
  }

 private:
  const float factor_;
};

v1::Job JobOn(const ScratchFolder& folder) {
  v1::Job job;
  job.mutable_data()->set_train(folder.File("data.libsvm"));
  job.mutable_data()->set_cache_dir(folder.File("cache"));
  return job;
}

absl::StatusOr<std::string> Check(bool wrong) {
  ScratchFolder folder;
  folder.Write("data.libsvm", "1.5 1:1\n3 1:2\n4.5 1:3\n");
  v1::Job job = JobOn(folder);
  job.mutable_model()->mutable_custom()->set_name("slope");
  const std::vector<ModelRegistration> models = {
      {"slope", [wrong](const v1::Model&, const ModelInput& input) {
         return std::make_unique<Slope>(input, wrong);
       }}};
  return CheckGradients(job, models);
}

TEST(CheckGradientsTest, AModelThatIsRightHasALineForEachVariable) {
  const auto text = Check(/*wrong=*/false);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("gradients on 3 examples agree with finite differences:\n"
                               "  slope [1]: 1 elements, largest difference "));
}

TEST(CheckGradientsTest, AModelThatIsWrongIsFoundOutOnTheDataOfTheJob) {
  const auto text = Check(/*wrong=*/true);
  EXPECT_EQ(text.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(text.status().message()), HasSubstr("slope [1], element [0]: got "));
}

// Three features occur, of which the table has a row each.
TEST(CheckGradientsTest, RowsOfTheDataAreChecked) {
  ScratchFolder folder;
  folder.Write("data.libsvm", "0 1:1 3:1\n1 2:2\n1 1:1 2:0.5\n");
  v1::Job job = JobOn(folder);
  job.mutable_model()->mutable_factorization_machine()->set_factors(2);
  const auto text = CheckGradients(job, {});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("\n  rows/weight [3, 1]: 3 elements, largest difference "));
  EXPECT_THAT(*text, HasSubstr("\n  rows/factors [3, 2]: 6 elements, largest difference "));
}

}  // namespace
}  // namespace convoy
