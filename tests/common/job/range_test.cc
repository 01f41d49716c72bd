#include "common/job/range.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/number_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/job.pb.h"

namespace convoy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ::testing::UnorderedElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const FieldDescriptor& FieldOf(const Descriptor* type, const char* name) {
  return *type->FindFieldByName(name);
}

// Numeric fields without a range, in all messages of the schema.
std::vector<std::string> Unlimited() {
  std::vector<std::string> names;
  const google::protobuf::FileDescriptor* file = v1::Job::descriptor()->file();
  for (int i = 0; i < file->message_type_count(); ++i) {
    const Descriptor* type = file->message_type(i);
    for (int j = 0; j < type->field_count(); ++j) {
      const FieldDescriptor& field = *type->field(j);
      const bool numeric = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
                           field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64 ||
                           field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
      if (numeric && FindRange(field) == nullptr)
        names.push_back(type->name() + "." + field.name());
    }
  }
  return names;
}

TEST(RangeTest, OpenBoundsDoNotBelongToTheRange) {
  const ValueRange momentum =
      *FindRange(FieldOf(v1::Momentum::descriptor(), "momentum"));  // [0, 1)
  EXPECT_TRUE(momentum.Contains(0));
  EXPECT_TRUE(momentum.Contains(0.999));
  EXPECT_FALSE(momentum.Contains(1));
  EXPECT_FALSE(momentum.Contains(-1e-9));
  const ValueRange factor = *FindRange(FieldOf(v1::StepDecay::descriptor(), "factor"));  // (0, 1]
  EXPECT_FALSE(factor.Contains(0));
  EXPECT_TRUE(factor.Contains(1));
}

TEST(RangeTest, NeitherNanNorInfinityIsInARangeWithoutEnd) {
  const ValueRange rate = *FindRange(FieldOf(v1::Optimizer::descriptor(), "learning_rate"));
  EXPECT_TRUE(rate.Contains(std::numeric_limits<double>::max()));
  EXPECT_FALSE(rate.Contains(kInfinity));
  EXPECT_FALSE(rate.Contains(std::nan("")));
  EXPECT_FALSE(rate.Contains(0));
}

TEST(RangeTest, TextSaysWhichBoundsBelongToIt) {
  EXPECT_EQ(FindRange(FieldOf(v1::Optimizer::descriptor(), "learning_rate"))->ToString(), "> 0");
  EXPECT_EQ(FindRange(FieldOf(v1::Training::descriptor(), "epochs"))->ToString(), ">= 1");
  EXPECT_EQ(FindRange(FieldOf(v1::Adam::descriptor(), "beta1"))->ToString(), "in [0, 1)");
  EXPECT_EQ(FindRange(FieldOf(v1::Validation::descriptor(), "fraction"))->ToString(), "in (0, 1)");
  EXPECT_EQ(FindRange(FieldOf(v1::StepDecay::descriptor(), "factor"))->ToString(), "in (0, 1]");
  EXPECT_EQ(FindRange(FieldOf(v1::Cluster::descriptor(), "servers"))->ToString(), "from 1 to 64");
}

TEST(RangeTest, OnlyFieldsThatMayHaveAnyValueHaveNoRange) {
  EXPECT_THAT(Unlimited(),
              UnorderedElementsAre(
                  "Checkpoint.every_steps", "Checkpoint.keep_every_steps", "Job.seed", "Data.scale",
                  "Data.keep_classes", "Data.max_bad_lines", "OldData.keep_classes",
                  "Csv.max_bad_lines", "MatrixFactorization.mean", "Schedule.warmup_examples",
                  "TableRule.expire_after", "TableRule.expire_after_seconds", "TableRule.max_rows",
                  "Training.max_steps", "Training.validate_every_epochs"));
}

TEST(NumberTextTest, IsTheShortestTextOfTheNumber) {
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(-1), "-1");
  EXPECT_EQ(NumberText(4294967295.0), "4294967295");
  EXPECT_EQ(NumberText(1e-8), "1e-08");
  EXPECT_EQ(NumberText(std::nan("")), "nan");
  EXPECT_EQ(NumberText(-kInfinity), "-inf");
}

}  // namespace
}  // namespace convoy
