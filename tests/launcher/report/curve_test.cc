#include "launcher/report/curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace convoy {
namespace {

// Two metrics over `n` points, with one spike each.
Curve WithSpikes(size_t n, size_t spike, size_t dip) {
  Curve curve;
  const size_t loss = curve.FindOrAdd("loss"), accuracy = curve.FindOrAdd("accuracy");
  for (size_t i = 0; i < n; ++i) {
    CurvePoint point = {
        static_cast<double>(i), static_cast<double>(10 * i), static_cast<double>(i), {0, 0}};
    point.values[loss] = i == spike ? 100 : std::sin(static_cast<double>(i));
    point.values[accuracy] = i == dip ? -100 : std::cos(static_cast<double>(i));
    curve.Add(point);
  }
  return curve;
}

TEST(CurveTest, ThinnedKeepsEveryExtremeTheEndsAndTheOrder) {
  const Curve curve = WithSpikes(10000, 3333, 7777), thin = curve.Thinned(400);
  EXPECT_LE(thin.points().size(), 402u);  // and the first and the last
  EXPECT_GE(thin.points().size(), 300u);
  EXPECT_EQ(thin.points().front().seconds, 0);
  EXPECT_EQ(thin.points().back().seconds, 9999);
  double largest = 0, smallest = 0;
  for (const CurvePoint& point : thin.points()) {
    largest = std::max(largest, point.values[0]);
    smallest = std::min(smallest, point.values[1]);
  }
  EXPECT_EQ(largest, 100);
  EXPECT_EQ(smallest, -100);
  EXPECT_TRUE(std::ranges::is_sorted(thin.points(), {}, &CurvePoint::seconds));
}

TEST(CurveTest, AFewPointsAllStay) {
  EXPECT_EQ(WithSpikes(50, 3, 4).Thinned(400).points().size(), 50u);
}

TEST(CurveTest, ThinningAnEmptyCurveOrOneWithoutNumbersIsNoProblem) {
  EXPECT_TRUE(Curve().Thinned(10).empty());
  Curve curve;
  curve.FindOrAdd("loss");
  for (int i = 0; i < 100; ++i) curve.Add({1.0 * i, 1.0 * i, 1.0 * i, {std::nan("")}});
  EXPECT_EQ(curve.Thinned(10).points().size(), 2u);
}

TEST(CurveTest, LastIsNothingIfItIsNotFinite) {
  Curve curve;
  EXPECT_FALSE(curve.Last("loss"));
  curve.FindOrAdd("loss");
  curve.Add({1, 1, 1, {0.5}});
  EXPECT_EQ(curve.Last("loss"), 0.5);
  curve.Add({2, 2, 2, {std::nan("")}});
  EXPECT_FALSE(curve.Last("loss"));
  EXPECT_FALSE(curve.Last("accuracy"));
}

TEST(CurveTest, WhatDidNotHappenIsRemoved) {
  Curve curve = WithSpikes(10, 0, 0);
  curve.RemoveAfter(4);
  EXPECT_EQ(curve.points().size(), 5u);
}

}  // namespace
}  // namespace convoy
