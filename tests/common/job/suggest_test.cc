#include "common/job/suggest.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace convoy {
namespace {

TEST(EditDistanceTest, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("rate", "rate"), 0u);
  EXPECT_EQ(EditDistance("rat", "rate"), 1u);
  EXPECT_EQ(EditDistance("rates", "rate"), 1u);
  EXPECT_EQ(EditDistance("rata", "rate"), 1u);
  EXPECT_EQ(EditDistance("raet", "rate"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
}

TEST(EditDistanceTest, UpperAndLowerCaseAreTheSame) { EXPECT_EQ(EditDistance("relu", "RELU"), 0u); }

TEST(NearestTest, IsTheCandidateWithTheFewestEdits) {
  const std::vector<std::string> candidates = {"adagrad", "adam", "adamw"};
  EXPECT_EQ(Nearest("adan", candidates), "adam");
  EXPECT_EQ(Nearest("adamv", candidates), "adam");  // one edit to both: the first
  EXPECT_EQ(Nearest("adgrad", candidates), "adagrad");
}

TEST(NearestTest, IsEmptyIfMoreThanAThirdOfTheLettersDiffer) {
  const std::vector<std::string> candidates = {"mlp", "custom"};
  EXPECT_EQ(Nearest("transformer", candidates), "");
  EXPECT_EQ(Nearest("costem", candidates), "custom");  // 2 of 6
  EXPECT_EQ(Nearest("costen", candidates), "");        // 3 of 6
  EXPECT_EQ(Nearest("", candidates), "");
}

TEST(DidYouMeanTest, IsTheEndOfASentenceOrNothing) {
  const std::vector<std::string> candidates = {"sync", "async"};
  EXPECT_EQ(DidYouMean("asynch", candidates), ", did you mean \"async\"?");
  EXPECT_EQ(DidYouMean("other", candidates), "");
}

}  // namespace
}  // namespace convoy
