#include "launcher/coordinator/balance.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;

TEST(BalanceTest, ServersThatCarryAboutTheSameAreNotMentioned) {
  EXPECT_EQ(DescribeImbalance({100 * kMegabyte, 110 * kMegabyte, 90 * kMegabyte}), "");
  EXPECT_EQ(DescribeImbalance({150 * kMegabyte, 50 * kMegabyte}), "") << "1.5 times its share";
  EXPECT_EQ(DescribeImbalance({100 * kMegabyte}), "");
  EXPECT_EQ(DescribeImbalance({}), "");
}

TEST(BalanceTest, TheServerThatCarriesMuchMoreThanItsShareIsNamed) {
  EXPECT_EQ(DescribeImbalance({10 * kMegabyte, 80 * kMegabyte, 10 * kMegabyte}),
            "server 1 carries 80 % of the servers' traffic, 2.4 times its share of 3 servers");
  EXPECT_EQ(DescribeImbalance({0, 100 * kMegabyte}),
            "server 1 carries 100 % of the servers' traffic, 2.0 times its share of 2 servers");
}

TEST(BalanceTest, LittleTrafficSaysNothing) { EXPECT_EQ(DescribeImbalance({0, 1000}), ""); }

}  // namespace
}  // namespace convoy
