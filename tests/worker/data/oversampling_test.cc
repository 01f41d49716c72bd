#include "worker/data/oversampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace convoy {
namespace {

using ::testing::ElementsAre;

// Five examples of class 0, two of class 2, none of class 1: an epoch has 2 classes x 5 places.
const std::vector<uint32_t> kClasses = {0, 0, 0, 0, 0, 2, 2};

struct Epoch {
  std::vector<uint32_t> examples;
  std::vector<uint64_t> visits;
  bool operator==(const Epoch&) const = default;
};

Epoch VisitPlaces(OversampledOrder& order, uint64_t epoch, std::vector<uint32_t> places) {
  Epoch result;
  order.Visit(epoch, places, &result.visits);
  result.examples = std::move(places);
  return result;
}

Epoch VisitAll(OversampledOrder& order, uint64_t epoch, size_t size) {
  std::vector<uint32_t> places(size);
  std::iota(places.begin(), places.end(), 0);
  return VisitPlaces(order, epoch, places);
}

TEST(OversamplingTest, AnEpochHasTheLargestClassForEveryClassThatOccurs) {
  EXPECT_EQ(Oversampling(kClasses).size(), 10u);
  EXPECT_EQ(Oversampling(std::vector<uint32_t>{3, 3, 3}).size(), 3u);
  EXPECT_EQ(Oversampling(std::vector<uint32_t>{0, 1, 2}).size(), 3u);
}

TEST(OversamplingTest, WithoutShufflingClassesTakeTurnsInTheOrderOfTheFile) {
  const Oversampling classes(kClasses);
  OversampledOrder order(&classes, 1, false);
  const Epoch epoch = VisitAll(order, 4, 10);
  EXPECT_THAT(epoch.examples, ElementsAre(0, 5, 1, 6, 2, 5, 3, 6, 4, 5));
  // The k-th repeat is k * 7 + example.
  EXPECT_THAT(epoch.visits, ElementsAre(0, 5, 1, 6, 2, 12, 3, 13, 4, 19));
}

TEST(OversamplingTest, EveryClassIsVisitedEquallyOftenAndItsExamplesWithinOne) {
  // 1 + 7 + 40 examples.
  std::vector<uint32_t> labels(48, 2);
  labels[20] = 0;
  for (int i = 0; i < 7; ++i) labels[6 * i + 1] = 1;
  const Oversampling classes(labels);
  ASSERT_EQ(classes.size(), 120u);
  OversampledOrder order(&classes, 1, true);
  const Epoch epoch = VisitAll(order, 0, 120);
  std::vector<int> of_class(3), of_example(48);
  for (const uint32_t example : epoch.examples) {
    ++of_class[labels[example]];
    ++of_example[example];
  }
  EXPECT_THAT(of_class, ElementsAre(40, 40, 40));
  for (size_t i = 0; i < labels.size(); ++i) {
    // 40 visits of 1, 7 (5 or 6 each) or 40 examples.
    const int least = labels[i] == 0 ? 40 : labels[i] == 1 ? 5 : 1;
    EXPECT_GE(of_example[i], least);
    EXPECT_LE(of_example[i], labels[i] == 1 ? 6 : least);
  }
  EXPECT_EQ(std::set<uint64_t>(epoch.visits.begin(), epoch.visits.end()).size(), 120u);
}

TEST(OversamplingTest, TheOrderIsAFunctionOfSeedAndEpochAlone) {
  const Oversampling classes(kClasses);
  OversampledOrder one(&classes, 1, true), two(&classes, 1, true), other_seed(&classes, 2, true);
  const Epoch first = VisitAll(one, 3, 10);
  // Another process asks for other places and epochs before.
  VisitPlaces(two, 9, {4, 1});
  EXPECT_EQ(VisitPlaces(two, 3, {7}).visits[0], first.visits[7]);
  EXPECT_EQ(VisitAll(two, 3, 10), first);
  EXPECT_NE(VisitAll(two, 4, 10), first);
  EXPECT_NE(VisitAll(other_seed, 3, 10), first);
}

}  // namespace
}  // namespace convoy
