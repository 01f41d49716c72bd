#include "common/checkpoint/init_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/init_plan.h"
#include "common/checkpoint/init_source.h"
#include "common/files/safetensors_writer.h"
#include "common/optimizers/anchored.h"
#include "google/protobuf/text_format.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kOptimizer[] =
    "optimizer { adam {} override { match: 't/bias' ftrl {} } "
    "            override { match: 't/factors' rowwise_adagrad {} } }";

// A model that the sample checkpoint may begin, with `columns` columns in "w" and `factors` in "t".
struct SampleModel {
  std::vector<VariableSpec> variables;
  std::vector<TableSpec> tables;
  v1::Job job;

  explicit SampleModel(const std::string& init, int64_t columns = 3, uint32_t factors = 2,
                       const std::string& optimizer = kOptimizer) {
    variables = {{"w", {2, columns}, Initializer::Constant(-1)}, {"b", {1}, Initializer::Zeros()}};
    tables = {
        {"t",
         {{"bias", 1, Initializer::Zeros()}, {"factors", factors, Initializer::Constant(-2)}}}};
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        optimizer + (" init { " + init) + " }", &job));
  }
};

class InitValuesTest : public ::testing::Test {
 protected:
  std::unique_ptr<InitValues> Open(const SampleModel& model, const std::string& path) {
    const auto archive = OpenArchive(path);
    EXPECT_TRUE(archive.ok()) << archive.status();
    auto plan = PlanInit(**archive, model.job, model.variables, model.tables);
    EXPECT_TRUE(plan.ok()) << plan.status();
    plan->set_path(path);
    auto values = InitValues::Open(*std::move(plan));
    EXPECT_TRUE(values.ok()) << values.status();
    return *std::move(values);
  }
  std::unique_ptr<InitValues> OpenSample(const SampleModel& model) {
    SampleCheckpoint().Write(folder_.File("checkpoint"));
    return Open(model, folder_.File("checkpoint"));
  }
  static std::vector<float> Loaded(const InitValues& values, const std::string& slot = "") {
    std::vector<float> all(8, -1.0f);
    const absl::Status status =
        slot.empty() ? values.Load(0, 0, all) : values.LoadSlot(0, slot, 0, all);
    EXPECT_TRUE(status.ok()) << status;
    return all;
  }

  ScratchFolder folder_;
};

TEST_F(InitValuesTest, AnyPieceOfAVariableIsThatOfTheCheckpoint) {
  const auto values = OpenSample(SampleModel(""));
  std::vector<float> piece(3);
  ASSERT_TRUE(values->Load(0, 2, piece).ok());  // over the end of the first block
  EXPECT_THAT(piece, ElementsAre(2, 3, 4));
  ASSERT_TRUE(values->LoadSlot(0, "v", 2, piece).ok());
  EXPECT_THAT(piece, ElementsAre(22, 23, 24));
  const auto checkpoint = CheckpointReader::Open(folder_.File("checkpoint"));
  for (const uint64_t begin : {uint64_t{0}, uint64_t{4}}) {
    const uint64_t updates = (*checkpoint)->FindBlock(0, begin)->cell->updates;
    EXPECT_GT(updates, 0u);
    EXPECT_EQ(values->Updates(0, begin, 2), updates);
  }
}

TEST_F(InitValuesTest, WidenedVariablesKeepTheirFirstPart) {
  const auto values = OpenSample(SampleModel("widen: 'w'", 4));
  EXPECT_THAT(Loaded(*values), ElementsAre(0, 1, 2, -1, 3, 4, 5, -1));
  EXPECT_THAT(Loaded(*values, "m"), ElementsAre(10, 11, 12, -1, 13, 14, 15, -1));
}

TEST_F(InitValuesTest, ReplacedVariablesAndResetSlotsAreLeftAlone) {
  const auto replaced = OpenSample(SampleModel("replace: 'w'", 4));
  EXPECT_THAT(Loaded(*replaced), Each(-1.0f));
  EXPECT_EQ(replaced->Updates(0, 0, 8), 0u);
  const auto reset = OpenSample(SampleModel("reset_optimizer: 'w' widen: 'w'", 4));
  EXPECT_THAT(Loaded(*reset, "m"), Each(-1.0f));
  EXPECT_EQ(reset->Updates(0, 0, 8), 0u);
  EXPECT_EQ(Loaded(*reset)[0], 0.0f);
}

TEST_F(InitValuesTest, RowsComeWithTheirSlotsAndUpdatesButNoSteps) {
  const SampleModel model("");
  const auto values = OpenSample(model);
  const auto updater = RowUpdater::Create(model.job.optimizer(), model.tables[0]);
  ASSERT_TRUE(updater.ok()) << updater.status();
  std::map<uint64_t, std::vector<float>> seen;
  const absl::Status status =
      values->ReadRows(0, model.tables[0], *updater, 1, [&](const InitRows& rows) {
        for (size_t i = 0; i < rows.ids.size(); ++i) {
          std::vector<float>& row = seen[rows.ids[i]];
          row.assign(rows.weights.begin() + 3 * i, rows.weights.begin() + 3 * i + 3);
          row.insert(row.end(), rows.slots.begin() + 3 * i, rows.slots.begin() + 3 * i + 3);
          EXPECT_EQ(rows.counters[2 * i], 0u);
          EXPECT_EQ(rows.counters[2 * i + 1], 3u);
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(seen.size(), 5u);
  EXPECT_THAT(seen[1000], ElementsAre(1000, 1000.25f, 1000.5f, -1000, -1000.25f, -1000.5f));
}

TEST_F(InitValuesTest, RowsOfWidenedTablesKeepTheirFirstColumnsOfEachRange) {
  const SampleModel model("widen: 't'", 3, 4);
  const auto values = OpenSample(model);
  const auto updater = RowUpdater::Create(model.job.optimizer(), model.tables[0]);
  ASSERT_TRUE(updater.ok());
  const absl::Status status =
      values->ReadRows(0, model.tables[0], *updater, 1, [&](const InitRows& rows) {
        for (size_t i = 0; i < rows.ids.size(); ++i) {
          const auto id = static_cast<float>(rows.ids[i]);
          EXPECT_THAT(
              std::vector<float>(rows.weights.begin() + 5 * i, rows.weights.begin() + 5 * i + 5),
              ElementsAre(id, id + 0.25f, id + 0.5f, -2, -2));
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
}

// The second column of "factors" as a range of its own, which makes the first one a range of one
// column with a row-wise slot.
TEST_F(InitValuesTest, ARangeOfOneColumnThatIsWidenedGoesOnWithItsRowwiseSlot) {
  SampleCheckpoint checkpoint;
  checkpoint.manifest.tables[0].ranges = {{"bias", 1}, {"factors", 1}, {"more", 1}};
  checkpoint.Write(folder_.File("checkpoint"));
  SampleModel model("widen: 't'");
  model.tables[0].ranges = {{"bias", 1, Initializer::Zeros()},
                            {"factors", 4, Initializer::Constant(-2)},
                            {"more", 1, Initializer::Zeros()}};
  const auto values = Open(model, folder_.File("checkpoint"));
  const auto updater = RowUpdater::Create(model.job.optimizer(), model.tables[0]);
  ASSERT_TRUE(updater.ok()) << updater.status();
  ASSERT_EQ(updater->slot_floats(), 2u + 1 + 2);  // ftrl's, rowwise_adagrad's, adam's
  size_t seen = 0;
  const absl::Status status =
      values->ReadRows(0, model.tables[0], *updater, 1, [&](const InitRows& rows) {
        for (size_t i = 0; i < rows.ids.size(); ++i, ++seen) {
          const auto id = static_cast<float>(rows.ids[i]);
          const float* const weights = rows.weights.data() + 6 * i;
          EXPECT_THAT(std::vector<float>(weights, weights + 6),
                      ElementsAre(id, id + 0.25f, -2, -2, -2, id + 0.5f));
          const float* const slots = rows.slots.data() + 5 * i;
          EXPECT_THAT(std::vector<float>(slots, slots + 5),
                      ElementsAre(-id, -id - 0.25f, -id - 0.5f, 0, 0));
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen, 5u);
}

TEST_F(InitValuesTest, AnchorsAreTheLoadedWeightsAndNewValuesHaveNone) {
  const std::string anchored =
      "optimizer { adam {} anchor: 0.5 override { match: 't/bias' ftrl {} anchor: 0 } "
      "            override { match: 't/factors' rowwise_adagrad {} } }";
  const SampleModel model("widen: 'w' widen: 't'", 4, 4, anchored);
  const auto values = OpenSample(model);
  std::vector<float> anchors(8, kNotAnchored);
  ASSERT_TRUE(values->LoadSlot(0, "anchor", 0, anchors).ok());
  EXPECT_THAT(anchors, ElementsAre(0, 1, 2, 0, 3, 4, 5, 0));
  for (const size_t i : {0, 3, 7}) {
    EXPECT_EQ(std::signbit(anchors[i]), i != 0) << i;  // a loaded 0 is one, -0 is none
  }
  // Other slots are loaded as without anchors.
  EXPECT_THAT(Loaded(*values, "m"), ElementsAre(10, 11, 12, -1, 13, 14, 15, -1));
  const auto updater = RowUpdater::Create(model.job.optimizer(), model.tables[0]);
  ASSERT_TRUE(updater.ok()) << updater.status();
  ASSERT_EQ(updater->slot_floats(), 2u + 1 + 4);  // ftrl's, rowwise_adagrad's, anchors
  const absl::Status status =
      values->ReadRows(0, model.tables[0], *updater, 1, [&](const InitRows& rows) {
        for (size_t i = 0; i < rows.ids.size(); ++i) {
          const auto id = static_cast<float>(rows.ids[i]);
          const float* const row = rows.slots.data() + 7 * i;
          EXPECT_THAT(std::vector<float>(row, row + 7),
                      ElementsAre(-id, -id - 0.25f, -id - 0.5f, id + 0.25f, id + 0.5f, 0, 0));
          EXPECT_TRUE(std::signbit(row[5]) && std::signbit(row[6]));
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(InitValuesTest, WeightsThatAreNotFiniteAreRefused) {
  const std::string path = folder_.File("diverged.safetensors");
  auto writer = SafetensorsWriter::Create(path, {{"w", {2, 3}}, {"b", {1}}}, {});
  ASSERT_TRUE(writer.ok());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE((*writer)->Write("w", 0, std::vector<float>{1, 2, nan, 4, 5, 6}).ok());
  ASSERT_TRUE((*writer)->Write("b", 0, std::vector<float>{1}).ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  SampleModel model("");
  model.tables.clear();
  const auto values = Open(model, path);
  std::vector<float> out(3);
  const absl::Status status = values->Load(0, 0, out);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("\"w\""), HasSubstr("not finite")));
}

TEST_F(InitValuesTest, ArchiveThatIsAnotherOneThanPlannedIsRefused) {
  SampleCheckpoint().Write(folder_.File("checkpoint"));
  const SampleModel model("");
  const auto archive = OpenArchive(folder_.File("checkpoint"));
  ASSERT_TRUE(archive.ok());
  auto plan = PlanInit(**archive, model.job, model.variables, model.tables);
  ASSERT_TRUE(plan.ok());
  plan->set_path(folder_.File("checkpoint"));
  plan->mutable_variables(0)->set_from_shape(1, 7);
  EXPECT_EQ(InitValues::Open(*plan).status().code(), absl::StatusCode::kFailedPrecondition);
}

// -------------------------------------------------------------------------------- sources

TEST(InitSourceTest, RunDirectoryIsItsNewestCheckpointOrItsFinalWeights) {
  ScratchFolder folder;
  const std::string run = folder.path();
  EXPECT_EQ(FindInitSource(run).status().code(), absl::StatusCode::kNotFound);
  folder.Write("model.safetensors", "x");
  auto source = FindInitSource(run);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->path, folder.File("model.safetensors"));
  EXPECT_THAT(source->note, HasSubstr("has no checkpoint"));
  for (const uint64_t step : {uint64_t{800}, uint64_t{1200}}) {
    const std::string checkpoint =
        run + "/checkpoints/step-0000" + std::to_string(10000 + step).substr(1);
    SampleCheckpoint(SampleOptions{.step = step}).Write(checkpoint);
  }
  source = FindInitSource(run);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->step, 1200u);
  EXPECT_EQ(source->run, run);
  EXPECT_EQ(source->note, "");
  source = FindInitSource(run + "@800");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->path, run + "/checkpoints/step-00000800");
  source = FindInitSource(run + "/checkpoints/step-00000800");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->step, 800u);
}

TEST(InitSourceTest, WhatIsNotThereIsSaidToBeSo) {
  ScratchFolder folder;
  SampleCheckpoint(SampleOptions{.step = 800}).Write(folder.File("checkpoints/step-00000800"));
  EXPECT_THAT(std::string(FindInitSource(folder.path() + "@7").status().message()),
              AllOf(HasSubstr("no checkpoint of step 7"), HasSubstr("800")));
  EXPECT_THAT(std::string(FindInitSource(folder.File("nothing")).status().message()),
              HasSubstr("no such run directory"));
}

}  // namespace
}  // namespace convoy
