#include "launcher/dashboard/samples.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

RunView At(double seconds) {
  RunView view;
  view.seconds = seconds;
  view.workers.emplace_back().host = "somewhere";
  return view;
}

TEST(SamplesTest, OfALongJobTheyGetSparserAndStaySpreadOverAllOfIt) {
  Samples samples(/*most=*/8);
  for (int i = 0; i < 100; ++i) {
    samples.Add(At(i));
    ASSERT_LT(samples.all().size(), 8u);
  }
  EXPECT_EQ(samples.thinned(), 4u) << "every 16th is left";
  for (size_t i = 0; i < samples.all().size(); ++i)
    EXPECT_EQ(samples.all()[i].seconds, 16.0 * static_cast<double>(i));
}

TEST(SamplesTest, KeepNumbersAndNoTexts) {
  Samples samples;
  samples.Add(At(1));
  EXPECT_EQ(samples.all()[0].workers[0].host, "");
}

}  // namespace
}  // namespace convoy
