#include "common/job/validate.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/mode.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/job/validate_messages.h"

namespace convoy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ValidateTest, SmallestJobIsValid) { EXPECT_THAT(MessagesWith(""), IsEmpty()); }

TEST(ValidateTest, InitNeedsASourceAndExpressionsThatAreSome) {
  EXPECT_THAT(MessagesWith("init { from: 'runs/a' widen: 'head/.*' map: 'a=b' }"), IsEmpty());
  EXPECT_THAT(MessagesWith("init { widen: 'head/.*' }"),
              ElementsAre(StartsWith("init.from is missing")));
  for (const char* field : {"replace", "widen", "reset_optimizer"}) {
    EXPECT_THAT(MessagesWith(absl::StrCat("init { from: 'a' ", field, ": 'ok' ", field, ": '(' }")),
                ElementsAre(HasSubstr(
                    absl::StrCat("init.", field, "[1] must be an RE2 regular expression"))));
  }
  EXPECT_THAT(MessagesWith("init { from: 'a' map: 'b' }"), ElementsAre(HasSubstr("want OLD=NEW")));
  EXPECT_THAT(MessagesWith("optimizer { freeze: '' }"),
              ElementsAre(HasSubstr("optimizer.freeze[0] must be an RE2")));
}

TEST(ValidateTest, AnAnchorNeedsLoadedWeights) {
  const std::string anchor = "optimizer { anchor: 0.5 } ";
  EXPECT_THAT(MessagesWith(anchor + "init { from: 'a' }"), IsEmpty());
  EXPECT_THAT(MessagesWith(anchor), ElementsAre(HasSubstr("set init.from")));
  EXPECT_THAT(MessagesWith("optimizer { override { match: 'a' anchor: 1 } }"),
              ElementsAre(HasSubstr("optimizer.anchor: got 1, but nothing is loaded")));
  for (const char* mode : {"local_sgd:2", "geo:3", "single"}) {
    EXPECT_THAT(
        MessagesWith(absl::StrCat(anchor, "init { from: 'a' } training { mode: '", mode, "' }")),
        IsEmpty())
        << mode;
  }
}

TEST(ValidateTest, EmptyJobNeedsDataAndModel) {
  std::vector<std::string> messages;
  for (const Violation& violation : Validate(v1::Job())) {
    EXPECT_TRUE(violation.missing);
    messages.push_back(violation.message);
  }
  EXPECT_THAT(messages,
              ElementsAre("data.train is missing: the file of the training examples",
                          "model needs a kind, one of linear_regression, logistic_regression, "
                          "softmax_regression, mlp, conv_net, custom, sparse_logistic, "
                          "factorization_machine, deep_fm, wide_and_deep, matrix_factorization"));
}

TEST(ValidateTest, NumbersOutsideTheirRangeAreNamedWithPathRangeAndValue) {
  const std::pair<const char*, const char*> cases[] = {
      {"optimizer { learning_rate: -1 }", "optimizer.learning_rate must be > 0, got -1"},
      {"optimizer { learning_rate: 0 }", "optimizer.learning_rate must be > 0, got 0"},
      {"optimizer { l1: -0.5 }", "optimizer.l1 must be >= 0, got -0.5"},
      {"optimizer { momentum { momentum: 1 } }",
       "optimizer.momentum.momentum must be in [0, 1), got 1"},
      {"optimizer { adam { epsilon: 0 } }", "optimizer.adam.epsilon must be > 0, got 0"},
      {"optimizer { adamw { weight_decay: -1 } }",
       "optimizer.adamw.weight_decay must be >= 0, got -1"},
      {"optimizer { schedule { step { factor: 1.5 } } }",
       "optimizer.schedule.step.factor must be in (0, 1], got 1.5"},
      {"optimizer { schedule { cosine { over_examples: 0 } } }",
       "optimizer.schedule.cosine.over_examples must be >= 1, got 0"},
      {"optimizer { override { match: 'a' } override { match: 'b' l2: -1 } }",
       "optimizer.override[1].l2 must be >= 0, got -1"},
      {"model { mlp { hidden: [8, 0] } }", "model.mlp.hidden[1] must be from 1 to 1048576, got 0"},
      {"model { mlp { dropout: 1 } }", "model.mlp.dropout must be in [0, 1), got 1"},
      {"model { classes: 1 }", "model.classes must be >= 2, got 1"},
      {"data { features: 0 }", "data.features must be from 1 to 4294967295, got 0"},
      {"data { validation { fraction: 1 } }", "data.validation.fraction must be in (0, 1), got 1"},
      {"training { epochs: 0 }", "training.epochs must be >= 1, got 0"},
      {"training { batch_size: 0 }", "training.batch_size must be >= 1, got 0"},
      {"training { slices: 1025 }", "training.slices must be from 1 to 1024, got 1025"},
      {"cluster { servers: 65 }", "cluster.servers must be from 1 to 64, got 65"},
      {"cluster { workers: 0 }", "cluster.workers must be from 1 to 1024, got 0"},
      {"cluster { threads_per_worker: 0 }",
       "cluster.threads_per_worker must be from 1 to 64, got 0"},
      {"cluster { threads_per_worker: 65 }",
       "cluster.threads_per_worker must be from 1 to 64, got 65"},
      {"cluster { wait_timeout_ms: 0 }", "cluster.wait_timeout_ms must be >= 1, got 0"},
      {"cluster { out_of_order_budget: -1 }", "cluster.out_of_order_budget must be >= 0, got -1"},
  };
  for (const auto& [text, message] : cases) EXPECT_THAT(MessagesWith(text), ElementsAre(message));
}

TEST(ValidateTest, NanAndInfinityAreRefusedEverywhere) {
  EXPECT_THAT(MessagesWith("optimizer { learning_rate: nan }"),
              ElementsAre("optimizer.learning_rate must be > 0, got nan"));
  EXPECT_THAT(MessagesWith("optimizer { clip_value: inf }"),
              ElementsAre("optimizer.clip_value must be >= 0, got inf"));
  EXPECT_THAT(MessagesWith("data { scale: -inf }"),
              ElementsAre("data.scale must be finite, got -inf"));
}

TEST(ValidateTest, ExplicitZeroIsAValueWhereZeroIsAllowed) {
  EXPECT_THAT(MessagesWith("seed: 0 optimizer { l1: 0 override { match: 'a' learning_rate: 0 } } "
                           "training { max_steps: 0 validate_every_epochs: 0 } "
                           "cluster { threads_per_server: 0 } model { mlp { dropout: 0 } }"),
              IsEmpty());
}

TEST(ValidateTest, EveryThreadOfAWorkerMustHaveASlice) {
  EXPECT_THAT(MessagesWith("cluster { workers: 2 threads_per_worker: 3 }"), IsEmpty());
  EXPECT_THAT(MessagesWith("training { slices: 5 } cluster { workers: 2 threads_per_worker: 3 }"),
              IsEmpty());
  EXPECT_THAT(
      MessagesWith(
          "training { slices: 2 mode: 'async' } cluster { workers: 2 threads_per_worker: 3 }"),
      IsEmpty());
  EXPECT_THAT(MessagesWith("training { slices: 4 } cluster { workers: 2 threads_per_worker: 3 }"),
              ElementsAre("cluster.threads_per_worker: training.slices (4) leaves some of the 3 "
                          "threads of each of 2 "
                          "workers without work; leave training.slices out, or set it to 6"));
  EXPECT_THAT(
      MessagesWith("training { slices: 2 mode: 'single' } cluster { threads_per_worker: 3 }"),
      ElementsAre("cluster.threads_per_worker: training.slices (2) leaves some of the 3 threads of "
                  "the worker without work; leave training.slices out, or set it to 3"));
  EXPECT_THAT(MessagesWith("cluster { workers: 1000 threads_per_worker: 2 }"),
              ElementsAre("cluster.threads_per_worker: 2000 threads in all, of which each gets a "
                          "slice; at most 1024, "
                          "or set training.slices"));
}

TEST(ValidateTest, MoreWorkersThanSlicesAreSpares) {
  EXPECT_THAT(MessagesWith("training { slices: 2 } cluster { workers: 5 }"), IsEmpty());
}

TEST(ValidateTest, EmptyNamesAreRefused) {
  EXPECT_THAT(MessagesWith("name: ''"), ElementsAre("name must not be empty"));
  EXPECT_THAT(MessagesWith("data { train: '' }"), ElementsAre("data.train must not be empty"));
  EXPECT_THAT(MessagesWith("data { validation { path: '' } }"),
              ElementsAre("data.validation.path must not be empty"));
}

TEST(ValidateTest, CustomModelNeedsAName) {
  EXPECT_THAT(MessagesWith("model { custom {} }"),
              ElementsAre("model.custom.name is missing: the name under which the model class was "
                          "registered"));
}

TEST(ValidateTest, LogisticRegressionHasTwoClasses) {
  EXPECT_THAT(MessagesWith("model { logistic_regression {} classes: 3 }"),
              ElementsAre("model.classes must be 2 for logistic_regression, got 3"));
  EXPECT_THAT(MessagesWith("model { logistic_regression {} classes: 2 }"), IsEmpty());
}

TEST(ValidateTest, OverrideNeedsARegularExpression) {
  EXPECT_THAT(MessagesWith("optimizer { override { l2: 0 } }"),
              ElementsAre("optimizer.override[0].match is missing: the variables that the override "
                          "is for"));
  EXPECT_THAT(MessagesWith("optimizer { override { match: '' } }"),
              ElementsAre("optimizer.override[0].match must not be empty"));
  EXPECT_THAT(MessagesWith("optimizer { override { match: 'layer(1' } }"),
              ElementsAre(StartsWith("optimizer.override[0].match must be an RE2 regular "
                                     "expression, got \"layer(1\": missing )")));
}

TEST(ValidateTest, ModeIsParsed) {
  EXPECT_THAT(MessagesWith("training { mode: 'ssp:2' }"), IsEmpty());
  EXPECT_THAT(
      MessagesWith("training { mode: 'asynch' }"),
      ElementsAre(absl::StrCat(
          "training.mode: unknown mode \"asynch\", did you mean \"async\"? Modes: ", kModeNames)));
}

TEST(ValidateTest, BackupMustLeaveASliceToWaitFor) {
  EXPECT_THAT(MessagesWith("training { mode: 'sync,backup=1' slices: 2 }"), IsEmpty());
  EXPECT_THAT(MessagesWith("training { mode: 'sync,backup=2' } cluster { workers: 3 }"), IsEmpty());
  EXPECT_THAT(
      MessagesWith("training { mode: 'sync,backup=2' slices: 2 }"),
      ElementsAre("training.mode: backup must be less than the slices of a step, got 2 of 2; set "
                  "training.slices, or more workers"));
}

TEST(ValidateTest, FtrlTakesLocalStepsWithoutL1Only) {
  EXPECT_THAT(MessagesWith("optimizer { ftrl {} l2: 0.1 } training { mode: 'geo:4' }"), IsEmpty());
  EXPECT_THAT(MessagesWith("optimizer { ftrl {} l1: 0.1 } training { mode: 'async' }"), IsEmpty());
  EXPECT_THAT(MessagesWith("optimizer { adagrad {} l1: 0.1 } training { mode: 'geo:4' }"),
              IsEmpty());
  EXPECT_THAT(MessagesWith("optimizer { adagrad {} l1: 0.1 override { match: 'w' ftrl {} l1: 0 } } "
                           "training { mode: 'geo:4' }"),
              IsEmpty())
      << "of ftrl there is none with l1";
  const auto refused = ElementsAre(StartsWith(
      "training.mode: geo:4 takes steps on the workers, where l1 of ftrl does not keep weights at "
      "0"));
  for (const char* const optimizer :
       {"ftrl {} l1: 0.1", "l1: 0.1 override { match: 'w' ftrl {} }",
        "ftrl {} override { match: 'w' l1: 0.1 }", "override { match: 'w' ftrl {} l1: 0.1 }"}) {
    EXPECT_THAT(
        MessagesWith(absl::StrCat("optimizer { ", optimizer, " } training { mode: 'geo:4' }")),
        refused)
        << optimizer;
  }
}

TEST(ValidateTest, RowwiseAdagradNeedsAModelThatMayHaveTables) {
  EXPECT_THAT(
      MessagesWith("optimizer { rowwise_adagrad {} }"),
      ElementsAre(
          "optimizer.rowwise_adagrad is for embedding tables, but model is mlp, which has none; "
          "use adagrad"));
  EXPECT_THAT(MessagesWith("model { conv_net {} } optimizer { override { match: 'a' } "
                           "override { match: 'b' rowwise_adagrad {} } }"),
              ElementsAre(StartsWith(
                  "optimizer.override[1].rowwise_adagrad is for embedding tables, but model is "
                  "conv_net")));
  EXPECT_THAT(MessagesWith("model { custom { name: 'mine' } } optimizer { rowwise_adagrad {} }"),
              IsEmpty());
}

TEST(ValidateTest, ParametersOfAnOverridesAlgorithmAreChecked) {
  EXPECT_THAT(MessagesWith("optimizer { override { match: 'a' adam { beta1: 1 } } }"),
              ElementsAre("optimizer.override[0].adam.beta1 must be in [0, 1), got 1"));
  EXPECT_THAT(MessagesWith(
                  "model { custom { name: 'mine' } } optimizer { rowwise_adagrad { epsilon: 0 } }"),
              ElementsAre("optimizer.rowwise_adagrad.epsilon must be > 0, got 0"));
}

TEST(ValidateTest, ProcessesMustHaveTimeForAHeartbeatBeforeTheyAreLost) {
  EXPECT_THAT(MessagesWith("cluster { heartbeat_ms: 10000 }"),
              ElementsAre("cluster.lost_after_ms (10000) must be greater than "
                          "cluster.heartbeat_ms (10000)"));
  EXPECT_THAT(MessagesWith("cluster { heartbeat_ms: 50 lost_after_ms: 51 }"), IsEmpty());
}

TEST(ValidateTest, MetricsNeedAnIpv4AddressAndAPortForEachProcess) {
  EXPECT_THAT(MessagesWith("cluster { metrics_port: 9400 metrics_address: '::1' }"),
              ElementsAre("cluster.metrics_address must be an IPv4 address, such as 127.0.0.1 or "
                          "0.0.0.0, got \"::1\""));
  EXPECT_THAT(MessagesWith("cluster { metrics_port: 9400 metrics_address: '0.0.0.0' }"), IsEmpty());
  EXPECT_THAT(MessagesWith("cluster { metrics_address: 'nowhere' }"), IsEmpty())
      << "there are none";
  EXPECT_THAT(MessagesWith("cluster { metrics_port: 9400 metrics_address: 'localhost' }"),
              ElementsAre("cluster.metrics_address must be an IPv4 address, such as 127.0.0.1 or "
                          "0.0.0.0, got \"localhost\""));
  EXPECT_THAT(MessagesWith("cluster { metrics_port: 65534 }"),
              ElementsAre("cluster.metrics_port: each process has a port of its own, and 65536, "
                          "that of the last worker, is "
                          "not a port: at most 65533 with this cluster"));
  EXPECT_THAT(MessagesWith("cluster { metrics_port: 65533 }"), IsEmpty());
}

TEST(ValidateTest, EveryViolationIsReported) {
  EXPECT_THAT(
      MessagesWith("optimizer { learning_rate: -1 l1: -1 } training { epochs: 0 }"),
      ElementsAre("optimizer.learning_rate must be > 0, got -1",
                  "optimizer.l1 must be >= 0, got -1", "training.epochs must be >= 1, got 0"));
}

TEST(ValidateTest, ModelsWithTablesHaveTwoClasses) {
  for (const std::string kind :
       {"sparse_logistic", "factorization_machine", "deep_fm", "wide_and_deep"}) {
    EXPECT_THAT(MessagesWith(absl::StrCat("model { ", kind, " {} classes: 2 }")), IsEmpty());
    EXPECT_THAT(MessagesWith(absl::StrCat("model { ", kind, " {} classes: 3 }")),
                ElementsAre(absl::StrCat("model.classes must be 2 for ", kind, ", got 3")));
  }
  EXPECT_THAT(MessagesWith("model { factorization_machine { task: SQUARED } classes: 3 }"),
              IsEmpty());
}

TEST(ValidateTest, ModelsWithTablesTrainInEveryMode) {
  for (const std::string kind : {"sparse_logistic", "factorization_machine", "deep_fm",
                                 "wide_and_deep", "matrix_factorization"}) {
    for (const std::string mode : {"sync", "async", "ssp:1", "local_sgd:4", "geo:4", "single"}) {
      EXPECT_THAT(
          MessagesWith(absl::StrCat("model { ", kind, " {} } training { mode: '", mode, "' }")),
          IsEmpty())
          << mode;
    }
  }
}

TEST(ValidateTest, RowsExpireByTimeWhereTimeMattersAnyway) {
  const auto messages = [](const std::string& mode) {
    return MessagesWith(
        absl::StrCat("model { factorization_machine {} } training { slices: 2 mode: '", mode,
                     "' } table { expire_after_seconds: 60 }"));
  };
  for (const std::string mode : {"sync", "sync,backup=1"}) {
    EXPECT_THAT(messages(mode),
                ElementsAre(absl::StrCat(
                    "table[0].expire_after_seconds: in mode ", mode,
                    " the same job gives the same rows, however long its steps take; set "
                    "expire_after, which counts steps, or use async, ssp or geo")));
  }
  for (const std::string mode : {"local_sgd:2", "single"}) {
    EXPECT_THAT(messages(mode), Contains(HasSubstr("table[0].expire_after_seconds: in mode")));
  }
  for (const std::string mode : {"async", "ssp:2"}) EXPECT_THAT(messages(mode), IsEmpty()) << mode;
}

TEST(ValidateTest, SettingsOfModelsWithTablesHaveRanges) {
  const std::pair<const char*, const char*> cases[] = {
      {"factorization_machine { factors: 0 }",
       "factorization_machine.factors must be from 1 to 512, got 0"},
      {"factorization_machine { init_scale: 0 }",
       "factorization_machine.init_scale must be > 0, got 0"},
      {"deep_fm { factors: 513 }", "deep_fm.factors must be from 1 to 512, got 513"},
      {"deep_fm { hidden: 0 }", "deep_fm.hidden[0] must be from 1 to 1048576, got 0"},
      {"deep_fm { fields: 5000 }", "deep_fm.fields must be from 1 to 4096, got 5000"},
      {"wide_and_deep { dim: 0 }", "wide_and_deep.dim must be from 1 to 512, got 0"},
      {"wide_and_deep { dropout: 1 }", "wide_and_deep.dropout must be in [0, 1), got 1"},
      {"matrix_factorization { factors: 0 }",
       "matrix_factorization.factors must be from 1 to 512, got 0"},
      {"matrix_factorization { mean: nan }", "matrix_factorization.mean must be finite, got nan"},
  };
  for (const auto& [model, message] : cases) {
    EXPECT_THAT(MessagesWith(absl::StrCat("model { ", model, " }")),
                ElementsAre(absl::StrCat("model.", message)));
  }
}

TEST(ValidateTest, ARehearsalNamesWorkersOfTheJobAndALinkOnlyWhereThereIsOne) {
  EXPECT_THAT(MessagesWith("cluster { workers: 2 } rehearsal { slow_worker: '1=3x' slow_worker: "
                           "'any=2x@10%' link: '100mbit,5ms' }"),
              IsEmpty());
  EXPECT_THAT(
      MessagesWith("cluster { workers: 2 } rehearsal { slow_worker: '2=3x' }"),
      ElementsAre("rehearsal.slow_worker[0]: there is no worker 2: the job has 2, from 0 to 1"));
  EXPECT_THAT(
      MessagesWith("training { mode: 'single' } rehearsal { slow_worker: '1=3x' link: '5ms' }"),
      ElementsAre(
          "rehearsal.slow_worker[0]: there is no worker 1: mode single is one process, worker 0",
          "rehearsal.link: mode single has no servers and sends nothing over a link; leave it "
          "out"));
  EXPECT_THAT(MessagesWith("training { mode: 'single' } rehearsal { slow_worker: '0=3x' }"),
              IsEmpty());
  EXPECT_THAT(MessagesWith("rehearsal { slow_worker: 'x' link: 'x' }"),
              ElementsAre(StartsWith("rehearsal.slow_worker[0]: got \"x\": "),
                          StartsWith("rehearsal.link: got \"x\"; want a rate")));
}

TEST(ValidateTest, FaultsNeedPermissionAndProcessesOfTheJob) {
  EXPECT_THAT(MessagesWith("cluster { workers: 2 } rehearsal { allow_faults: true fault: 'kill "
                           "worker 1 at step 2' fault: 'drop 1% of pushes' }"),
              IsEmpty());
  EXPECT_THAT(
      MessagesWith("rehearsal { fault: 'drop 1% of pushes' }"),
      ElementsAre("rehearsal.fault[0]: \"drop 1% of pushes\" breaks something on purpose; a "
                  "job that may be broken says so: --set rehearsal.allow_faults=true, or "
                  "rehearsal { allow_faults: true }"));
  EXPECT_THAT(
      MessagesWith("cluster { servers: 2 } rehearsal { allow_faults: true fault: 'kill server 2 at "
                   "step 2' }"),
      ElementsAre("rehearsal.fault[0]: there is no server 2: the job has 2, numbered from 0"));
  EXPECT_THAT(MessagesWith("training { mode: 'single' } rehearsal { allow_faults: true fault: "
                           "'kill coordinator at step 2' }"),
              ElementsAre("rehearsal.fault[0]: mode single is one process without servers; leave "
                          "it out"));
  EXPECT_THAT(MessagesWith("rehearsal { allow_faults: true fault: 'burn' }"),
              ElementsAre(StartsWith("rehearsal.fault[0]: got \"burn\": at character 1")));
}

}  // namespace
}  // namespace convoy
