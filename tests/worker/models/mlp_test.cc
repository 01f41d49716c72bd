#include "worker/models/mlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::DifferenceOptions;
using ::convoy::testing::ExpectModelGradients;
using ::convoy::testing::MemoryParameters;
using ::convoy::testing::SparseBatch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Mlp Config(std::vector<uint32_t> hidden, v1::Activation activation, double dropout = 0) {
  v1::Mlp config;
  for (const uint32_t units : hidden) config.add_hidden(units);
  config.set_activation(activation);
  config.set_dropout(dropout);
  return config;
}

ModelInput Input(int64_t features, bool sparse = false) {
  ModelInput input;
  input.features = features;
  input.sparse = sparse;
  input.classes = 3;
  return input;
}

std::vector<std::string> Names(const Model& model) {
  std::vector<std::string> names;
  for (const VariableSpec& spec : model.variables()) names.push_back(spec.name);
  return names;
}

TEST(MlpTest, VariablesAreNamedLayerByLayer) {
  const auto model = *MakeMlp(Config({7, 5}, v1::RELU), Input(13));
  EXPECT_THAT(Names(*model), ElementsAre("layer1/weight", "layer1/bias", "layer2/weight",
                                         "layer2/bias", "head/weight", "head/bias"));
  EXPECT_THAT(model->variables()[2].shape, ElementsAre(7, 5));
  EXPECT_THAT(model->variables()[4].shape, ElementsAre(5, 3));
}

TEST(MlpTest, OneHiddenLayerOf128UnitsWhenNoneIsGiven) {
  const auto model = *MakeMlp({}, Input(13));
  EXPECT_THAT(model->variables()[0].shape, ElementsAre(13, 128));
}

TEST(MlpTest, WeightsStartByHeOrGlorot) {
  const auto relu = *MakeMlp(Config({7}, v1::RELU), Input(13));
  EXPECT_EQ(relu->variables()[0].initializer.kind, Initializer::Kind::kNormal);
  EXPECT_FLOAT_EQ(relu->variables()[0].initializer.scale, std::sqrt(2.0f / 13));
  EXPECT_EQ(relu->variables()[1].initializer.kind, Initializer::Kind::kZeros);
  EXPECT_EQ(relu->variables()[2].initializer.kind, Initializer::Kind::kUniform);
  const auto tanh = *MakeMlp(Config({7}, v1::TANH), Input(13));
  EXPECT_EQ(tanh->variables()[0].initializer.kind, Initializer::Kind::kUniform);
  EXPECT_FLOAT_EQ(tanh->variables()[0].initializer.scale, std::sqrt(6.0f / 20));
}

TEST(MlpTest, GradientsWithSmoothActivationsMatchDifferences) {
  for (const auto activation : {v1::TANH, v1::GELU}) {
    for (const bool sparse : {false, true}) {
      const auto model = *MakeMlp(Config({7, 5}, activation), Input(13, sparse));
      ExpectModelGradients(*model, sparse ? SparseBatch(6, 13, 3) : DenseBatch(6, 13, 3));
    }
  }
}

TEST(MlpTest, GradientsWithReluMatchDifferencesAwayFromItsKinks) {
  const auto model = *MakeMlp(Config({7, 5}, v1::RELU), Input(13));
  // A weight moves 6 x 12 preactivations by up to 2^-7 |x|; about 5 % of them cross zero.
  ExpectModelGradients(*model, DenseBatch(6, 13, 3), DifferenceOptions{.kinks = 0.1});
}

TEST(MlpTest, GradientsWithDropoutMatchDifferences) {
  const auto model = *MakeMlp(Config({9, 8}, v1::TANH, 0.4), Input(13));
  ExpectModelGradients(*model, DenseBatch(6, 13, 3));
}

TEST(MlpTest, DropoutActsInTrainingOnlyAndChangesWithTheEpoch) {
  const auto model = *MakeMlp(Config({40}, v1::TANH, 0.5), Input(13));
  const auto plain = *MakeMlp(Config({40}, v1::TANH), Input(13));
  MemoryParameters parameters(model->variables());
  parameters.Randomize(1, 0.5f);
  Batch batch = DenseBatch(6, 13, 3);
  const double first = model->Train(batch, parameters, parameters)->loss;
  EXPECT_EQ(model->Train(batch, parameters, parameters)->loss, first);
  batch.epoch = 1;
  EXPECT_NE(model->Train(batch, parameters, parameters)->loss, first);
  EXPECT_EQ(model->Evaluate(batch, parameters)->loss, plain->Evaluate(batch, parameters)->loss);
}

TEST(MlpTest, BadSettingsAreNamed) {
  EXPECT_THAT(std::string(MakeMlp(Config({7, 0}, v1::RELU), Input(13)).status().message()),
              HasSubstr("model.mlp.hidden: got 0"));
  for (const double rate : {1.0, -0.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(std::string(MakeMlp(Config({7}, v1::RELU, rate), Input(13)).status().message()),
                HasSubstr("model.mlp.dropout"));
  }
}

TEST(MlpTest, VariableBeyondTwoToThe40ElementsIsRefused) {
  const auto model = MakeMlp(Config({4000000000}, v1::RELU), Input(int64_t{1} << 32));
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(model.status().message()), HasSubstr("\"layer1/weight\""));
}

}  // namespace
}  // namespace convoy
