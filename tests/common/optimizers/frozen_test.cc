#include "common/optimizers/frozen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "google/protobuf/text_format.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;

v1::Optimizer OptimizerOf(const std::string& text) {
  v1::Optimizer optimizer;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &optimizer)) << text;
  return optimizer;
}

const std::vector<VariableSpec> kFreezable = {
    {"layer1/weight", {2}, {}}, {"layer1/bias", {2}, {}}, {"head/weight", {2}, {}}};
const std::vector<TableSpec> kFreezableTables = {{"rows", {{"weight", 1, {}}, {"factors", 4, {}}}},
                                                 {"wide", {{"weight", 1, {}}}}};

TEST(FrozenTest, WholeNamesAreMatchedAndRateZeroFreezesToo) {
  const auto frozen = FindFrozen(OptimizerOf("freeze: 'layer1/.*' freeze: 'head' "
                                             "override { match: 'wide/weight' learning_rate: 0 }"),
                                 kFreezable, kFreezableTables);
  ASSERT_TRUE(frozen.ok()) << frozen.status();
  EXPECT_THAT(frozen->variables, ElementsAre(true, true, false));
  EXPECT_THAT(frozen->tables, ElementsAre(false, true));
  EXPECT_TRUE(frozen->any());
  EXPECT_FALSE(frozen->all());
}

TEST(FrozenTest, NothingLearnsWhenAllIsFrozen) {
  const auto all = [](const std::string& text) {
    return FindFrozen(OptimizerOf(text), kFreezable, kFreezableTables)->all();
  };
  EXPECT_TRUE(all("freeze: '.*'"));
  EXPECT_FALSE(all("freeze: '.*/weight' freeze: '.*/bias'"));  // factors learn
  EXPECT_FALSE(all("freeze: '.*/weight' freeze: '.*/factors'"));
  EXPECT_FALSE(all(""));
  EXPECT_FALSE(FrozenParts().all());
}

TEST(FrozenTest, TableIsFrozenWhenAllOfItsRangesAre) {
  const auto one = FindFrozen(OptimizerOf("freeze: 'rows/factors'"), kFreezable, kFreezableTables);
  EXPECT_THAT(one->tables, ElementsAre(false, false));
  const auto all = FindFrozen(OptimizerOf("freeze: 'rows/.*'"), kFreezable, kFreezableTables);
  EXPECT_THAT(all->tables, ElementsAre(true, false));
}

TEST(FrozenTest, FreezeCountsMoreThanARateOfAnOverride) {
  const auto frozen =
      FindFrozen(OptimizerOf("freeze: 'layer1/bias' override { match: '.*' learning_rate: 1 }"),
                 kFreezable, {});
  EXPECT_THAT(frozen->variables, ElementsAre(false, true, false));
}

}  // namespace
}  // namespace convoy
