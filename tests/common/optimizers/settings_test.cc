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

TEST(SettingsForTest, AnAnchorIsOverriddenLikeOtherPenaltiesAndWhatIsFrozenHasNone) {
  const std::string text =
      "anchor: 0.5 freeze: 'c' override { match: 'b' anchor: 0.25 } "
      "override { match: 'd' learning_rate: 0 }";
  EXPECT_EQ(Settings(text, "a")->anchor, 0.5);
  EXPECT_EQ(Settings(text, "b")->anchor, 0.25);
  EXPECT_EQ(Settings(text, "c")->anchor, 0);
  EXPECT_EQ(Settings(text, "d")->anchor, 0);
}

TEST(SettingsForTest, TheWholeNameMustMatch) {
  const std::string text = "override { match: 'layer1' learning_rate: 2 }";
  EXPECT_EQ(Settings(text, "layer1")->learning_rate, 2);
  EXPECT_EQ(Settings(text, "layer1/weight")->learning_rate, 0.01);
  EXPECT_EQ(Settings(text, "layer10")->learning_rate, 0.01);
}

TEST(SettingsForTest, AnOverrideChoosesAnotherAlgorithmWithItsParameters) {
  const std::string text =
      "adam { beta1: 0.5 } learning_rate: 1 override { match: '.*/weight' ftrl { beta: 2 } l1: 3 }";
  const auto weight = Settings(text, "table/weight");
  ASSERT_TRUE(weight.ok()) << weight.status();
  EXPECT_FALSE(weight->config.has_adam());
  EXPECT_EQ(weight->config.ftrl().beta(), 2);
  EXPECT_EQ(weight->l1, 3);
  EXPECT_EQ(weight->learning_rate, 1);  // as before
  EXPECT_EQ(weight->name, "table/weight");
  EXPECT_EQ(Settings(text, "table/factors")->config.adam().beta1(), 0.5);
}

TEST(SettingsForTest, TheLastMatchingAlgorithmWins) {
  const std::string text =
      "sgd {} override { match: 'a.*' adagrad {} } override { match: '.*b' momentum {} } "
      "override { match: 'ab' l2: 1 }";
  EXPECT_TRUE(Settings(text, "a")->config.has_adagrad());
  EXPECT_TRUE(Settings(text, "ab")->config.has_momentum());
  EXPECT_TRUE(Settings(text, "c")->config.has_sgd());
}

TEST(SettingsForTest, AnAlgorithmBringsItsWeightDecayUnlessOneIsSetThereOrLater) {
  const std::string text =
      "adamw { weight_decay: 0.1 } override { match: 'sgd.*' sgd {} } "
      "override { match: 'own' adamw { weight_decay: 0.2 } } "
      "override { match: 'same' adamw {} weight_decay: 0.3 } override { match: 'default' adamw {} "
      "} "
      "override { match: 'sgd_again' adamw {} } override { match: 'sgd_again' weight_decay: 0.4 }";
  EXPECT_EQ(Settings(text, "other")->weight_decay, 0.1);
  EXPECT_EQ(Settings(text, "sgd")->weight_decay, 0);
  EXPECT_EQ(Settings(text, "own")->weight_decay, 0.2);
  EXPECT_EQ(Settings(text, "same")->weight_decay, 0.3);
  EXPECT_EQ(Settings(text, "default")->weight_decay, 0.01);
  EXPECT_EQ(Settings(text, "sgd_again")->weight_decay, 0.4);
}

// Each rule of the optimizer may be chosen by an override, and is the same group there.
TEST(SettingsForTest, OverridesKnowEveryAlgorithm) {
  const auto& rules = *v1::Optimizer::descriptor()->FindOneofByName("algorithm");
  const auto& choices = *v1::Override::descriptor()->FindOneofByName("algorithm");
  ASSERT_EQ(rules.field_count(), choices.field_count());
  for (int i = 0; i < rules.field_count(); ++i) {
    EXPECT_EQ(rules.field(i)->name(), choices.field(i)->name());
    EXPECT_EQ(rules.field(i)->message_type(), choices.field(i)->message_type());
    const auto settings =
        Settings("override { match: 'w' " + rules.field(i)->name() + " {} }", "w");
    ASSERT_TRUE(settings.ok()) << settings.status();
    EXPECT_EQ(settings->config.algorithm_case(), rules.field(i)->number());
  }
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
