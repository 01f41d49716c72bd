#include <gmock/gmock.h>

#include "tests/common/optimizers/optimizer_fixture.h"

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string ErrorOf(const std::string& text) {
  v1::Optimizer config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  const auto optimizer = MakeOptimizer(*SettingsFor(config, "w"));
  EXPECT_EQ(optimizer.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(optimizer.status().message());
}

TEST(MakeOptimizerTest, SlotsHaveTheNamesOfThePapers) {
  EXPECT_THAT(OptimizerFromText("sgd {}")->slot_names(), ElementsAre());
  EXPECT_THAT(OptimizerFromText("momentum {}")->slot_names(), ElementsAre("v"));
  EXPECT_THAT(OptimizerFromText("nesterov {}")->slot_names(), ElementsAre("v"));
  EXPECT_THAT(OptimizerFromText("adagrad {}")->slot_names(), ElementsAre("a"));
  EXPECT_THAT(OptimizerFromText("rmsprop {}")->slot_names(), ElementsAre("s"));
  EXPECT_THAT(OptimizerFromText("adam {}")->slot_names(), ElementsAre("m", "v"));
  EXPECT_THAT(OptimizerFromText("adamw {}")->slot_names(), ElementsAre("m", "v"));
  EXPECT_THAT(OptimizerFromText("ftrl {}")->slot_names(), ElementsAre("z", "n"));
}

TEST(MakeOptimizerTest, OnlyAdagradStartsASlotAboveZero) {
  const auto adagrad = OptimizerFromText("adagrad { initial_accumulator: 0.5 }");
  EXPECT_EQ(adagrad->initial_slot_value(0), 0.5f);
  const auto adam = OptimizerFromText("adam {}");
  EXPECT_EQ(adam->initial_slot_value(0), 0.0f);
  EXPECT_EQ(adam->initial_slot_value(1), 0.0f);
}

TEST(MakeOptimizerTest, ErrorsNameParameterRangeAndValue) {
  EXPECT_EQ(ErrorOf("adam { beta1: 1.5 }"),
            "optimizer.adam.beta1 must be in [0, 1) as a float32, got 1.5");
}

TEST(MakeOptimizerTest, ParametersOutOfRangeAreRefused) {
  for (const auto& [text, parameter] : std::vector<std::pair<std::string, std::string>>{
           {"learning_rate: -1", "optimizer.learning_rate"},
           {"learning_rate: nan", "optimizer.learning_rate"},
           {"learning_rate: inf", "optimizer.learning_rate"},
           {"learning_rate: 1e300", "optimizer.learning_rate"},
           {"l1: -1", "optimizer.l1"},
           {"l2: -1", "optimizer.l2"},
           {"clip_value: -1", "optimizer.clip_value"},
           {"momentum { momentum: 1 }", "optimizer.momentum.momentum"},
           {"nesterov { momentum: -0.1 }", "optimizer.nesterov.momentum"},
           {"adagrad { initial_accumulator: -1 }", "optimizer.adagrad.initial_accumulator"},
           {"adagrad { epsilon: 0 }", "optimizer.adagrad.epsilon"},
           {"adagrad { epsilon: 1e-60 }", "optimizer.adagrad.epsilon"},
           {"rmsprop { decay: 1 }", "optimizer.rmsprop.decay"},
           {"rmsprop { epsilon: -1 }", "optimizer.rmsprop.epsilon"},
           {"adam { beta2: 0.99999999999 }", "optimizer.adam.beta2"},
           {"adam { epsilon: nan }", "optimizer.adam.epsilon"},
           {"adamw { beta1: -1 }", "optimizer.adamw.beta1"},
           {"adamw { weight_decay: -1 }", "optimizer.adamw.weight_decay"},
           {"ftrl { beta: -1 }", "optimizer.ftrl.beta"}}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr(parameter + " must be")) << text;
  }
}

TEST(MakeOptimizerTest, WeightDecayIsForAdamWAlone) {
  EXPECT_THAT(ErrorOf("sgd {} override { match: 'w' weight_decay: 0.1 }"), HasSubstr("adamw"));
  EXPECT_NE(OptimizerFromText("sgd {} override { match: 'w' weight_decay: 0 }"), nullptr);
}

TEST(MakeOptimizerTest, RowwiseAdagradIsForTablesAndTheMessageNamesTheVariable) {
  EXPECT_EQ(
      ErrorOf("rowwise_adagrad {}"),
      "optimizer.rowwise_adagrad: is for embedding tables, but \"w\" is a dense variable; use "
      "adagrad for it, in optimizer or in an optimizer.override");
  EXPECT_NE(OptimizerFromText("rowwise_adagrad {} override { match: 'w' adagrad {} }"), nullptr);
}

TEST(MakeOptimizerTest, LearningRateOfZeroFreezesAVariable) {
  EXPECT_NE(OptimizerFromText("override { match: 'w' learning_rate: 0 }"), nullptr);
}

}  // namespace
}  // namespace convoy
