#include "worker/models/layered_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "tests/worker/models/memory_parameters.h"
#include "worker/layers/activation.h"
#include "worker/layers/dense.h"
#include "worker/models/conv_net.h"
#include "worker/models/mlp.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::MemoryParameters;
using ::convoy::testing::SparseBatch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Event = MemoryParameters::Event;

std::unique_ptr<Model> MakeTestModel(const std::string& kind) {
  ModelInput input;
  input.features = 64;
  input.shape = {8, 8, 1};
  input.classes = 3;
  input.sparse = kind == "sparse";
  if (kind == "conv") return *MakeConvNet({}, input);
  v1::Mlp config;
  config.add_hidden(33);
  config.set_activation(v1::GELU);
  config.set_dropout(0.25);
  return *MakeMlp(config, input);
}

struct Result {
  double loss = 0;
  std::vector<float> predictions;
  std::vector<float> gradients;
};

Result TrainOnce(Model& model, const Batch& batch) {
  MemoryParameters parameters(model.variables());
  parameters.Randomize(2, 0.2f);
  const auto output = model.Train(batch, parameters, parameters);
  EXPECT_TRUE(output.ok()) << output.status();
  if (!output.ok()) return {};
  return {output->loss,
          {output->predictions.begin(), output->predictions.end()},
          parameters.AllGradients()};
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void ExpectSameBits(const Result& a, const Result& b) {
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_TRUE(SameBits(a.predictions, b.predictions));
  EXPECT_TRUE(SameBits(a.gradients, b.gradients));
}

TEST(LayeredModelTest, ResultsDoNotDependOnTheBatchesBefore) {
  for (const std::string kind : {"dense", "sparse", "conv"}) {
    SCOPED_TRACE(kind);
    const auto make_batch = kind == "sparse" ? SparseBatch : DenseBatch;
    const Batch large = make_batch(64, 64, 3, 1);
    const Batch small = make_batch(3, 64, 3, 2);
    const auto used = MakeTestModel(kind);
    const Result first = TrainOnce(*used, large);
    const Result second = TrainOnce(*used, small);
    ExpectSameBits(TrainOnce(*used, large), first);
    ExpectSameBits(TrainOnce(*MakeTestModel(kind), large), first);
    ExpectSameBits(TrainOnce(*MakeTestModel(kind), small), second);
  }
}

TEST(LayeredModelTest, EveryGradientElementIsReportedOnceAndWritten) {
  for (const std::string kind : {"dense", "sparse", "conv"}) {
    const auto model = MakeTestModel(kind);
    MemoryParameters parameters(model->variables());
    const Batch batch = kind == "sparse" ? SparseBatch(5, 64, 3) : DenseBatch(5, 64, 3);
    ASSERT_TRUE(model->Train(batch, parameters, parameters).ok());
    std::vector<int64_t> reported(model->variables().size());
    for (const Event& event : parameters.events()) {
      if (event.kind != Event::kReady) continue;
      EXPECT_EQ(event.begin, reported[event.variable]);
      reported[event.variable] = event.end;
    }
    for (size_t v = 0; v < reported.size(); ++v)
      EXPECT_EQ(reported[v], model->variables()[v].size());
    for (const float value : parameters.AllGradients()) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(LayeredModelTest, WeightsAreAskedFromFirstToLastAndGradientsReportedFromLastToFirst) {
  const auto model = MakeTestModel("dense");
  MemoryParameters parameters(model->variables());
  ASSERT_TRUE(model->Train(DenseBatch(5, 64, 3), parameters, parameters).ok());
  EXPECT_THAT(parameters.events(),
              ElementsAre(Event{Event::kWeights, 0}, Event{Event::kWeights, 1},
                          Event{Event::kWeights, 2}, Event{Event::kWeights, 3},
                          Event{Event::kReady, 3, 0, 3}, Event{Event::kReady, 2, 0, 33 * 3},
                          Event{Event::kReady, 1, 0, 33}, Event{Event::kReady, 0, 0, 64 * 33}));
}

// A layer that notes when it runs, between the events of the parameters.
class Probe : public Layer {
 public:
  Probe(int64_t width, const MemoryParameters* const* parameters,
        std::vector<size_t>* events_before)
      : Layer(width, {1, 1, width}, {}), parameters_(parameters), events_before_(events_before) {}
  absl::Status Forward(const LayerPass& pass, float* output) override {
    events_before_->push_back((*parameters_)->events().size());
    std::copy_n(pass.input, pass.size() * inputs(), output);
    return absl::OkStatus();
  }
  absl::Status Backward(const LayerPass&, const float*, const float*, float* input_gradient,
                        GradientSink&) override {
    gradient_wanted = input_gradient != nullptr;
    return absl::OkStatus();
  }
  bool gradient_wanted = false;

 private:
  const MemoryParameters* const* parameters_;
  std::vector<size_t>* events_before_;
};

TEST(LayeredModelTest, WeightsAreNotAskedBeforeTheLayerBeforeHasRun) {
  const MemoryParameters* parameters_seen = nullptr;
  std::vector<size_t> events_before;
  LayeredModel::Options options;
  options.task = Model::Task::kRegression;
  options.features = 4;
  const auto dense = [](const char* name, int64_t in, int64_t out) {
    return std::make_unique<Dense>(Dense::Options{name, in, out, Initializer::Zeros()});
  };
  options.layers.push_back(std::make_unique<Probe>(4, &parameters_seen, &events_before));
  options.layers.push_back(dense("layer1", 4, 3));
  options.layers.push_back(std::make_unique<Probe>(3, &parameters_seen, &events_before));
  options.layers.push_back(dense("head", 3, 1));
  const auto model = *LayeredModel::Create(std::move(options));
  MemoryParameters parameters(model->variables());
  parameters_seen = &parameters;
  ASSERT_TRUE(model->Evaluate(DenseBatch(2, 4, 0), parameters).ok());
  EXPECT_THAT(events_before, ElementsAre(0, 2));
}

TEST(LayeredModelTest, LayersBelowTheFirstVariableAreNotRunBackward) {
  const MemoryParameters* parameters_seen = nullptr;
  std::vector<size_t> events_before;
  auto probe = std::make_unique<Probe>(4, &parameters_seen, &events_before);
  Probe* const below = probe.get();
  LayeredModel::Options options;
  options.task = Model::Task::kRegression;
  options.features = 4;
  options.layers.push_back(std::move(probe));
  options.layers.push_back(
      std::make_unique<Dense>(Dense::Options{"head", 4, 1, Initializer::Zeros()}));
  const auto model = *LayeredModel::Create(std::move(options));
  MemoryParameters parameters(model->variables());
  parameters_seen = &parameters;
  ASSERT_TRUE(model->Train(DenseBatch(2, 4, 0), parameters, parameters).ok());
  EXPECT_FALSE(below->gradient_wanted);
}

TEST(LayeredModelTest, BatchWithoutExamplesEvaluatesToZeroWithoutWeights) {
  const auto model = MakeTestModel("dense");
  MemoryParameters parameters(model->variables());
  const auto output = model->Evaluate(DenseBatch(0, 64, 3), parameters);
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->loss, 0);
  EXPECT_TRUE(output->predictions.empty());
  EXPECT_TRUE(parameters.events().empty());
  EXPECT_EQ(model->Train(DenseBatch(0, 64, 3), parameters, parameters).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LayeredModelTest, PredictsWithoutLabels) {
  const auto model = MakeTestModel("dense");
  MemoryParameters parameters(model->variables());
  parameters.Randomize(1, 0.2f);
  Batch batch = DenseBatch(4, 64, 3);
  const auto labelled = model->Evaluate(batch, parameters);
  const std::vector<float> want(labelled->predictions.begin(), labelled->predictions.end());
  batch.labels.clear();
  const auto output = model->Evaluate(batch, parameters);
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->loss, 0);
  EXPECT_EQ(std::vector<float>(output->predictions.begin(), output->predictions.end()), want);
}

TEST(LayeredModelTest, ErrorOfTheWeightSourceIsPassedOn) {
  const auto model = MakeTestModel("dense");
  MemoryParameters parameters(model->variables());
  parameters.FailWeights(2, absl::DeadlineExceededError("waiting for server 1"));
  EXPECT_EQ(model->Train(DenseBatch(2, 64, 3), parameters, parameters).status(),
            absl::DeadlineExceededError("waiting for server 1"));
}

TEST(LayeredModelTest, WeightsOfAWrongSizeAreRefused) {
  struct ShortSource : WeightSource {
    absl::StatusOr<std::span<const float>> Weights(int) override { return std::span(values); }
    const AlignedBuffer buffer{5};
    const std::span<const float> values = buffer.span();
  } source;
  const auto model = MakeTestModel("dense");
  const auto output = model->Evaluate(DenseBatch(2, 64, 3), source);
  EXPECT_EQ(output.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(output.status().message()),
              HasSubstr("\"layer1/weight\": got 5 values, want 2112"));
}

TEST(LayeredModelTest, NotANumberInAWeightReachesLossAndGradients) {
  for (const std::string kind : {"dense", "sparse", "conv"}) {
    const auto model = MakeTestModel(kind);
    MemoryParameters parameters(model->variables());
    parameters.Randomize(2, 0.2f);
    std::ranges::fill(parameters.weights(1), std::numeric_limits<float>::quiet_NaN());
    const Batch batch = kind == "sparse" ? SparseBatch(5, 64, 3) : DenseBatch(5, 64, 3);
    const auto output = model->Train(batch, parameters, parameters);
    ASSERT_TRUE(output.ok()) << output.status();
    EXPECT_TRUE(std::isnan(output->loss));
    EXPECT_TRUE(std::isnan(parameters.gradient(parameters.count() - 1)[0]));
  }
}

TEST(LayeredModelTest, LayersThatDoNotFitAreRefused) {
  const auto create = [](int64_t features, std::vector<Dense::Options> layers, bool relu_first) {
    LayeredModel::Options options;
    options.features = features;
    options.classes = 3;
    options.sparse = relu_first;
    if (relu_first) options.layers.push_back(std::make_unique<Relu>(ExampleShape{1, 1, features}));
    for (const auto& layer : layers) options.layers.push_back(std::make_unique<Dense>(layer));
    return std::string(LayeredModel::Create(std::move(options)).status().message());
  };
  const Initializer zeros = Initializer::Zeros();
  EXPECT_THAT(create(4, {}, false), HasSubstr("no layers"));
  EXPECT_THAT(create(4, {{"a", 5, 3, zeros}}, false), HasSubstr("layer 0 takes 5 values"));
  EXPECT_THAT(create(4, {{"a", 4, 2, zeros}}, false), HasSubstr("has 2 outputs, want 3"));
  EXPECT_THAT(create(4, {{"a", 4, 4, zeros}, {"a", 4, 3, zeros}}, false),
              HasSubstr("two variables are called \"a/weight\""));
  EXPECT_THAT(create(4, {{"a", 4, 3, zeros}}, true), HasSubstr("needs dense features"));
  EXPECT_THAT(create(0, {{"a", 4, 3, zeros}}, false), HasSubstr("got 0 features"));
}

}  // namespace
}  // namespace convoy
