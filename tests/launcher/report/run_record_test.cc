#include "launcher/report/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kJob[] =
    "name: 'a' data { train: 'x' } model { mlp {} } training { mode: 'async' }\n";
constexpr char kSummary[] =
    R"({"epoch_examples": 100, "steps": 20, "examples": 200, "wall_seconds": 4, "examples_per_second": 50,
  "bytes_sent": 10, "bytes_received": 20, "dropped_gradients": 3, "staleness": {"min": 0, "mean": 1.5, "max": 4,
  "histogram": [{"from": 0, "to": 0, "count": 7}]}, "stopped_early": false, "processes": [{"role": "server", "rank": 0},
  {"role": "worker", "rank": 1, "trained_seconds": 4, "waited_seconds": 1, "delayed_seconds": 2, "compute_seconds": 0.5}]})";

class RunRecordTest : public ::testing::Test {
 protected:
  RunRecordTest() { Write("job.textproto", kJob); }
  void Write(const std::string& name, const std::string& text) { WriteFile(folder_ / name, text); }
  RunRecord Read() {
    absl::StatusOr<RunRecord> run = ReadRun(folder_.path());
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() ? *std::move(run) : RunRecord();
  }

  TemporaryFolder folder_;
};

TEST_F(RunRecordTest, ReadsWhatARunLeftBehind) {
  Write("summary.json", kSummary);
  Write("events.jsonl",
        "{\"time\":1,\"kind\":\"train\",\"generation\":1,\"step\":10,\"examples\":100,\"epoch\":1,"
        "\"loss\":0.5,\"examples_per_second\":9,\"own\":{\"mine\":3}}\n"
        "{\"time\":1.5,\"kind\":\"validation\",\"generation\":1,\"step\":10,\"examples\":100,"
        "\"epoch\":1,\"version\":10,\"loss\":null,\"accuracy\":0.8}\n"
        "{\"time\":2,\"kind\":\"checkpoint\",\"generation\":1,\"step\":10}\n");
  const RunRecord run = Read();
  EXPECT_TRUE(run.ended_well());
  EXPECT_EQ(run.mode(), "async");
  EXPECT_EQ(run.bytes, 30u);
  EXPECT_EQ(run.dropped, 3u);
  EXPECT_EQ(run.staleness_mean, 1.5);
  ASSERT_EQ(run.staleness.size(), 1u);
  EXPECT_EQ(run.staleness[0].count, 7u);
  ASSERT_EQ(run.workers.size(), 1u);
  EXPECT_EQ(run.workers[0].rank, 1u);
  EXPECT_EQ(run.workers[0].waited, 1);
  EXPECT_THAT(run.train.metrics(), ElementsAre("loss", "mine")) << "and no time, step or speed";
  EXPECT_EQ(run.validation.Last("accuracy"), 0.8);
  EXPECT_FALSE(run.validation.Last("loss")) << "not finite";
  EXPECT_EQ(run.damaged_lines, 0u);
}

TEST_F(RunRecordTest, DamagedLinesAreSkippedCountedAndTheFirstIsNamed) {
  Write("summary.json", kSummary);
  Write("events.jsonl",
        "{\"time\":1,\"kind\":\"train\",\"step\":10,\"examples\":100,\"loss\":0.5}\n"
        "{\"time\":1,\"kind\":\"tra\n"
        "\n"
        "[1]\n"
        "{\"time\":1}\n"
        "{\"time\":\"late\",\"kind\":\"train\",\"step\":20,\"examples\":200,\"loss\":0.5}\n"
        "{\"time\":2,\"kind\":\"train\",\"step\":20,\"examples\":200,\"loss\":0.4}\n"
        "{\"time\":3,\"kind\":\"tr");
  const RunRecord run = Read();
  EXPECT_EQ(run.damaged_lines, 4u)
      << "not the last one, which is being written, and not the empty one";
  EXPECT_EQ(run.first_damage, "line 2 is not a JSON object");
  EXPECT_EQ(run.train.points().size(), 2u);
}

TEST_F(RunRecordTest, AJobThatWentOnCountsItsTimeOnAndForgetsWhatDidNotHappen) {
  Write(
      "events.jsonl",
      "{\"time\":1,\"kind\":\"train\",\"generation\":1,\"step\":10,\"examples\":100,\"loss\":0.5}\n"
      "{\"time\":2,\"kind\":\"train\",\"generation\":1,\"step\":20,\"examples\":200,\"loss\":0.4}\n"
      "{\"time\":0,\"kind\":\"resume\",\"generation\":2,\"step\":10,\"examples\":100}\n"
      "{\"time\":1.5,\"kind\":\"train\",\"generation\":2,\"step\":20,\"examples\":200,\"loss\":0.3}"
      "\n");
  const RunRecord run = Read();
  ASSERT_EQ(run.train.points().size(), 2u);
  EXPECT_EQ(run.train.points()[1].seconds, 2.5);
  EXPECT_EQ(run.train.Last("loss"), 0.3);
}

TEST_F(RunRecordTest, ARestartSaysItselfHowLongTheRunTookSoFar) {
  Write(
      "events.jsonl",
      "{\"time\":1,\"kind\":\"train\",\"generation\":1,\"step\":10,\"examples\":100,\"loss\":0.5}\n"
      "{\"time\":0,\"kind\":\"restart\",\"generation\":2,\"step\":0,\"examples\":0,"
      "\"wall_seconds\":4}\n"
      "{\"time\":1.5,\"kind\":\"train\",\"generation\":2,\"step\":10,\"examples\":100,\"loss\":0.3}"
      "\n");
  const RunRecord run = Read();
  ASSERT_EQ(run.train.points().size(), 1u);
  EXPECT_EQ(run.train.points()[0].seconds, 5.5);
  EXPECT_EQ(run.train.Last("loss"), 0.3);
}

TEST_F(RunRecordTest, WhyARunIsNotWholeIsSaid) {
  Write("events.jsonl", "");
  EXPECT_THAT(Read().failure, HasSubstr("has no summary.json"));
  Write("summary.json", "{\"failure\": \"worker 1 was killed\", \"stopped_early\": false}");
  EXPECT_EQ(Read().failure, "worker 1 was killed");
  Write("summary.json", "{\"stopped_early\": true}");
  EXPECT_EQ(Read().failure, "it was stopped early");
  Write("summary.json", "{\"stopped");
  EXPECT_THAT(Read().failure, HasSubstr("damaged"));
}

TEST_F(RunRecordTest, NumbersOfTheWrongKindAreNone) {
  Write(
      "summary.json",
      R"({"steps": "many", "examples": -3, "bytes_sent": 1e300, "staleness": [], "processes": {"role": 1}})");
  const RunRecord run = Read();
  EXPECT_EQ(run.updates, 0u);
  EXPECT_EQ(run.examples, 0u);
  EXPECT_EQ(run.bytes, 0u);
  EXPECT_TRUE(run.workers.empty());
}

TEST_F(RunRecordTest, AFolderWithoutARunIsNotFound) {
  const absl::Status status = ReadRun(folder_ / "nothing").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("holds no run: there is no events.jsonl"));
  EXPECT_FALSE(ReadRun(folder_.path()).ok()) << "a job file alone is no run";
}

}  // namespace
}  // namespace convoy::testing
