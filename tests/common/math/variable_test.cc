#include "common/math/variable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/math/random.h"

namespace convoy {
namespace {

using testing::Each;
using testing::HasSubstr;

std::vector<float> Values(const VariableSpec& spec, uint64_t seed) {
  std::vector<float> values(static_cast<size_t>(spec.size()));
  InitializeValues(spec, seed, 0, values);
  return values;
}

v1::Variable Valid() {
  return ToProto({"layer1/weight", {3, 4}, Initializer::GlorotUniform(3, 4)});
}

std::string ErrorOf(const v1::Variable& proto) {
  VariableSpec spec;
  spec.name = "before";
  const absl::Status status = FromProto(proto, &spec);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(spec.name, "before");
  return std::string(status.message());
}

TEST(InitializerTest, ScalesFollowTheirPapers) {
  EXPECT_FLOAT_EQ(Initializer::GlorotUniform(4, 2).scale, 1.0f);  // sqrt(6 / 6)
  EXPECT_FLOAT_EQ(Initializer::HeNormal(8).scale, 0.5f);          // sqrt(2 / 8)
  EXPECT_TRUE(std::isfinite(Initializer::GlorotUniform(0, 0).scale));
  EXPECT_TRUE(std::isfinite(Initializer::HeNormal(0).scale));
}

TEST(InitializeValuesTest, ZerosAndConstantsAreThat) {
  EXPECT_THAT(Values({"b", {5}, Initializer::Zeros()}, 1), Each(0.0f));
  EXPECT_THAT(Values({"b", {5}, Initializer::Constant(2.5f)}, 1), Each(2.5f));
}

TEST(InitializeValuesTest, UniformStaysWithinTheScaleAndUsesAllOfIt) {
  const auto values = Values({"w", {100, 100}, {Initializer::Kind::kUniform, 0.5f}}, 1);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_GE(*low, -0.5f);
  EXPECT_LE(*high, 0.5f);
  EXPECT_LT(*low, -0.499f);  // 10,000 values: missed with probability e^-10
  EXPECT_GT(*high, 0.499f);
}

TEST(InitializeValuesTest, NormalHasTheScaleAsDeviation) {
  double squares = 0;
  for (const double value : Values({"w", {100, 100}, {Initializer::Kind::kNormal, 0.1f}}, 1)) {
    squares += value * value;
  }
  EXPECT_NEAR(std::sqrt(squares / 1e4), 0.1, 0.0035);  // 5 deviations of 0.1 / sqrt(20,000)
}

TEST(InitializeValuesTest, ValuesDependOnSeedAndName) {
  const Initializer normal = Initializer::HeNormal(2);
  const auto values = Values({"w", {8}, normal}, 1);
  EXPECT_EQ(values, Values({"w", {2, 4}, normal}, 1));
  EXPECT_NE(values, Values({"w", {8}, normal}, 2));
  EXPECT_NE(values, Values({"v", {8}, normal}, 1));
}

TEST(InitializeValuesTest, ValuesDoNotDependOnHowTheRangeIsCut) {
  const RandomStream random(1, "cuts");
  for (const auto kind : {Initializer::Kind::kUniform, Initializer::Kind::kNormal}) {
    const VariableSpec spec{"w", {1009}, {kind, 0.3f}};
    const auto whole = Values(spec, 4);
    std::vector<float> pieces(whole.size());
    for (size_t begin = 0, i = 0; begin < pieces.size(); ++i) {
      const size_t size = std::min<size_t>(random.Below(i, 14), pieces.size() - begin);
      InitializeValues(spec, 4, static_cast<int64_t>(begin), {pieces.data() + begin, size});
      begin += size;
    }
    EXPECT_EQ(pieces, whole);
  }
}

TEST(VariableSpecTest, SizeAndRowsComeFromTheShape) {
  EXPECT_EQ((VariableSpec{"w", {3, 4, 5}, {}}.size()), 60);
  EXPECT_EQ((VariableSpec{"w", {3, 4, 5}, {}}.rows()), 3);
  EXPECT_EQ((VariableSpec{"scalar", {}, {}}.size()), 1);
  EXPECT_EQ((VariableSpec{"scalar", {}, {}}.rows()), 1);
}

TEST(VariableProtoTest, RoundTripKeepsEverything) {
  for (const Initializer initializer :
       {Initializer::Zeros(), Initializer::Constant(-3), Initializer::HeNormal(7),
        Initializer::GlorotUniform(1, 2)}) {
    VariableSpec spec;
    ASSERT_TRUE(FromProto(ToProto({"a/b", {2, 3}, initializer}), &spec).ok());
    EXPECT_EQ(spec.name, "a/b");
    EXPECT_THAT(spec.shape, testing::ElementsAre(2, 3));
    EXPECT_EQ(spec.initializer.kind, initializer.kind);
    EXPECT_EQ(spec.initializer.scale, initializer.scale);
  }
}

TEST(VariableProtoTest, EmptyNameIsRefused) {
  v1::Variable proto = Valid();
  proto.clear_name();
  EXPECT_THAT(ErrorOf(proto), HasSubstr("empty name"));
}

TEST(VariableProtoTest, SizeOfZeroIsRefusedAndTheVariableNamed) {
  v1::Variable proto = Valid();
  proto.set_shape(1, 0);
  EXPECT_THAT(ErrorOf(proto), HasSubstr("variable \"layer1/weight\": got a size of 0"));
}

TEST(VariableProtoTest, HugeShapesAreRefusedWithoutOverflow) {
  v1::Variable proto = Valid();
  proto.set_shape(0, uint64_t{1} << 63);
  EXPECT_THAT(ErrorOf(proto), HasSubstr("more than 2^40 elements"));
  proto.set_shape(0, uint64_t{1} << 20);
  proto.set_shape(1, (uint64_t{1} << 20) + 1);
  EXPECT_THAT(ErrorOf(proto), HasSubstr("more than 2^40 elements"));
  proto.set_shape(1, uint64_t{1} << 20);  // exactly 2^40
  VariableSpec spec;
  EXPECT_TRUE(FromProto(proto, &spec).ok());
}

TEST(VariableProtoTest, UnknownInitializerIsRefused) {
  v1::Variable proto = Valid();
  proto.set_initializer(static_cast<v1::Variable::Initializer>(99));
  EXPECT_THAT(ErrorOf(proto), HasSubstr("unknown initializer 99"));
}

TEST(VariableProtoTest, ScaleMustBeFiniteAndAWidthNotNegative) {
  v1::Variable proto = Valid();
  proto.set_scale(NAN);
  EXPECT_THAT(ErrorOf(proto), HasSubstr("scale nan"));
  proto.set_scale(-1);
  EXPECT_THAT(ErrorOf(proto), HasSubstr("scale -1, want a finite number >= 0"));
}

}  // namespace
}  // namespace convoy
