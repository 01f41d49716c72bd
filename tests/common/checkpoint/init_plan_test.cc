#include "common/checkpoint/init_plan.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/init_report.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/common/checkpoint/memory_archive.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Item = v1::InitPlan::Item;

v1::Job InitJob(const std::string& text) {
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &job)) << text;
  return job;
}

MemoryArchive SmallArchive() {
  MemoryArchive archive;
  archive.Add(WeightArchive::Variable{"layer1/weight", {4, 3}, {"m", "v"}});
  archive.Add(WeightArchive::Variable{"layer1/bias", {3}, {"m", "v"}});
  archive.Add(WeightArchive::Variable{"head/weight", {3, 10}, {"m", "v"}});
  return archive;
}

std::vector<VariableSpec> SmallModel(int64_t classes = 10) {
  return {{"layer1/weight", {4, 3}, Initializer::Zeros()},
          {"layer1/bias", {3}, Initializer::Zeros()},
          {"head/weight", {3, classes}, Initializer::Zeros()}};
}

v1::InitPlan PlanOf(const WeightArchive& archive, const std::string& job,
                    const std::vector<VariableSpec>& variables,
                    const std::vector<TableSpec>& tables = {}) {
  const absl::StatusOr<v1::InitPlan> plan = PlanInit(archive, InitJob(job), variables, tables);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : v1::InitPlan();
}

std::string PlanErrorOf(const WeightArchive& archive, const std::string& job,
                        const std::vector<VariableSpec>& variables,
                        const std::vector<TableSpec>& tables = {}) {
  const absl::Status status = PlanInit(archive, InitJob(job), variables, tables).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(InitPlanTest, EqualModelsAreLoadedWithTheSlotsOfTheSameOptimizer) {
  const v1::InitPlan plan = PlanOf(SmallArchive(), "optimizer { adam {} }", SmallModel());
  ASSERT_EQ(plan.variables_size(), 3);
  for (const Item& item : plan.variables()) {
    EXPECT_EQ(item.action(), v1::InitPlan::LOADED);
    EXPECT_EQ(item.from(), item.name());
    EXPECT_THAT(item.slots(), ElementsAre("m", "v"));
    EXPECT_FALSE(item.slots_new());
    EXPECT_FALSE(item.frozen());
  }
  EXPECT_THAT(plan.unused(), IsEmpty());
}

TEST(InitPlanTest, SlotsAreFoundByNameWhateverTheirOrder) {
  MemoryArchive archive;
  archive.Add(WeightArchive::Variable{"w", {2}, {"v", "m"}});
  const std::vector<VariableSpec> model = {{"w", {2}, Initializer::Zeros()}};
  EXPECT_THAT(PlanOf(archive, "optimizer { adam {} }", model).variables(0).slots(),
              ElementsAre("m", "v"));
}

// Momentum's "v" is a mean of gradients, Adam's one of their squares.
TEST(InitPlanTest, SlotsOfAnotherOptimizerAreNotLoadedThoughANameIsTheSame) {
  const v1::InitPlan plan = PlanOf(SmallArchive(), "optimizer { momentum {} }", SmallModel());
  EXPECT_THAT(plan.variables(0).slots(), IsEmpty());
  EXPECT_TRUE(plan.variables(0).slots_new());
}

TEST(InitPlanTest, ResetOptimizerLeavesSlotsOut) {
  const v1::InitPlan plan = PlanOf(
      SmallArchive(), "optimizer { adam {} } init { reset_optimizer: 'head/.*' }", SmallModel());
  EXPECT_THAT(plan.variables(1).slots(), ElementsAre("m", "v"));
  EXPECT_EQ(plan.variables(2).action(), v1::InitPlan::LOADED);
  EXPECT_THAT(plan.variables(2).slots(), IsEmpty());
  EXPECT_TRUE(plan.variables(2).slots_new());
}

// Anchors are the weights that are loaded now, not those of the training before.
TEST(InitPlanTest, AnchorsAreNoSlotsToTakeOver) {
  MemoryArchive archive;
  archive.Add(WeightArchive::Variable{"layer1/weight", {4, 3}, {"m", "v", "anchor"}});
  archive.Add(WeightArchive::Variable{"layer1/bias", {3}, {"m", "v"}});
  archive.Add(WeightArchive::Variable{"head/weight", {3, 10}, {"m", "v"}});
  for (const char* anchor : {"", "anchor: 0.5"}) {
    const v1::InitPlan plan =
        PlanOf(archive, absl::StrCat("optimizer { adam {} freeze: 'layer1/bias' ", anchor, " }"),
               SmallModel());
    for (const Item& item : plan.variables()) {
      EXPECT_THAT(item.slots(), ElementsAre("m", "v"));
      EXPECT_FALSE(item.slots_new());
      EXPECT_EQ(item.anchored(), *anchor != 0 && !item.frozen());
    }
    const std::vector<std::string> report = InitReport(plan);
    EXPECT_EQ(report[1].find("anchored") != std::string::npos, *anchor != 0) << report[1];
  }
}

TEST(InitPlanTest, AnAnchorThatHoldsNothingIsRefused) {
  const std::string frozen = "optimizer { anchor: 0.5 freeze: '.*' }";
  const std::string replaced = "optimizer { anchor: 0.5 } init { replace: '.*' }";
  for (const std::string& job : {frozen, replaced}) {
    EXPECT_THAT(PlanErrorOf(SmallArchive(), job, SmallModel()),
                AllOf(HasSubstr("optimizer.anchor: got 0.5"), HasSubstr("archive")));
  }
}

TEST(InitPlanTest, ServersWithoutOptimizerTakeNoSlots) {
  const v1::InitPlan plan =
      PlanOf(SmallArchive(), "optimizer { adam {} anchor: 1 } training { mode: 'local_sgd:4' }",
             SmallModel());
  EXPECT_THAT(plan.variables(0).slots(), IsEmpty());
  EXPECT_TRUE(plan.variables(0).slots_new());
  EXPECT_TRUE(plan.variables(0).anchored()) << "workers need them from the servers";
}

TEST(InitPlanTest, OtherShapeWithoutInstructionIsAnErrorThatProposesThem) {
  EXPECT_THAT(PlanErrorOf(SmallArchive(), "", SmallModel(12)),
              AllOf(HasSubstr("archive does not fit the model"),
                    HasSubstr("head/weight: has 3 x 10 there and 3 x 12 here"),
                    HasSubstr("--widen 'head/weight'"), HasSubstr("--replace 'head/weight'"),
                    Not(HasSubstr("layer1/bias: "))));
  EXPECT_THAT(PlanErrorOf(SmallArchive(), "", SmallModel(8)),
              AllOf(HasSubstr("--replace 'head/weight'"), Not(HasSubstr("--widen"))));
}

TEST(InitPlanTest, WidenKeepsWhatThereIs) {
  const v1::InitPlan plan =
      PlanOf(SmallArchive(), "optimizer { adam {} } init { widen: 'head/.*' }", SmallModel(12));
  const Item& head = plan.variables(2);
  EXPECT_EQ(head.action(), v1::InitPlan::WIDENED);
  EXPECT_THAT(head.shape(), ElementsAre(3, 12));
  EXPECT_THAT(head.from_shape(), ElementsAre(3, 10));
  EXPECT_THAT(head.slots(), ElementsAre("m", "v"));
}

TEST(InitPlanTest, WidenMakesNothingSmaller) {
  EXPECT_THAT(PlanErrorOf(SmallArchive(), "init { widen: 'head/.*' }", SmallModel(8)),
              HasSubstr("head/weight: has 3 x 10 there and 3 x 8 here"));
}

TEST(InitPlanTest, TransposedWeightsAreSaidToBe) {
  MemoryArchive archive;
  archive.Add(WeightArchive::Variable{"w", {3, 5}, {}});
  EXPECT_THAT(PlanErrorOf(archive, "", {{"w", {5, 3}, Initializer::Zeros()}}),
              HasSubstr("transposed: Convoy's weights are [inputs, outputs]"));
}

TEST(InitPlanTest, ReplaceBeginsAnewWithAnyShape) {
  const v1::InitPlan plan =
      PlanOf(SmallArchive(), "init { replace: 'head/.*' widen: 'head/.*' }", SmallModel(2));
  EXPECT_EQ(plan.variables(2).action(), v1::InitPlan::NEW);
  EXPECT_EQ(plan.variables(2).from(), "");
  EXPECT_THAT(plan.unused(), ElementsAre("head/weight"));
}

TEST(InitPlanTest, WhatIsNotThereNeedsAnInstruction) {
  std::vector<VariableSpec> model = SmallModel();
  model.push_back({"extra", {1}, Initializer::Zeros()});
  EXPECT_THAT(PlanErrorOf(SmallArchive(), "", model),
              AllOf(HasSubstr("extra: is not there"), HasSubstr("--map 'NAME=extra'"),
                    HasSubstr("--replace 'extra'"),
                    HasSubstr("There are: layer1/weight, layer1/bias, head/weight")));
  EXPECT_EQ(PlanOf(SmallArchive(), "init { replace: 'extra' }", model).variables(3).action(),
            v1::InitPlan::NEW);
}

TEST(InitPlanTest, NamesAreMappedWithGroups) {
  MemoryArchive archive;
  archive.Add(WeightArchive::Variable{"old/weight", {4, 3}, {}});
  archive.Add(WeightArchive::Variable{"old/bias", {3}, {}});
  archive.Add(WeightArchive::Variable{"rest", {7}, {}});
  const std::vector<VariableSpec> model = {{"layer1/weight", {4, 3}, Initializer::Zeros()},
                                           {"layer1/bias", {3}, Initializer::Zeros()}};
  const v1::InitPlan plan = PlanOf(archive, "init { map: 'old/(.*)=layer1/\\\\1' }", model);
  EXPECT_EQ(plan.variables(0).action(), v1::InitPlan::MAPPED);
  EXPECT_EQ(plan.variables(0).from(), "old/weight");
  EXPECT_EQ(plan.variables(1).from(), "old/bias");
  EXPECT_THAT(plan.unused(), ElementsAre("rest"));
}

TEST(InitPlanTest, MappedNameCountsMoreThanOwnName) {
  MemoryArchive archive;
  archive.Add(WeightArchive::Variable{"a", {1}, {}});
  archive.Add(WeightArchive::Variable{"b", {1}, {}});
  const v1::InitPlan plan =
      PlanOf(archive, "init { map: 'b=a' }", {{"a", {1}, Initializer::Zeros()}});
  EXPECT_EQ(plan.variables(0).from(), "b");
  EXPECT_THAT(plan.unused(), ElementsAre("a"));
}

TEST(InitPlanTest, WrongMapsAreErrors) {
  const auto error = [](const char* map) {
    return PlanErrorOf(SmallArchive(), std::string("init { map: '") + map + "' }", SmallModel());
  };
  EXPECT_THAT(error("nothing=head/weight"),
              AllOf(HasSubstr("\"nothing\" matches no name in init.from"),
                    HasSubstr("layer1/weight, layer1/bias, head/weight")));
  EXPECT_THAT(error("layer1/.*=both"), HasSubstr("become \"both\""));
  EXPECT_THAT(error("head/weight=tail"), HasSubstr("\"tail\", which the model has not"));
  EXPECT_THAT(error("head"), HasSubstr("one side is missing"));
  EXPECT_THAT(error("(=head"), HasSubstr("missing )"));
  EXPECT_THAT(error("head=\\\\3"), HasSubstr("init.map"));
}

TEST(InitPlanTest, ExpressionsThatMatchNothingAreErrorsThatListWhatThereIs) {
  for (const char* field : {"replace", "widen", "reset_optimizer"}) {
    EXPECT_THAT(
        PlanErrorOf(SmallArchive(), std::string("init { ") + field + ": 'heed/.*' }", SmallModel()),
        AllOf(HasSubstr(std::string("init.") + field),
              HasSubstr("\"heed/.*\" matches no variable or table"),
              HasSubstr("layer1/weight, layer1/bias, head/weight")));
  }
}

TEST(InitPlanTest, FrozenVariablesKeepTheirSlotsForLater) {
  const v1::InitPlan plan =
      PlanOf(SmallArchive(), "optimizer { adam {} freeze: 'layer1/.*' }", SmallModel());
  EXPECT_TRUE(plan.variables(0).frozen());
  EXPECT_THAT(plan.variables(0).slots(), ElementsAre("m", "v"));
  EXPECT_FALSE(plan.variables(2).frozen());
}

// -------------------------------------------------------------------------------- tables

MemoryArchive TableArchive() {
  MemoryArchive archive;
  archive.Add(WeightArchive::Table{
      "rows", 5, {{"weight", 1}, {"factors", 4}}, {{"weight/a", 1}, {"factors/a", 4}}, 1000});
  return archive;
}

TableSpec RowsTable(uint32_t factors) {
  return {"rows",
          {{"weight", 1, Initializer::Zeros()}, {"factors", factors, Initializer::Zeros()}}};
}

TEST(InitPlanTest, TablesAreLoadedWithTheirSlots) {
  const v1::InitPlan plan = PlanOf(TableArchive(), "optimizer { adagrad {} }", {}, {RowsTable(4)});
  EXPECT_EQ(plan.tables(0).action(), v1::InitPlan::LOADED);
  EXPECT_EQ(plan.tables(0).rows(), 1000u);
  EXPECT_THAT(plan.tables(0).slots(), ElementsAre("weight/a", "factors/a"));
}

TEST(InitPlanTest, SlotsOfColumnRangesAreChosenRangeByRange) {
  const v1::InitPlan plan =
      PlanOf(TableArchive(), "optimizer { adagrad {} override { match: 'rows/weight' ftrl {} } }",
             {}, {RowsTable(4)});
  EXPECT_THAT(plan.tables(0).slots(), ElementsAre("factors/a"));
  EXPECT_TRUE(plan.tables(0).slots_new());
}

// Both call their slot "a", but one has a value for each column and the other one for all of them.
TEST(InitPlanTest, AdagradIsNotTakenForRowwiseAdagrad) {
  const v1::InitPlan plan =
      PlanOf(TableArchive(), "optimizer { rowwise_adagrad {} }", {}, {RowsTable(4)});
  EXPECT_THAT(plan.tables(0).slots(), ElementsAre("weight/a"));  // of one column: the same
}

TEST(InitPlanTest, MoreColumnsNeedAnInstruction) {
  EXPECT_THAT(PlanErrorOf(TableArchive(), "", {}, {RowsTable(6)}),
              AllOf(HasSubstr("rows: has the columns [weight 1, factors 4] there and [weight 1, "
                              "factors 6] here"),
                    HasSubstr("--widen 'rows'")));
  EXPECT_EQ(PlanOf(TableArchive(), "init { widen: 'rows' }", {}, {RowsTable(6)}).tables(0).action(),
            v1::InitPlan::WIDENED);
  EXPECT_THAT(PlanErrorOf(TableArchive(), "init { widen: 'rows' }", {}, {RowsTable(3)}),
              Not(HasSubstr("--widen")));
}

// Of one column both kinds are the same. Wider, rowwise_adagrad still has one value for all
// columns; adagrad gets one for each that is new.
TEST(InitPlanTest, ARangeOfOneColumnThatIsWidenedKeepsItsSlotOfEitherKind) {
  MemoryArchive archive;
  archive.Add(WeightArchive::Table{
      "rows", 2, {{"weight", 1}, {"factors", 1}}, {{"weight/a", 1}, {"factors/a", 1}}, 1000});
  for (const char* const rule : {"rowwise_adagrad", "adagrad"}) {
    const v1::InitPlan plan =
        PlanOf(archive, absl::StrCat("optimizer { ", rule, " {} } init { widen: 'rows' }"), {},
               {RowsTable(4)});
    ASSERT_EQ(plan.tables_size(), 1) << rule;
    EXPECT_EQ(plan.tables(0).action(), v1::InitPlan::WIDENED) << rule;
    EXPECT_THAT(plan.tables(0).slots(), ElementsAre("weight/a", "factors/a")) << rule;
    EXPECT_FALSE(plan.tables(0).slots_new()) << rule;
  }
}

TEST(InitPlanTest, VariableIsNoTable) {
  EXPECT_THAT(PlanErrorOf(TableArchive(), "", {{"rows", {5}, Initializer::Zeros()}}),
              HasSubstr("rows: is not there"));
}

// -------------------------------------------------------------------------------- for people

TEST(InitReportTest, SaysOfEveryVariableWhatBecomesOfIt) {
  MemoryArchive archive = SmallArchive();
  archive.Add(WeightArchive::Variable{"old", {2}, {}});
  v1::InitPlan plan = PlanOf(
      archive,
      "optimizer { adam {} freeze: 'layer1/.*' } init { widen: 'head/.*' replace: 'layer1/bias' }",
      SmallModel(12));
  plan.set_path("runs/a/checkpoints/step-00000800");
  EXPECT_THAT(InitReport(plan),
              ElementsAre("begins with runs/a/checkpoints/step-00000800",
                          "  layer1/weight  loaded   4 x 3             slots m, v; frozen",
                          "  layer1/bias    new      3                 frozen",
                          "  head/weight    widened  3 x 10 -> 3 x 12  slots m, v",
                          "  not used: layer1/bias, old"));
}

}  // namespace
}  // namespace convoy
