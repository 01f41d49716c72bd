#include "worker/models/partly_frozen_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "tests/worker/models/memory_parameters.h"
#include "worker/layers/dense.h"
#include "worker/models/conv_net.h"
#include "worker/models/layered_model.h"
#include "worker/models/mlp.h"
#include "worker/models/simple_model.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::MemoryParameters;
using ::testing::ElementsAre;
using Event = MemoryParameters::Event;

std::unique_ptr<Model> Freezable(const std::string& kind) {
  ModelInput input;
  input.features = 64;
  input.shape = {8, 8, 1};
  input.classes = 3;
  if (kind == "conv") return *MakeConvNet({}, input);
  v1::Mlp config;
  config.add_hidden(9);
  config.add_hidden(7);
  return *MakeMlp(config, input);
}

std::unique_ptr<Model> Without(std::unique_ptr<Model> model, const std::string& freeze) {
  v1::Optimizer optimizer;
  EXPECT_TRUE(
      google::protobuf::TextFormat::ParseFromString("freeze: '" + freeze + "'", &optimizer));
  auto frozen = WithoutFrozenParts(std::move(model), optimizer);
  EXPECT_TRUE(frozen.ok()) << frozen.status();
  return *std::move(frozen);
}

// Variables whose memory was asked for or whose gradients were reported.
class NamedSink final : public GradientSink {
 public:
  explicit NamedSink(MemoryParameters* parameters) : parameters_(parameters) {}
  std::span<float> Gradient(int variable) override {
    touched_.insert(variable);
    return parameters_->Gradient(variable);
  }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    touched_.insert(variable);
    return parameters_->Ready(variable, begin, end);
  }
  const std::set<int>& touched() const { return touched_; }

 private:
  MemoryParameters* const parameters_;
  std::set<int> touched_;
};

TEST(PartlyFrozenModelTest, OtherGradientsKeepTheirBitsAndFrozenOnesAreNotTouched) {
  for (const std::string kind : {"mlp", "conv"}) {
    const auto whole = Freezable(kind);
    MemoryParameters all(whole->variables());
    all.Randomize(2, 0.2f);
    const Batch batch = DenseBatch(5, 64, 3);
    const double loss = whole->Train(batch, all, all)->loss;
    for (size_t v = 0; v < whole->variables().size(); ++v) {
      SCOPED_TRACE(whole->variables()[v].name);
      const auto model = Without(Freezable(kind), whole->variables()[v].name);
      MemoryParameters parameters(model->variables());
      parameters.Randomize(2, 0.2f);
      NamedSink sink(&parameters);
      const auto output = model->Train(batch, parameters, sink);
      ASSERT_TRUE(output.ok()) << output.status();
      EXPECT_EQ(output->loss, loss);
      EXPECT_EQ(sink.touched().size(), whole->variables().size() - 1);
      for (const int other : sink.touched()) {
        EXPECT_NE(static_cast<size_t>(other), v);
        EXPECT_TRUE(std::ranges::equal(parameters.gradient(other), all.gradient(other)));
      }
    }
  }
}

// A layer without variables that says whether it was run backward.
class BackwardProbe final : public Layer {
 public:
  explicit BackwardProbe(int64_t width) : Layer(width, {1, 1, width}, {}) {}
  absl::Status Forward(const LayerPass& pass, float* output) override {
    std::copy_n(pass.input, pass.size() * inputs(), output);
    return absl::OkStatus();
  }
  absl::Status Backward(const LayerPass& pass, const float*, const float* output_gradient,
                        float* input_gradient, GradientSink&) override {
    ran = true;
    if (input_gradient != nullptr) {
      std::copy_n(output_gradient, pass.size() * inputs(), input_gradient);
    }
    return absl::OkStatus();
  }
  bool ran = false;
};

struct ProbedModel {
  std::unique_ptr<Model> model;
  BackwardProbe* above_first = nullptr;   // between layer1 and layer2
  BackwardProbe* above_second = nullptr;  // between layer2 and head
};

ProbedModel Probed(const std::string& freeze) {
  const auto dense = [](const char* name, int64_t in, int64_t out) {
    return std::make_unique<Dense>(Dense::Options{name, in, out, Initializer::Zeros()});
  };
  auto first = std::make_unique<BackwardProbe>(3), second = std::make_unique<BackwardProbe>(2);
  ProbedModel probed{nullptr, first.get(), second.get()};
  LayeredModel::Options options;
  options.task = Model::Task::kRegression;
  options.features = 4;
  options.layers.push_back(dense("layer1", 4, 3));
  options.layers.push_back(std::move(first));
  options.layers.push_back(dense("layer2", 3, 2));
  options.layers.push_back(std::move(second));
  options.layers.push_back(dense("head", 2, 1));
  probed.model = Without(*LayeredModel::Create(std::move(options)), freeze);
  return probed;
}

TEST(PartlyFrozenModelTest, NothingIsComputedBelowTheLastLayerThatLearns) {
  const struct {
    const char* freeze;
    bool first, second;
  } cases[] = {{"layer1/.*", false, true},
               {"layer[12]/.*", false, false},
               {"layer1/weight", true, true},  // its bias still learns
               {"layer2/.*", true, true},      // layer1 learns through it
               {".*", false, false}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.freeze);
    const ProbedModel probed = Probed(c.freeze);
    MemoryParameters parameters(probed.model->variables());
    ASSERT_TRUE(probed.model->Train(DenseBatch(2, 4, 0), parameters, parameters).ok());
    EXPECT_EQ(probed.above_first->ran, c.first);
    EXPECT_EQ(probed.above_second->ran, c.second);
  }
}

// A custom model knows nothing of freezing and computes everything.
class TwoWeights final : public SimpleModel {
 public:
  explicit TwoWeights(const ModelInput& input) : SimpleModel(Task::kRegression, 1, input) {
    AddVariable("a", {4}, Initializer::Zeros());
    AddVariable("b", {1}, Initializer::Zeros());
  }

 protected:
  absl::StatusOr<double> Compute(const Batch& batch, std::span<const std::span<const float>>,
                                 std::span<const std::span<float>> gradients,
                                 std::span<float> predictions) override {
    std::ranges::fill(predictions, 0.0f);
    for (const std::span<float> gradient : gradients) std::ranges::fill(gradient, 1.0f);
    return static_cast<double>(batch.size);
  }
};

ModelInput FourNumbers() {
  ModelInput input;
  input.features = 4;
  return input;
}

TEST(PartlyFrozenModelTest, GradientsThatAModelComputesAllTheSameGoNowhere) {
  const auto model = Without(std::make_unique<TwoWeights>(FourNumbers()), "a");
  MemoryParameters parameters(model->variables());
  NamedSink sink(&parameters);
  const auto output = model->Train(DenseBatch(2, 4, 0), parameters, sink);
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_THAT(sink.touched(), ElementsAre(1));
  EXPECT_EQ(parameters.gradient(1)[0], 1.0f);
}

TEST(PartlyFrozenModelTest, ModelOfWhichNothingIsFrozenStaysItself) {
  auto model = Freezable("mlp");
  const Model* const before = model.get();
  const auto after = WithoutFrozenParts(std::move(model), v1::Optimizer());
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->get(), before);
}

}  // namespace
}  // namespace convoy
