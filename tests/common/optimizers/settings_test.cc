#include <gmock/gmock.h>

#include "tests/common/optimizers/optimizer_fixture.h"

namespace convoy {
namespace {

using testing::HasSubstr;

absl::StatusOr<OptimizerSettings> Settings(const std::string& text, std::string_view name) {
  v1::Optimizer config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return SettingsFor(config, name);
}

TEST(SettingsForTest, WithoutOverridesTheJobsOwnValuesHold) {
  const auto settings = Settings("sgd {} learning_rate: 0.5 l1: 1 l2: 2 clip_value: 3", "w");
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->learning_rate, 0.5);
  EXPECT_EQ(settings->l1, 1);
  EXPECT_EQ(settings->l2, 2);
  EXPECT_EQ(settings->clip_value, 3);
  EXPECT_EQ(settings->weight_decay, 0);
  EXPECT_TRUE(settings->config.has_sgd());
}

TEST(SettingsForTest, DefaultsAreThoseOfTheSchema) {
  EXPECT_EQ(Settings("", "w")->learning_rate, 0.01);
  EXPECT_EQ(Settings("adamw {}", "w")->weight_decay, 0.01);
  EXPECT_EQ(Settings("adam {}", "w")->weight_decay, 0);
}

TEST(SettingsForTest, TheLastMatchingOverrideWinsFieldByField) {
  const std::string text =
      "adamw { weight_decay: 0.1 } learning_rate: 1 l1: 1 l2: 1 clip_value: 1 "
      "override { match: 'layer1/.*' learning_rate: 2 l1: 2 } "
      "override { match: '.*/bias' l1: 3 l2: 3 weight_decay: 0 } "
      "override { match: 'layer2/.*' clip_value: 4 learning_rate: 4 }";
  const auto settings = Settings(text, "layer1/bias");
  EXPECT_EQ(settings->learning_rate, 2);  // first
  EXPECT_EQ(settings->l1, 3);             // second, over first
  EXPECT_EQ(settings->l2, 3);             // second
  EXPECT_EQ(settings->weight_decay, 0);   // second: an explicit 0 counts
  EXPECT_EQ(settings->clip_value, 1);     // third does not match
}

TEST(SettingsForTest, TheWholeNameMustMatch) {
  const std::string text = "override { match: 'layer1' learning_rate: 2 }";
  EXPECT_EQ(Settings(text, "layer1")->learning_rate, 2);
  EXPECT_EQ(Settings(text, "layer1/weight")->learning_rate, 0.01);
  EXPECT_EQ(Settings(text, "layer10")->learning_rate, 0.01);
}

TEST(SettingsForTest, ABadExpressionIsNamedWithItsPlace) {
  const auto settings =
      Settings("override { match: 'a' } override { match: 'layer[' learning_rate: 2 }", "w");
  EXPECT_EQ(settings.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(settings.status().message()),
              HasSubstr("optimizer.override[1].match: got \"layer[\""));
}

TEST(SettingsForTest, AnOverrideWithoutMatchIsRefused) {
  const auto settings = Settings("override { learning_rate: 2 }", "w");
  EXPECT_EQ(settings.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(settings.status().message()), HasSubstr("match is not set"));
}

}  // namespace
}  // namespace convoy
