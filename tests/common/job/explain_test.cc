#include "common/job/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace convoy {
namespace {

using ::testing::HasSubstr;

std::string Text(const std::string& path) {
  const absl::StatusOr<std::string> text = Explain(JobSchema(), path);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

std::string Error(const std::string& path) {
  return std::string(Explain(JobSchema(), path).status().message());
}

TEST(ExplainTest, AFieldIsExplainedWithItsCommentRangeAndDefault) {
  EXPECT_EQ(Text("optimizer.learning_rate"),
            "optimizer.learning_rate: a number > 0, default 0.01\n\n"
            "  Step size at the start (before the schedule). FTRL calls it alpha.\n");
  EXPECT_THAT(Text("cluster.servers"), HasSubstr("a whole number from 1 to 64, default 1"));
  EXPECT_THAT(Text("data.shuffle"), HasSubstr("true or false, default true"));
  EXPECT_THAT(Text("training.mode"), HasSubstr("text, default \"sync\""));
}

TEST(ExplainTest, AGroupIsExplainedWithItsFields) {
  const std::string text = Text("optimizer.adam");
  EXPECT_THAT(text,
              HasSubstr("optimizer.adam: a group\n  one of sgd, momentum, nesterov, adagrad"));
  EXPECT_THAT(text, HasSubstr("\n  Adam, bias-corrected.\n"));
  EXPECT_THAT(text, HasSubstr("\n  beta2: a number in [0, 1), default 0.999\n"));
}

TEST(ExplainTest, LinesOfACommentKeepTheirIndentation) {
  EXPECT_THAT(Text("training.mode"), HasSubstr("\n    async   every gradient is applied"));
}

TEST(ExplainTest, ValuesOfAnEnumerationAreExplained) {
  const std::string text = Text("model.mlp.activation");
  EXPECT_THAT(text, HasSubstr("one of RELU, TANH, GELU, default RELU"));
  EXPECT_THAT(text, HasSubstr("  TANH\n    Hyperbolic tangent.\n"));
}

TEST(ExplainTest, ListsAndMapsSaySo) {
  EXPECT_THAT(Text("model.mlp.hidden"), HasSubstr("a list, each a whole number from 1 to 1048576"));
  EXPECT_THAT(Text("optimizer.override"), HasSubstr("any number of groups"));
  EXPECT_THAT(Text("optimizer.override[1].match"), HasSubstr("RE2 regular expression"));
  EXPECT_THAT(Text("model.custom.parameters"), HasSubstr("texts by name"));
}

TEST(ExplainTest, WithoutAPathTheTreeOfAllFieldsIsShown) {
  const std::string tree = Text("");
  EXPECT_THAT(tree, HasSubstr("\noptimizer {}\n"));
  EXPECT_THAT(tree,
              HasSubstr("\n    beta1                       a number in [0, 1), default 0.9\n"));
}

TEST(ExplainTest, EveryFieldOfTheJobIsInTheTreeAndHasAComment) {
  const JobSchema schema;
  const std::string tree = ExplainTree(schema);
  const auto walk = [&](const auto& self, const google::protobuf::Descriptor& group) -> void {
    for (int i = 0; i < group.field_count(); ++i) {
      const google::protobuf::FieldDescriptor& field = *group.field(i);
      EXPECT_THAT(tree, HasSubstr(field.name())) << field.full_name();
      EXPECT_NE(schema.Comment(field), "") << field.full_name();
      if (field.message_type() != nullptr && !field.is_map()) self(self, *field.message_type());
    }
  };
  walk(walk, schema.job());
}

TEST(ExplainTest, AnUnknownPathGetsASuggestion) {
  EXPECT_EQ(Error("optimiser.adam"),
            "unknown field \"optimiser\" in the job, did you mean \"optimizer\"?");
  EXPECT_THAT(Error("optimizer.adan"), HasSubstr("did you mean \"adam\"?"));
  EXPECT_THAT(Error("learning_rate"), HasSubstr("did you mean \"optimizer.learning_rate\"?"));
  EXPECT_THAT(Error("training.epochs.first"), HasSubstr("training.epochs has no fields"));
  EXPECT_THAT(Error("optimizer..adam"), HasSubstr("is no path of a field"));
  EXPECT_THAT(Error("model.custom.parameters.key"), HasSubstr("has no fields"));
}

// If this fails: convoy explain --markdown > docs/job_reference.md
TEST(JobReferenceTest, ThePageIsWhatTheSchemaSaysNow) {
  std::stringstream page;
  page << std::ifstream(CONVOY_JOB_REFERENCE).rdbuf();
  EXPECT_EQ(page.str(), JobReferenceMarkdown(JobSchema()))
      << "run: convoy explain --markdown > docs/job_reference.md";
}

TEST(JobReferenceTest, BarsAndLinesOfCommentsDoNotBreakTables) {
  const std::string page = JobReferenceMarkdown(JobSchema());
  EXPECT_THAT(page, HasSubstr("| a group |  | Several classes, P(y \\| x) = softmax(x W + b). |"));
  EXPECT_THAT(page, HasSubstr("Consistency mode:<br>sync    all slices"));
}

}  // namespace
}  // namespace convoy
