// A table of one's own, from `convoy init` to predictions, and what is said when it is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tests/testing/run_program.h"
#include "worker/data/csv/csv_file.h"

namespace convoy::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Customers who buy if they are young or doctors, rarely else.
std::string Customers(int rows) {
  std::mt19937 random(5);
  std::string text = "id,age,job,income,buys\n";
  for (int i = 0; i < rows; ++i) {
    const int age = 20 + static_cast<int>(random() % 60);
    const char* job = (const char*[]){"doctor", "cook", "nurse"}[random() % 3];
    const bool buys = (age < 45 || job[0] == 'd') != (random() % 20 == 0);
    const std::string income = random() % 10 == 0 ? "" : absl::StrCat(1000 + random() % 5000);
    absl::StrAppend(&text, "c", i, ",", age, ",", job, ",", income, ",",
                    buys ? "\"yes, please\"" : "no", "\n");
  }
  return text;
}

class CsvCommandTest : public ::testing::Test {
 protected:
  ProgramResult Convoy(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), CONVOY_BINARY);
    return RunProgram(arguments);
  }

  // Writes a job with `convoy init` and adapts it to the test.
  std::string Init(const std::string& data, const std::string& label) const {
    const ProgramResult result = Convoy({"init", data, "--label", label});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const std::string job = folder_ / "job.textproto";
    WriteFile(job, result.output);
    return job;
  }

  ProgramResult Train(const std::string& job, const std::string& run,
                      std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {
        "train", job, "--run-dir", run, "--set", "data.cache_dir=" + (folder_ / "cache")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Convoy(arguments);
  }

  std::string Write(const std::string& name, const std::string& text) const {
    WriteFile(folder_ / name, text);
    return folder_ / name;
  }

  // The result of training on `text` with the settings `csv` of data.csv.
  ProgramResult TrainOn(const std::string& text, const std::string& csv,
                        const std::string& model) const {
    const std::string job = Write(
        "bad.textproto",
        absl::StrCat("data { train: \"bad.csv\" csv { ", csv, " } }\nmodel { ", model, " }\n"));
    Write("bad.csv", text);
    return Train(job, folder_ / absl::StrCat("run-", ++runs_));
  }

  const TemporaryFolder folder_;
  mutable int runs_ = 0;
};

TEST_F(CsvCommandTest, FromInitToPredictionsUnderTheNamesOfTheClasses) {
  const std::string job = Init(Write("customers.csv", Customers(2000)), "buys");
  const std::string run = folder_ / "run";
  ASSERT_THAT(ReadFile(job),
              AllOf(HasSubstr("logistic_regression"), HasSubstr("2 classes: no, yes, please")));
  const ProgramResult trained = Train(job, run);
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const json schema = json::parse(ReadFile(run + "/schema.json"));
  EXPECT_EQ(schema["label"]["class_name"], json({"no", "yes, please"}));
  EXPECT_EQ(schema["rows"], 2000);

  // The same rows with the columns in another order, and one more.
  std::string other = "buys,more,income,job,age,id\n";
  for (absl::string_view line : absl::StrSplit(ReadFile(folder_ / "customers.csv"), '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(',', 4));
    if (fields.size() < 5 || fields[0] == "id") continue;
    absl::StrAppend(&other, fields[4], ",x,", fields[3], ",", fields[2], ",", fields[1], ",",
                    fields[0], "\n");
  }
  const ProgramResult evaluated = Convoy({"evaluate", run, "--data", Write("other.csv", other)});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.output;
  const json metrics = json::parse(evaluated.output);
  EXPECT_GT(metrics["accuracy"], 0.8);
  EXPECT_EQ(metrics["classes"][1]["name"], "yes, please");

  const ProgramResult predicted =
      Convoy({"predict", run, "--data",
              Write("new.csv", "job,age,income,id\ndoctor,22,,a\ncook,79,3000,b\npilot,78,1,c\n")});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.output;
  const std::vector<std::string> lines = absl::StrSplit(predicted.output, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 4U) << predicted.output;
  EXPECT_EQ(lines[0], "example,prediction,probability_no,\"probability_yes, please\"");
  EXPECT_THAT(lines[1], HasSubstr("0,\"yes, please\",0."));
  EXPECT_THAT(lines[2], HasSubstr("1,no,0."));
  EXPECT_THAT(lines[3], HasSubstr("2,no,0."));
}

// One schema for all: any number of workers ends with the same weights.
TEST_F(CsvCommandTest, OneAndThreeWorkersLearnTheSameSchemaAndWeights) {
  const std::string job = Init(Write("customers.csv", Customers(300)), "buys");
  std::vector<std::string> models, schemas;
  for (const char* workers : {"1", "3"}) {
    const std::string run = folder_ / absl::StrCat("run", workers);
    const ProgramResult result =
        Train(job, run,
              {"--workers", workers, "--set", "training.slices=3", "--set", "training.epochs=2",
               "--set", absl::StrCat("data.cache_dir=", folder_ / absl::StrCat("cache", workers))});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    models.push_back(ReadFile(run + "/model.safetensors"));
    schemas.push_back(ReadFile(run + "/schema.json"));
  }
  EXPECT_EQ(models[0], models[1]);
  EXPECT_EQ(schemas[0], schemas[1]);
}

TEST_F(CsvCommandTest, ANumberIsPredictedByRegression) {
  std::mt19937 random(3);
  std::string text = "rooms\tarea\tprice\n";
  for (int i = 0; i < 1000; ++i) {
    const int rooms = 1 + static_cast<int>(random() % 6);
    const int area = 20 * rooms + static_cast<int>(random() % 40);
    absl::StrAppend(&text, rooms, "\t", area, "\t", 50'000 + 3000 * area + 10'000 * rooms, ".5\n");
  }
  const std::string job = Init(Write("houses.tsv", text), "price");
  ASSERT_THAT(ReadFile(job), AllOf(HasSubstr("linear_regression"), HasSubstr("format: TSV")));
  const std::string run = folder_ / "run";
  const ProgramResult trained = Train(job, run);
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  // Prices are an exact linear function of the columns.
  const json summary = json::parse(ReadFile(run + "/summary.json"));
  EXPECT_LT(summary["validation"]["rmse"], 1000);
  const ProgramResult predicted =
      Convoy({"predict", run, "--data", Write("new.tsv", "area\trooms\n100\t3\n")});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.output;
  const std::vector<std::string> row =
      absl::StrSplit(predicted.output, absl::ByAnyChar(",\n"), absl::SkipEmpty());
  EXPECT_NEAR(std::stod(row.back()), 380'000.5, 2000);
}

TEST_F(CsvCommandTest, InitWritesJobsForLibsvmAndIdxThatTrainAtOnce) {
  std::string libsvm;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&libsvm, i % 3, " ", 1 + i % 3, ":1\n");
  const ProgramResult result = Convoy({"init", Write("a.libsvm", libsvm)});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("format: LIBSVM"), HasSubstr("softmax_regression"),
                                   HasSubstr("3 classes")));
  const ProgramResult trained = Train(Write("libsvm.textproto", result.output), folder_ / "libsvm");
  EXPECT_EQ(trained.exit_code, 0) << trained.output;

  Write("x-images-idx3",
        std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02", 16) + "abcdefgh");
  Write("x-labels-idx1", std::string("\0\0\x08\x01\0\0\0\x02\x00\x01", 10));
  const ProgramResult idx = Convoy({"init", folder_ / "x-images-idx3"});
  ASSERT_EQ(idx.exit_code, 0) << idx.output;
  EXPECT_THAT(idx.output,
              AllOf(HasSubstr("format: IDX"), HasSubstr("mlp"), HasSubstr("2 classes")));
  const ProgramResult images = Train(Write("idx.textproto", idx.output), folder_ / "idx");
  EXPECT_EQ(images.exit_code, 0) << images.output;
}

TEST_F(CsvCommandTest, InitAsksForTheLabelAndSuggestsOne) {
  const std::string data = Write("a.csv", "age,income\n1,a\n2,b\n");
  const ProgramResult none = Convoy({"init", data});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("--label NAME. Its columns: age, income"));
  const ProgramResult wrong = Convoy({"init", data, "--label", "incom"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("did you mean \"income\"?"));
}

struct BadInput {
  const char* what;
  std::string text;
  std::string csv;
  std::string model;
  std::string message;
};

// A column of numbers that turns to text in row 900,000 (line 900,001).
std::string LateText() {
  std::string text = "x,y\n";
  for (int i = 1; i < 900'000; ++i) absl::StrAppend(&text, i % 100, i % 2 == 0 ? ",a\n" : ",b\n");
  return text + "unknown,a\n5,b\n";
}

TEST_F(CsvCommandTest, BadTrainingDataEndTheJobWithOneAndSayWhere) {
  const std::string logistic = "logistic_regression {}", label = "label: 'y'";
  const std::vector<BadInput> inputs = {
      {"ragged rows", "x,y\n1,a\n2,b,3\n", label, logistic,
       "bad.csv:3: expected 2 fields, as in the first line, got 3"},
      {"no such label", "x,target\n1,a\n2,b\n", "label: 'targt'", logistic,
       "did you mean \"target\"?"},
      {"late text", LateText(), label, logistic, "bad.csv:900001: column \"x\": expected a number"},
      {"more classes than declared", "x,y\n1,a\n2,b\n3,c\n", label,
       "softmax_regression {} classes: 2",
       "the training data have 3 classes (a, b, c), but model.classes is 2"},
      {"three classes for two", "x,y\n1,a\n2,b\n3,c\n", label, logistic,
       "logistic_regression has 2"},
      {"one class", "x,y\n1,a\n2,a\n", label, logistic, "all examples are of one class: a"},
      {"text for a regression", "x,y\n1,1\n2,two\n", label, "linear_regression {}",
       "bad.csv:3: column \"y\": expected a number"},
      {"no text", "x,y\n1,caf\xE9\n2,b\n", label, logistic,
       "bad.csv:2: byte 0xe9 is no UTF-8 text"},
      {"open quote", "x,y\n1,\"a\n2,b\n", label, logistic,
       "bad.csv:2: the quote that opens here is never closed"},
      {"empty file", "", label, logistic, "got an empty file"},
      {"no rows", "x,y\n", label, logistic, "there are no rows in it but the header"},
  };
  for (const BadInput& input : inputs) {
    const ProgramResult result = TrainOn(input.text, input.csv, input.model);
    EXPECT_EQ(result.exit_code, 1) << input.what << "\n" << result.output;
    EXPECT_THAT(result.output, HasSubstr(input.message)) << input.what;
  }
  const ProgramResult allowed = TrainOn(LateText(), "label: 'y' max_bad_lines: 1", logistic);
  EXPECT_EQ(allowed.exit_code, 0) << allowed.output;
}

TEST_F(CsvCommandTest, AFileThatCannotBeReadStartsNothing) {
  const std::string job = Write(
      "job.textproto",
      "data { train: \"absent.csv\" csv { label: \"y\" } }\nmodel { logistic_regression {} }\n");
  const ProgramResult result = Train(job, folder_ / "run");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("absent.csv"));
  EXPECT_EQ(Convoy({"init", folder_ / "absent.csv", "--label", "y"}).exit_code, 2);
}

TEST_F(CsvCommandTest, PredictSaysWhatTheSchemaAndTheFileDisagreeIn) {
  const std::string job = Init(Write("customers.csv", Customers(200)), "buys");
  const std::string run = folder_ / "run";
  ASSERT_EQ(Train(job, run, {"--set", "training.epochs=1"}).exit_code, 0);
  const auto predict = [&](const std::string& text) {
    return Convoy({"predict", run, "--data", Write("new.csv", text)});
  };
  const ProgramResult absent = predict("job,Age\ncook,1\n");
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_THAT(absent.output, AllOf(HasSubstr("\"age\", did you mean \"Age\"?"),
                                   HasSubstr("\"income\""), Not(HasSubstr("\"job\""))));
  const ProgramResult text = predict("id,age,job,income\na,old,cook,1\n");
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.output, HasSubstr("new.csv:2: column \"age\": expected a number"));
  const ProgramResult unlabelled =
      Convoy({"evaluate", run, "--data", Write("new.csv", "id,age,job,income\na,1,cook,1\n")});
  EXPECT_EQ(unlabelled.exit_code, 1);
  EXPECT_THAT(unlabelled.output, HasSubstr("no labels to compare with"));
  WriteFile(run + "/schema.json", "{\"version\": 9}");
  const ProgramResult damaged = predict("id,age,job,income\na,1,cook,1\n");
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.output, HasSubstr("schema.json: version: expected 1, got 9"));
}

// Every fifth row is for the test. A logistic regression without `duration` reached an AUC of
// 0.7734.
TEST_F(CsvCommandTest, BankMarketingReachesTheAucOfTheReference) {
  const std::string path =
      std::string(CONVOY_SHARED_DATA) + "/bank-marketing/bank-additional-full.csv.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  const std::unique_ptr<ByteSource> source = *OpenText(path, nullptr);
  std::string text(32 << 20, '\0');
  text.resize(*source->Read(text));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  std::string train = lines[0] + "\n", test = train;
  for (size_t i = 1; i < lines.size(); ++i)
    absl::StrAppend((i - 1) % 5 == 4 ? &test : &train, lines[i], "\n");

  const std::string job = Init(Write("train.csv", train), "y");
  const std::string run = folder_ / "run";
  const ProgramResult trained =
      Train(job, run,
            {"--set", "data.csv.column+={name: \"duration\" type: IGNORE}", "--set",
             "data.validation.path=" + Write("test.csv", test)});
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const ProgramResult evaluated = Convoy({"evaluate", run, "--data", folder_ / "test.csv"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.output;
  const json metrics = json::parse(evaluated.output);
  std::printf("AUC %.4f, loss %.4f\n", metrics["auc"].get<double>(), metrics["loss"].get<double>());
  EXPECT_GE(metrics["auc"], 0.77);
}

}  // namespace
}  // namespace convoy::testing
