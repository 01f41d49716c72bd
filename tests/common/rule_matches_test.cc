#include "common/rule_matches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "google/protobuf/text_format.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::Status CheckRules(const std::string& text) {
  const std::vector<VariableSpec> variables = {{"layer1/weight", {2}, {}},
                                               {"head/weight", {2}, {}}};
  const std::vector<TableSpec> tables = {{"rows", {{"weight", 1, {}}, {"factors", 4, {}}}},
                                         {"wide", {{"weight", 1, {}}}}};
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &job)) << text;
  return CheckRuleMatches(job, variables, tables);
}

TEST(RuleMatchesTest, WholeNamesOfVariablesColumnRangesAndTablesCount) {
  const absl::Status status = CheckRules(
      "optimizer { freeze: 'wide/.*' override { match: 'rows/factors' l2: 1 } "
      "override { match: '.*/weight' l2: 1 } } table { match: 'ro.*' } table {}");
  EXPECT_TRUE(status.ok()) << status;
}

TEST(RuleMatchesTest, OneThatMatchesNothingIsAnErrorThatListsWhatThereIs) {
  const auto error = [](const std::string& text) {
    const absl::Status status = CheckRules(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    return std::string(status.message());
  };
  constexpr char kParts[] =
      "matches no variable or column range; there are: layer1/weight, head/weight, rows/weight, "
      "rows/factors, wide/weight";
  EXPECT_THAT(error("optimizer { freeze: 'layer' }"),
              AllOf(HasSubstr("optimizer.freeze: \"layer\" "), HasSubstr(kParts)));
  EXPECT_THAT(error("optimizer { override { match: 'row/weight' l2: 1 } }"),
              AllOf(HasSubstr("optimizer.override.match: \"row/weight\" "), HasSubstr(kParts)));
  EXPECT_THAT(error("table { match: 'row' max_mb: 9 }"),
              HasSubstr("table.match: \"row\" matches no table; there are: rows, wide"));
}

}  // namespace
}  // namespace convoy
