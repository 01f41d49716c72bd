// P1 with embedding tables and real processes: whatever the number of servers and workers, `convoy
// train` in the modes sync and local_sgd ends with the bits of a plain loop over the same batches
// and slices, in the dense variables and in every row.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files/safetensors_reader.h"
#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/math/random.h"
#include "tests/integration/plain_table_loop.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kExamples = 203;

// Labels 0 and 1; ids up to 2^62, a third of which come once.
std::string LibffmText() {
  const RandomStream random(3, "libffm");
  std::string text;
  for (uint64_t i = 0; i < kExamples; ++i) {
    absl::StrAppend(&text, random.Below(100 * i, 2));
    for (uint64_t field = 0; field < 4; ++field) {
      const uint64_t id =
          random.Below(100 * i + field + 1, field == 0 ? 1000 : 20) * 4'611'686'018'427 + field;
      absl::StrAppend(&text, " ", field, ":", id, ":", field == 3 ? "0.5" : "1");
    }
    text += "\n";
  }
  return text;
}

// `weight`: the rule for the weights of the rows.
std::string JobText(const std::string& weight, const std::string& more = "") {
  return absl::StrCat(
      "seed: 5\n"
      "data { train: \"train.ffm\" cache_dir: \"cache\" validation { fraction: 0.1 } }\n"
      "model { deep_fm { factors: 5 hidden: 6 } }\n"
      "optimizer { adam {} learning_rate: 0.01 schedule { cosine {} }\n"
      "            override { match: \"rows/weight\" ",
      weight,
      " learning_rate: 0.1 }\n"
      "            override { match: \"rows/factors\" rowwise_adagrad {} } }\n"
      "training { epochs: 2 batch_size: 32 slices: 4 }\n",
      more);
}

class TableExactnessTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteFile(folder_ / "train.ffm", LibffmText()); }
  v1::Job Write(const std::string& text) {
    WriteFile(job_path_, text);
    return ResolveDefaults(*LoadJob(job_path_, {}));
  }
  // The model file.
  std::string Train(const std::string& mode, int servers, int workers,
                    const std::vector<std::string>& settings = {}) {
    const std::string run = folder_ / absl::StrCat("run-", ++runs_);
    std::vector<std::string> arguments = {CONVOY_BINARY,
                                          "train",
                                          job_path_,
                                          "--mode",
                                          mode,
                                          "--servers",
                                          std::to_string(servers),
                                          "--workers",
                                          std::to_string(workers),
                                          "--run-dir",
                                          run};
    for (const std::string& setting : settings)
      arguments.insert(arguments.end(), {"--set", setting});
    const ProgramResult result = RunProgram(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return run + "/model.safetensors";
  }
  static void ExpectBits(const std::string& path, const PlainModel& want) {
    const auto file = *SafetensorsReader::Open(path);
    for (size_t v = 0; v < want.names.size(); ++v) {
      const AlignedBuffer got = *file->Read(want.names[v]);
      EXPECT_EQ(std::vector<float>(got.span().begin(), got.span().end()), want.variables[v])
          << want.names[v];
    }
    const std::vector<uint64_t> ids = *file->ReadU64("rows/ids");
    const AlignedBuffer rows = *file->Read("rows/rows");
    ASSERT_EQ(ids.size(), want.rows.size());
    const size_t dim = rows.size() / ids.size();
    for (size_t i = 0; i < ids.size(); ++i) {
      ASSERT_TRUE(want.rows.contains(ids[i])) << ids[i];
      EXPECT_EQ(std::vector<float>(rows.data() + i * dim, rows.data() + (i + 1) * dim),
                want.rows.at(ids[i]))
          << ids[i];
    }
  }
  // Every cluster of 1 to 3 servers and 1 to 4 workers.
  void ExpectBitsOfAllClusters(const std::string& mode, const PlainModel& want) {
    ASSERT_GT(want.rows.size(), 150u);
    std::string first;
    for (int servers = 1; servers <= 3; ++servers) {
      for (int workers = 1; workers <= 4; ++workers) {
        SCOPED_TRACE(absl::StrCat(mode, ", ", servers, " servers, ", workers, " workers"));
        const std::string path = Train(mode, servers, workers);
        const std::string bytes = ReadFile(path);
        if (first.empty()) first = bytes;
        ASSERT_TRUE(bytes == first);
        ExpectBits(path, want);
      }
    }
  }

  TemporaryFolder folder_;
  const std::string job_path_ = folder_ / "job.textproto";
  int runs_ = 0;
};

TEST_F(TableExactnessTest, AnyNumberOfServersAndWorkersEndsWithTheBitsOfThePlainLoop) {
  const v1::Job job = Write(JobText("ftrl {} l1: 0.01"));
  ExpectBitsOfAllClusters("sync", TrainByGradients(job));
}

TEST_F(TableExactnessTest, LocalSgdDoesSoWithRowsThatWorkersStep) {
  const v1::Job job = Write(JobText("momentum {} l2: 0.01"));
  ExpectBitsOfAllClusters("local_sgd:3", TrainByAverages(job, 3));
}

TEST_F(TableExactnessTest, LocalSgdDoesSoWithFtrl) {
  const v1::Job job = Write(JobText("ftrl {} l2: 0.01"));
  const PlainModel want = TrainByAverages(job, 3);
  for (const auto& [servers, workers] : {std::pair{1, 1}, {2, 3}}) {
    ExpectBits(Train("local_sgd:3", servers, workers), want);
  }
}

TEST_F(TableExactnessTest, AnyNumberOfThreadsOfAWorkerEndsWithThoseBitsToo) {
  const v1::Job gradients = Write(JobText("ftrl {} l1: 0.01"));
  const PlainModel want = TrainByGradients(gradients);
  for (const auto& [workers, threads] : {std::pair{1, 2}, {1, 3}, {1, 4}, {2, 2}, {3, 2}}) {
    SCOPED_TRACE(absl::StrCat(workers, " workers of ", threads, " threads"));
    ExpectBits(Train("sync", 2, workers, {absl::StrCat("cluster.threads_per_worker=", threads)}),
               want);
  }
  for (const char* const threads : {"2", "3"}) {
    ExpectBits(Train("single", 1, 1, {absl::StrCat("cluster.threads_per_worker=", threads)}), want);
  }
  const v1::Job averages = Write(JobText("momentum {} l2: 0.01"));
  const PlainModel averaged = TrainByAverages(averages, 3);
  for (const auto& [workers, threads] : {std::pair{1, 4}, {1, 3}, {2, 2}}) {
    SCOPED_TRACE(absl::StrCat(workers, " workers of ", threads, " threads, local_sgd"));
    ExpectBits(
        Train("local_sgd:3", 2, workers, {absl::StrCat("cluster.threads_per_worker=", threads)}),
        averaged);
  }
}

TEST_F(TableExactnessTest, ThreadsDoNotChangeRulesForRowsClippingAndFrozenColumns) {
  Write(JobText("ftrl {} l1: 0.01",
                "table { admit_after: 3 max_rows: 1024 when_full: EVICT_OLDEST }"));
  for (const std::vector<std::string>& settings :
       {std::vector<std::string>{"optimizer.clip_norm=0.05", "training.nan_policy=SKIP"},
        {"optimizer.freeze=rows/factors"}}) {
    std::vector<std::string> threads = settings;
    threads.push_back("cluster.threads_per_worker=2");
    const std::string one = ReadFile(Train("sync", 2, 1, settings));
    EXPECT_TRUE(ReadFile(Train("sync", 1, 2, threads)) == one);
    EXPECT_TRUE(ReadFile(Train("single", 1, 1, threads)) == one);
  }
}

TEST_F(TableExactnessTest, RowRulesOfLocalSgdDoNotDependOnServersAndWorkers) {
  Write(JobText("adagrad {}", "table { admit_after: 3 max_rows: 1024 when_full: EVICT_OLDEST }"));
  const std::string first = Train("local_sgd:2", 1, 1);
  EXPECT_LT((*SafetensorsReader::Open(first))->Find("rows/ids")->shape[0], 150u);
  for (const auto& [servers, workers] : {std::pair{2, 1}, {1, 3}, {3, 4}}) {
    EXPECT_TRUE(ReadFile(Train("local_sgd:2", servers, workers)) == ReadFile(first))
        << servers << " servers, " << workers << " workers";
  }
}

TEST_F(TableExactnessTest, SingleEndsWithTheBitsOfSyncAlsoWithRulesForRows) {
  for (const std::string rule :
       {"", "admit_after: 3 expire_after: 5", "max_rows: 1024 when_full: EVICT_OLDEST"}) {
    Write(JobText("ftrl {} l1: 0.01", absl::StrCat("table { ", rule, " }")));
    for (const char* const slices : {"training.slices=1", "training.slices=4"}) {
      SCOPED_TRACE(absl::StrCat(rule, ", ", slices));
      EXPECT_TRUE(ReadFile(Train("single", 1, 1, {slices})) ==
                  ReadFile(Train("sync", 1, 1, {slices})));
    }
  }
  Write(JobText("ftrl {} l1: 0.01"));
  const std::string clip = "optimizer.clip_norm=0.05", skip = "training.nan_policy=SKIP";
  EXPECT_TRUE(ReadFile(Train("single", 1, 1, {clip, skip})) ==
              ReadFile(Train("sync", 2, 2, {clip, skip})));
}

}  // namespace
}  // namespace convoy::testing
