// What is reported, and with which line, for job files with mistakes.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/mode.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/job/job_text.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(JobErrorsTest, ValueOutOfRangeIsNamedWithItsLine) {
  EXPECT_EQ(ErrorsOf(SmallJobAnd("optimizer {\n"
                                 "  # How fast.\n"
                                 "  learning_rate:\n"
                                 "    -1\n"
                                 "}\n")),
            "x.textproto:5: optimizer.learning_rate must be > 0, got -1");
}

TEST(JobErrorsTest, AllErrorsAreReportedAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(ErrorsOf("training { epochs: 0 }\n"
                     "data { train: 'x' }\n"
                     "cluster { servers: 0\n"
                     "  workers: 2000 }\n"
                     "model { mlp { hidden: 0 } }\n"),
            "x.textproto:1: training.epochs must be >= 1, got 0\n"
            "x.textproto:3: cluster.servers must be from 1 to 64, got 0\n"
            "x.textproto:4: cluster.workers must be from 1 to 1024, got 2000\n"
            "x.textproto:5: model.mlp.hidden[0] must be from 1 to 1048576, got 0");
}

TEST(JobErrorsTest, MisspeltFieldsAreAllReportedWithSuggestions) {
  EXPECT_EQ(ErrorsOf("data { trian: 'x' }\n"
                     "model { mpl { hidden: 3 } }\n"
                     "optimizer {\n"
                     "  learning_rat: 0.1\n"
                     "  adam { beta_1: 0.5 }\n"
                     "}\n"
                     "trainning { epochs: 3 }\n"),
            "x.textproto:1: unknown field \"trian\" in data, did you mean \"train\"?\n"
            "x.textproto:2: unknown field \"mpl\" in model, did you mean \"mlp\"?\n"
            "x.textproto:4: unknown field \"learning_rat\" in optimizer, did you mean "
            "\"learning_rate\"?\n"
            "x.textproto:5: unknown field \"beta_1\" in optimizer.adam, did you mean \"beta1\"?\n"
            "x.textproto:7: unknown field \"trainning\" in the job, did you mean \"training\"?");
}

TEST(JobErrorsTest, MisspeltNamesAndValuesDoNotHideErrorsOfTheRest) {
  EXPECT_EQ(ErrorsOf(SmallJobAnd("model_ { }\n"
                                 "optimizer { learning_rate: -1 l3: { a: [1, {}] } }\n"
                                 "data_: 3\n"
                                 "training { nan_policy: REJCT epochs: 0 }\n")),
            "x.textproto:3: unknown field \"model_\" in the job, did you mean \"model\"?\n"
            "x.textproto:4: unknown field \"l3\" in optimizer, did you mean \"l1\"?\n"
            "x.textproto:4: optimizer.learning_rate must be > 0, got -1\n"
            "x.textproto:5: unknown field \"data_\" in the job, did you mean \"data\"?\n"
            "x.textproto:6: unknown value \"REJCT\" for training.nan_policy, did you mean REJECT? "
            "Values: REJECT, SKIP\n"
            "x.textproto:6: training.epochs must be >= 1, got 0");
}

TEST(JobErrorsTest, FieldInTheWrongGroupIsFound) {
  EXPECT_EQ(
      ErrorsOf(SmallJobAnd("epochs: 10\n")),
      "x.textproto:3: unknown field \"epochs\" in the job, did you mean \"training.epochs\"?");
}

TEST(JobErrorsTest, WrongTypesOfValuesAreAllReported) {
  EXPECT_EQ(
      ErrorsOf(SmallJobAnd("seed: -1\n"
                           "name: small\n"
                           "data { shuffle: 7 }\n"
                           "optimizer { learning_rate: \"0.1\" momentum: 0.9 l1: [1] }\n"
                           "training { epochs: 1.5 batch_size: 99999999999 mode { sync } }\n")),
      "x.textproto:3: seed must be a whole number from 0 to 18446744073709551615, got -1\n"
      "x.textproto:4: name must be a string in quotes, got small\n"
      "x.textproto:5: data is given twice, first in line 1\n"
      "x.textproto:6: optimizer.learning_rate must be a number > 0, got \"0.1\"\n"
      "x.textproto:6: optimizer.momentum must be a group of fields, momentum { ... }, got 0.9\n"
      "x.textproto:6: optimizer.l1 must be a number >= 0, got a list\n"
      "x.textproto:7: training.epochs must be a whole number >= 1, got 1.5\n"
      "x.textproto:7: training.batch_size must be a whole number >= 1, got 99999999999\n"
      "x.textproto:7: training.mode needs a \":\" before its value");
}

TEST(JobErrorsTest, LineIsThatOfTheMistakeNotOfTheTokenAfterIt) {
  EXPECT_EQ(ErrorsOf("data { train: 'x' }\n"
                     "model { mlp {\n"
                     "  activation: RELUU\n"
                     "\n"
                     "  dropout: 0\n"
                     "} }\n"),
            "x.textproto:3: unknown value \"RELUU\" for model.mlp.activation, did you mean RELU? "
            "Values: RELU, TANH, GELU");
}

TEST(JobErrorsTest, ElementsOfListsAreNumbered) {
  EXPECT_EQ(
      ErrorsOf("data { train: 'x' }\n"
               "model { mlp { hidden: [64,\n"
               "  many, 32] } }\n"
               "optimizer {\n"
               "  override { match: 'a' l2: -1 }\n"
               "  override { match: '(' }\n"
               "  override { l22: 0 }\n"
               "}\n"),
      "x.textproto:3: model.mlp.hidden[1] must be a whole number from 1 to 1048576, got many\n"
      "x.textproto:5: optimizer.override[0].l2 must be >= 0, got -1\n"
      "x.textproto:6: optimizer.override[1].match must be an RE2 regular expression, got "
      "\"(\": missing ): (\n"
      "x.textproto:7: unknown field \"l22\" in optimizer.override[2], did you mean \"l2\"?\n"
      "x.textproto:7: optimizer.override[2].match is missing: the variables that the override "
      "is for");
}

TEST(JobErrorsTest, ElementOfAShortListIsReportedWithTheLineOfTheList) {
  EXPECT_EQ(ErrorsOf("data { train: 'x' }\n"
                     "model { mlp {\n"
                     "  hidden: [64, 0]\n"
                     "} }\n"),
            "x.textproto:3: model.mlp.hidden[1] must be from 1 to 1048576, got 0");
}

TEST(JobErrorsTest, SecondAlternativeIsRefused) {
  EXPECT_EQ(ErrorsOf(SmallJobAnd("optimizer {\n"
                                 "  adam {}\n"
                                 "  sgd {}\n"
                                 "}\n")),
            "x.textproto:5: optimizer.sgd can't be given together with adam (line 4): only one "
            "algorithm is possible");
}

TEST(JobErrorsTest, AbsentFieldIsReportedWithTheLineOfItsGroupOrTheFile) {
  EXPECT_EQ(ErrorsOf("seed: 3\n"
                     "data {\n"
                     "}\n"),
            "x.textproto: model needs a kind, one of linear_regression, logistic_regression, "
            "softmax_regression, mlp, conv_net, custom, sparse_logistic, factorization_machine, "
            "deep_fm, wide_and_deep, matrix_factorization\n"
            "x.textproto:2: data.train is missing: the file of the training examples");
}

TEST(JobErrorsTest, BrokenStructureIsReportedWithItsPlace) {
  EXPECT_EQ(ErrorsOf("data { train: 'x' }\n"
                     "optimizer {\n"
                     "  l1: 0\n"),
            "x.textproto:4: expected \"}\" to close optimizer of line 2, got the end");
  EXPECT_EQ(ErrorsOf("seed: 1\n}\n"), "x.textproto:2: unexpected \"}\"");
  EXPECT_EQ(ErrorsOf("seed: 1\n= 2\n"), "x.textproto:2: expected a field of the job, got \"=\"");
  EXPECT_EQ(ErrorsOf("model { mlp { hidden: [1 2] } }"),
            "x.textproto:1: expected \",\" or \"]\" in the list model.mlp.hidden, got \"2\"");
}

TEST(JobErrorsTest, MistakesBeforeABrokenStructureAreReportedToo) {
  EXPECT_EQ(ErrorsOf("sed: 1\n"
                     "name: 'a'\n"
                     "[x]: 2\n"),
            "x.textproto:1: unknown field \"sed\" in the job, did you mean \"seed\"?\n"
            "x.textproto:3: expected a field of the job, got \"[\"");
}

TEST(JobErrorsTest, StringWithoutItsEndIsReportedWithItsLine) {
  EXPECT_THAT(ErrorsOf("seed: 1\ndata { train: \"x }\n"), StartsWith("x.textproto:2: "));
}

TEST(JobErrorsTest, FieldWithoutAValueIsReported) {
  EXPECT_EQ(ErrorsOf("data { train: 'x' scale: }\nmodel { mlp {} }"),
            "x.textproto:1: data.scale must be a number, got nothing");
}

TEST(JobErrorsTest, ValueOfAnArgumentIsReportedWithTheArgument) {
  EXPECT_EQ(ErrorsOf(SmallJobAnd("optimizer { learning_rate: 0.1 l1: -1 }"),
                     {"optimizer.learning_rate=-1", "training.epochs=3", "cluster.workers=0"}),
            "x.textproto:3: optimizer.l1 must be >= 0, got -1\n"
            "--set optimizer.learning_rate=-1: optimizer.learning_rate must be > 0, got -1\n"
            "--set cluster.workers=0: cluster.workers must be from 1 to 1024, got 0");
}

TEST(JobErrorsTest, ArgumentsThatCannotBeAppliedAreAllReported) {
  EXPECT_EQ(ErrorsOf(kSmallJob, {"epochs=3", "training.epochs=ten", "training"}),
            "--set epochs=3: unknown field \"epochs\" in the job, did you mean "
            "\"training.epochs\"?\n"
            "--set training.epochs=ten: training.epochs must be a whole number >= 1, got ten\n"
            "--set training: expected path.to.field=value, e.g. optimizer.learning_rate=0.1");
}

TEST(JobErrorsTest, ArgumentRepairsAWrongValueOfTheFile) {
  EXPECT_EQ(ErrorsOf(SmallJobAnd("training { epochs: 0 }"), {"training.epochs=1"}), "");
}

TEST(JobErrorsTest, ListSetByAnArgumentBlamesTheArgument) {
  EXPECT_EQ(ErrorsOf("data { train: 'x' }\nmodel { mlp { hidden: 1 hidden: 2 } }",
                     {"model.mlp.hidden=4,0"}),
            "--set model.mlp.hidden=4,0: model.mlp.hidden[1] must be from 1 to 1048576, got 0");
}

TEST(JobErrorsTest, GroupMadeByAnArgumentBlamesTheArgumentForWhatIsMissing) {
  EXPECT_EQ(ErrorsOf(kSmallJob, {"model.custom.parameters[a]=b"}),
            "--set model.custom.parameters[a]=b: model.custom.name is missing: the name under "
            "which the model class was registered");
}

TEST(JobErrorsTest, ModeSuggestsTheRightOne) {
  EXPECT_EQ(ErrorsOf(kSmallJob, {"training.mode=asynch"}),
            absl::StrCat(
                "--set training.mode=asynch: training.mode: unknown mode \"asynch\", did you mean "
                "\"async\"? Modes: ",
                kModeNames));
}

TEST(JobErrorsTest, LineBreakInAValueStaysInOneLine) {
  EXPECT_THAT(ErrorsOf(SmallJobAnd("training { mode: 'a\\nb' }")), Not(HasSubstr("\n")));
}

TEST(JobErrorsTest, HugeTextIsNoJobFile) {
  EXPECT_EQ(ErrorsOf(std::string((4 << 20) + 1, ' ')),
            "x.textproto: more than 4194304 bytes: this is no job file");
}

}  // namespace
}  // namespace convoy
