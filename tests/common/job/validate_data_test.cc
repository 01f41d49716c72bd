// Rules of the section data.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/job/validate_messages.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ValidateDataTest, OldDataAreReplayedOrMeasured) {
  EXPECT_THAT(MessagesWith("data { old { path: 'o' replay: 0.2 } }"), IsEmpty());
  EXPECT_THAT(MessagesWith("data { old { validation { path: 'v' } } }"), IsEmpty());
  EXPECT_THAT(MessagesWith("data { old { path: 'o' validation { fraction: 0.1 } } }"), IsEmpty());
  const std::pair<const char*, const char*> cases[] = {
      {"data { old {} }", "data.old needs a path with replay, or a validation"},
      {"data { old { path: 'o' } }", "data.old: nothing is done with data.old.path"},
      {"data { old { path: 'o' validation { path: 'v' } } }", "nothing is done with data.old.path"},
      {"data { old { replay: 0.2 } }", "data.old.path is missing: the file of old examples"},
      {"data { old { validation { fraction: 0.2 } } }", "data.old.path is missing: the file that"},
      {"data { old { path: 'o' replay: 1 } }", "data.old.replay must be in [0, 1), got 1"},
      {"data { old { path: '' replay: 0.1 } }", "data.old.path must not be empty"},
      {"data { old { labels: 'l' validation { path: 'v' } } }",
       "data.old.labels goes with data.old.path only"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(MessagesWith(text), ElementsAre(HasSubstr(message))) << text;
  }
}

TEST(ValidateDataTest, ValidationNeedsASource) {
  EXPECT_THAT(MessagesWith("data { validation {} }"),
              ElementsAre("data.validation needs a path or a fraction"));
  EXPECT_THAT(MessagesWith("data { validation { fraction: 0.1 labels: 'x' } }"),
              ElementsAre("data.validation.labels goes with data.validation.path only"));
}

TEST(ValidateDataTest, LabelsAreForIdxOnly) {
  EXPECT_THAT(MessagesWith("data { format: LIBSVM train_labels: 'y' }"),
              ElementsAre("data.train_labels is for IDX files, but data.format is LIBSVM"));
}

TEST(ValidateDataTest, IdxLabelsMustBeGivenIfTheNameSaysNothing) {
  EXPECT_THAT(
      MessagesWith("data { format: IDX train: 'pictures' }"),
      ElementsAre("data.train_labels is missing: the name of data.train has no \"images-idx3\" "
                  "from which it could be derived"));
  EXPECT_THAT(MessagesWith("data { format: IDX train: 'a-images-idx3' }"), IsEmpty());
  EXPECT_THAT(MessagesWith("data { format: IDX train: 'pictures' train_labels: 'y' }"), IsEmpty());
}

TEST(ValidateDataTest, DataOptionsThatCannotWorkAreRefused) {
  EXPECT_THAT(MessagesWith("data { scale: 0 }"),
              ElementsAre("data.scale must not be 0: every feature is multiplied by it"));
  EXPECT_THAT(MessagesWith("data { format: IDX train_labels: 'y' zero_based: true }"),
              ElementsAre("data.zero_based is for libsvm files, but data.format is IDX"));
}

TEST(ValidateDataTest, SettingsOfIdsFitTheFormat) {
  EXPECT_THAT(MessagesWith("data { format: LIBSVM ids: true max_bad_lines: 3 }"), IsEmpty());
  EXPECT_THAT(MessagesWith("data { format: LIBFFM fields: 39 max_bad_lines: 3 }"), IsEmpty());
  EXPECT_THAT(MessagesWith("data { ids: true zero_based: true features: 3 }"),
              ElementsAre(HasSubstr("data.zero_based has no meaning with data.ids"),
                          HasSubstr("data.features has no meaning with data.ids")));
  EXPECT_THAT(MessagesWith("data { format: LIBFFM ids: true }"),
              ElementsAre("data.ids is for libsvm files, but data.format is LIBFFM"));
  EXPECT_THAT(MessagesWith("data { format: LIBSVM fields: 3 }"),
              ElementsAre("data.fields is for libffm files, but data.format is LIBSVM"));
  EXPECT_THAT(MessagesWith("data { format: LIBFFM fields: 65537 }"),
              ElementsAre("data.fields must be from 1 to 65536, got 65537"));
  EXPECT_THAT(MessagesWith("data { format: IDX train_labels: 'y' max_bad_lines: 3 }"),
              ElementsAre("data.max_bad_lines is for libsvm, libffm and Criteo files, but "
                          "data.format is IDX"));
  EXPECT_THAT(MessagesWith("data { negative_rate: 0 }"),
              ElementsAre("data.negative_rate must be in (0, 1], got 0"));
}

TEST(ValidateDataTest, TheTestFollowsTheRulesOfTheValidation) {
  EXPECT_THAT(MessagesWith("data { test {} }"),
              ElementsAre("data.test needs a path or a fraction"));
  EXPECT_THAT(MessagesWith("data { test { fraction: 0 } }"),
              ElementsAre("data.test.fraction must be in (0, 1), got 0"));
  EXPECT_THAT(MessagesWith("data { test { fraction: 0.1 labels: 'x' } }"),
              ElementsAre("data.test.labels goes with data.test.path only"));
  EXPECT_THAT(MessagesWith("data { test { path: '' } }"),
              ElementsAre("data.test.path must not be empty"));
  EXPECT_THAT(MessagesWith("data { format: IDX train: 'a-images-idx3' test { path: 'x' } }"),
              ElementsAre("data.test.labels is missing: the name of data.test.path has no "
                          "\"images-idx3\" from which it could be derived"));
}

TEST(ValidateDataTest, TheSplitLeavesSomethingToTrainOn) {
  EXPECT_THAT(MessagesWith("data { validation { fraction: 0.5 } test { fraction: 0.5 } }"),
              ElementsAre("data.test.fraction and data.validation.fraction must leave something to "
                          "train on, got 0.5 + 0.5"));
  EXPECT_THAT(MessagesWith("data { validation { fraction: 0.5 } test { fraction: 0.4 } }"),
              IsEmpty());
}

TEST(ValidateDataTest, AugmentationIsForImages) {
  EXPECT_THAT(MessagesWith("data { format: LIBSVM augment { flip: true } }"),
              ElementsAre("data.augment is for images, but data.format is LIBSVM"));
  EXPECT_THAT(MessagesWith("data { augment { noise: -1 } }"),
              ElementsAre("data.augment.noise must be >= 0, got -1"));
  EXPECT_THAT(MessagesWith("data { augment { flip: true crop: 2 noise: 0.1 } }"), IsEmpty());
}

TEST(ValidateDataTest, ClassWeightsAreOneNumberForEachClassOfAClassifier) {
  EXPECT_THAT(MessagesWith("training { class_weights: [1, -2] }"),
              ElementsAre("training.class_weights[1] must be >= 0, got -2"));
  EXPECT_THAT(MessagesWith("model { classes: 3 } training { class_weights: [1, 2] }"),
              ElementsAre("training.class_weights must be one for each of the 3 classes, got 2"));
  EXPECT_THAT(MessagesWith("model { logistic_regression {} } training { class_weights: 2 }"),
              ElementsAre("training.class_weights must be one for each of the 2 classes, got 1"));
  EXPECT_THAT(MessagesWith("training { class_weights: [0, 0] }"),
              ElementsAre("training.class_weights must not all be 0: nothing would be learnt"));
  EXPECT_THAT(MessagesWith("training { class_weights: [1, 2] balance: WEIGHTS }"),
              ElementsAre("training.balance WEIGHTS computes training.class_weights: give one of "
                          "the two"));
  EXPECT_THAT(MessagesWith("model { linear_regression {} } training { class_weights: [1, 2] }"),
              ElementsAre("training.class_weights is for classifiers, but linear_regression "
                          "learns a number"));
  EXPECT_THAT(
      MessagesWith("model { linear_regression {} } training { balance: OVERSAMPLE }"),
      ElementsAre("training.balance is for classifiers, but linear_regression learns a number"));
  EXPECT_THAT(
      MessagesWith("model { matrix_factorization {} } training { balance: OVERSAMPLE }"),
      ElementsAre("training.balance is for classifiers, but matrix_factorization learns a number"));
  EXPECT_THAT(
      MessagesWith(
          "model { factorization_machine { task: SQUARED } } training { balance: WEIGHTS }"),
      ElementsAre(
          "training.balance is for classifiers, but factorization_machine learns a number"));
  EXPECT_THAT(
      MessagesWith("model { factorization_machine {} } training { class_weights: [1, 2, 3] }"),
      ElementsAre("training.class_weights must be one for each of the 2 classes, got 3"));
  EXPECT_THAT(MessagesWith("training { class_weights: [1, 2] balance: OVERSAMPLE }"), IsEmpty());
}

}  // namespace
}  // namespace convoy
