// What models with embedding tables reach on real data. Skipped where the data are not there.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/run_program.h"
#include "worker/data/byte_source.h"

namespace convoy::testing {
namespace {

using nlohmann::json;

const std::string kData = CONVOY_SHARED_DATA;
const std::string kExamples = std::string(CONVOY_SOURCE) + "/examples/";

json Train(const std::string& run, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {CONVOY_BINARY, "train"});
  arguments.insert(arguments.end(), {"--run-dir", run});
  const ProgramResult result = RunProgram(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.exit_code == 0 ? json::parse(ReadFile(run + "/summary.json"))["validation"]
                               : json();
}

std::vector<std::string> WithData(const std::string& job, const std::string& train,
                                  const std::string& test, const std::string& cache) {
  return {job,
          "--set",
          "data.train=" + train,
          "--set",
          "data.validation.path=" + test,
          "--set",
          "data.cache_dir=" + cache};
}

TEST(TableAccuracyTest, FtrlReachesLiblinearsAucOnA9a) {
  const std::string train = kData + "/a9a/a9a.libsvm.gz", test = kData + "/a9a/a9a.t.libsvm.gz";
  if (!std::filesystem::exists(train)) GTEST_SKIP() << train << " is absent";
  for (const char* mode : {"sync", "async"}) {
    TemporaryFolder folder;
    auto job = WithData(kExamples + "a9a/table.textproto", train, test, folder.path());
    job.insert(job.end(), {"--mode", mode});
    EXPECT_GE(Train(folder / "run", job)["auc"], 0.902) << mode;
  }
}

TEST(TableAccuracyTest, FtrlTellsAllMushroomsApart) {
  const std::string train = kData + "/agaricus/agaricus.train.libsvm.gz";
  if (!std::filesystem::exists(train)) GTEST_SKIP() << train << " is absent";
  for (const char* mode : {"sync", "async"}) {
    TemporaryFolder folder;
    auto job = WithData(kExamples + "a9a/table.textproto", train,
                        kData + "/agaricus/agaricus.test.libsvm.gz", folder.path());
    job.insert(job.end(), {"--mode", mode, "--learning-rate", "1", "--set", "data.features=127"});
    EXPECT_EQ(Train(folder / "run", job)["accuracy"], 1.0) << mode;
  }
}

std::string Gunzipped(const std::string& path) {
  const std::unique_ptr<ByteSource> source = Decompressed(*FileSource(path, nullptr), path);
  std::string text(8 << 20, '\0');
  text.resize(*source->Read(text));
  return text;
}

// Every tenth rating is held back.
void SplitRatings(const std::string& from, const TemporaryFolder& folder) {
  std::string parts[2];
  const std::string text = Gunzipped(from);
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (number == 0) absl::StrAppend(&parts[1], line, "\n");
    absl::StrAppend(&parts[number > 0 && number % 10 == 0], line, "\n");
    ++number;
  }
  WriteFile(folder / "train.csv", parts[0]);
  WriteFile(folder / "test.csv", parts[1]);
}

TEST(TableAccuracyTest, MatrixFactorizationPredictsRatings) {
  const std::string ratings = kData + "/ml-latest-small/ratings.csv.gz";
  if (!std::filesystem::exists(ratings)) GTEST_SKIP() << ratings << " is absent";
  for (const auto& [mode, batch] : {std::pair{"sync", "256"}, std::pair{"async", "512"}}) {
    TemporaryFolder folder;
    SplitRatings(ratings, folder);
    auto job = WithData(kExamples + "movielens/job.textproto", folder / "train.csv",
                        folder / "test.csv", folder.path());
    job.insert(job.end(), {"--mode", mode, "--batch-size", batch});
    EXPECT_LE(Train(folder / "run", job)["rmse"], 0.875) << mode;
  }
}

}  // namespace
}  // namespace convoy::testing
