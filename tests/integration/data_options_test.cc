// The options that say which examples are trained on, how often and how much they count, through
// `convoy train`.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/math/random.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using nlohmann::json;

class DataOptionsTest : public ::testing::Test {
 protected:
  void WriteJob(const std::string& text) { WriteFile(job_, text); }

  ProgramResult Train(std::vector<std::string> more = {}) {
    std::filesystem::remove_all(run_);
    std::vector<std::string> arguments = {CONVOY_BINARY, "train", job_,
                                          "--run-dir",   run_,    "--in-process"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments);
  }

  json Summary() const { return json::parse(ReadFile(run_ + "/summary.json")); }

  std::vector<json> Events(const std::string& kind) const {
    std::istringstream lines(ReadFile(run_ + "/events.jsonl"));
    std::vector<json> events;
    for (std::string line; std::getline(lines, line);) {
      if (json event = json::parse(line); event["kind"] == kind) events.push_back(std::move(event));
    }
    return events;
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
};

// ------------------------------------------------------------------------------ split

class SplitOptionsTest : public DataOptionsTest {
 protected:
  SplitOptionsTest() {
    images_ = WriteToyImages({.examples = 400}, folder_ / "toy");
    WriteJob(
        "data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\"\n"
        "  validation { fraction: 0.2 } test { fraction: 0.1 } }\n"
        "model { mlp { hidden: 4 } }\n"
        "optimizer { adam {} learning_rate: 0.005 }\n"
        "training { epochs: 2 batch_size: 32 }\n"
        "cluster { servers: 2 workers: 2 }\n");
  }

  json Evaluate(const std::string& part) const {
    const ProgramResult result =
        RunProgram({CONVOY_BINARY, "evaluate", run_, "--data", images_, "--split", part});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.exit_code == 0 ? json::parse(result.output) : json();
  }

  std::string images_;
};

TEST_F(SplitOptionsTest, TheTestIsMeasuredOnceOnTheFinalWeightsAndEvaluateFindsItsRowsAgain) {
  for (const char* mode : {"sync", "async", "ssp:1"}) {
    SCOPED_TRACE(mode);
    const ProgramResult result = Train({"--mode", mode});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const json summary = Summary();
    EXPECT_EQ(summary["examples"], 2 * 280);  // 400 - 80 - 40
    EXPECT_EQ(summary["validation"]["examples"], 80);
    EXPECT_EQ(summary["test"]["examples"], 40);
    EXPECT_EQ(Events("validation").size(), 2u);
    ASSERT_EQ(Events("test").size(), 1u);
    EXPECT_EQ(Events("test")[0]["loss"], summary["test"]["loss"]);
    EXPECT_NE(result.output.find("\n  test "), std::string::npos) << result.output;

    for (const char* part : {"validation", "test"}) {
      const json again = Evaluate(part);
      EXPECT_EQ(again["accuracy"], summary[part]["accuracy"]) << part;
      // Other batches: other last bits.
      EXPECT_NEAR(again["loss"].get<double>(), summary[part]["loss"].get<double>(), 1e-5) << part;
    }
    uint64_t trained = 0;
    const json train = Evaluate("train");
    for (const json& of_class : train["classes"]) trained += of_class["support"].get<uint64_t>();
    EXPECT_EQ(trained, 280u);
  }
}

TEST_F(SplitOptionsTest, TheValidationKeepsItsRowsWhenATestIsAdded) {
  ASSERT_EQ(Train({"--set", "training.epochs=1"}).exit_code, 0);
  const json with_test = Evaluate("validation");
  std::string text = ReadFile(run_ + "/job.textproto");
  const size_t at = text.find("  test {");
  ASSERT_NE(at, std::string::npos);
  text.erase(at, text.find('}', at) + 1 - at);
  WriteFile(run_ + "/job.textproto", text);
  EXPECT_EQ(Evaluate("validation"), with_test);
  const ProgramResult none =
      RunProgram({CONVOY_BINARY, "evaluate", run_, "--data", images_, "--split", "test"});
  EXPECT_NE(none.exit_code, 0);
  EXPECT_NE(none.output.find("the job has no data.test.fraction"), std::string::npos)
      << none.output;
}

TEST_F(SplitOptionsTest, ATestFileIsMeasuredAtTheEnd) {
  WriteToyImages({.examples = 60, .seed = 2}, folder_ / "other");
  ASSERT_EQ(Train({"--set", "data.test.path=" + (folder_ / "other-images-idx3-ubyte")}).exit_code,
            0);
  EXPECT_EQ(Summary()["examples"], 2 * 320);
  EXPECT_EQ(Summary()["test"]["examples"], 60);
}

TEST_F(SplitOptionsTest, AugmentationAndOversamplingTrainInEveryMode) {
  for (const char* mode : {"sync", "async", "ssp:1"}) {
    SCOPED_TRACE(mode);
    const ProgramResult result =
        Train({"--mode", mode, "--set", "training.balance=OVERSAMPLE", "--set",
               "data.augment.flip=true", "--set", "data.augment.crop=1", "--set",
               "data.augment.noise=0.05", "--set", "training.epochs=3"});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    // An epoch has 4 classes times the examples of the largest one, the same number of each class.
    const json train = Summary()["train"];
    const uint64_t largest = train["classes"][0]["support"];
    EXPECT_GT(4 * largest, 280u);
    for (const json& of_class : train["classes"]) EXPECT_EQ(of_class["support"], largest);
    EXPECT_EQ(Summary()["examples"], 3 * 4 * largest);
    EXPECT_EQ(Events("train").back()["epoch"], 3.0);
  }
}

TEST_F(SplitOptionsTest, MistakesOfTheseOptionsAreReportedTogetherWithASuggestion) {
  WriteJob(
      "data { train: \"toy-images-idx3-ubyte\" test { fraction: 2 } augment { flipp: true } }\n"
      "model { mlp {} classes: 4 }\n"
      "training { balance: OVERSAMPEL class_weights: [1, 2] }\n");
  const ProgramResult result = Train();
  EXPECT_EQ(result.exit_code, 2);
  for (const char* part : {"unknown field \"flipp\" in data.augment, did you mean \"flip\"?",
                           "for training.balance, did you mean OVERSAMPLE?",
                           "data.test.fraction must be in (0, 1), got 2",
                           "training.class_weights must be one for each of the 4 classes, got 2"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << "\n" << result.output;
  }
}

// ------------------------------------------------------------------------------ balance

// `examples` points of each class around (0, 0), (2, 0) and (0, 2), with a standard deviation of 1.
std::string Points(const std::vector<int>& examples, uint64_t seed) {
  const double centers[3][2] = {{0, 0}, {2, 0}, {0, 2}};
  std::string text;
  for (size_t c = 0; c < examples.size(); ++c) {
    const RandomStream noise(seed, "points", c);
    for (int i = 0; i < examples[c]; ++i) {
      absl::StrAppendFormat(&text, "%d 1:%.4f 2:%.4f\n", c, centers[c][0] + noise.Normal(2 * i),
                            centers[c][1] + noise.Normal(2 * i + 1));
    }
  }
  return text;
}

TEST_F(DataOptionsTest, WeightsAndOversamplingRaiseTheMacroRecallOfImbalancedData) {
  WriteFile(folder_ / "train.libsvm", Points({400, 20, 10}, 1));
  WriteFile(folder_ / "test.libsvm", Points({200, 200, 200}, 2));
  WriteJob(
      "data { train: \"train.libsvm\" cache_dir: \"cache\" test { path: \"test.libsvm\" } }\n"
      "model { softmax_regression {} }\n"
      "optimizer { adam {} learning_rate: 0.02 }\n"
      "training { epochs: 30 batch_size: 32 slices: 2 }\n");
  const auto recall = [&](const std::string& option) {
    const ProgramResult result = Train({"--set", option});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const double value = Summary()["test"]["macro_recall"];
    std::printf("%s: macro recall %.4f\n", option.c_str(), value);
    return value;
  };
  const double plain = recall("training.balance=NONE");
  // Two of three classes are rare: a model that never names them has a macro recall of 1/3. The
  // best linear border between centers at a distance of 2 leaves 16 % of each pair.
  EXPECT_LT(plain, 0.6);
  EXPECT_GT(recall("training.balance=WEIGHTS"), plain + 0.15);
  EXPECT_GT(recall("training.balance=OVERSAMPLE"), plain + 0.15);
  EXPECT_GT(recall("training.class_weights=0.36,7,14"), plain + 0.15);
}

TEST_F(DataOptionsTest, AugmentationOfPointsEndsTheJobAndSaysWhy) {
  WriteFile(folder_ / "train.libsvm", Points({20, 20}, 1));
  WriteJob(
      "data { train: \"train.libsvm\" cache_dir: \"cache\" augment { flip: true } }\n"
      "model { softmax_regression {} }\n");
  const ProgramResult result = Train();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("data.augment needs images, got sparse examples"), std::string::npos)
      << result.output;
}

}  // namespace
}  // namespace convoy::testing
