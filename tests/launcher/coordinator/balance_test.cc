#include "launcher/coordinator/balance.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace convoy {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;

// Half of the bytes each way.
std::vector<v1::ServerStats> Servers(const std::vector<uint64_t>& bytes) {
  std::vector<v1::ServerStats> servers;
  for (const uint64_t count : bytes) {
    v1::ServerStats& server = servers.emplace_back();
    server.set_bytes_received(count / 2);
    server.set_bytes_sent(count - count / 2);
  }
  return servers;
}

TEST(BalanceTest, ServersThatCarryAboutTheSameAreNotMentioned) {
  EXPECT_EQ(DescribeImbalance(Servers({100 * kMegabyte, 110 * kMegabyte, 90 * kMegabyte})), "");
  EXPECT_EQ(DescribeImbalance(Servers({150 * kMegabyte, 50 * kMegabyte})), "")
      << "1.5 times its share";
  EXPECT_EQ(DescribeImbalance(Servers({100 * kMegabyte})), "");
  EXPECT_EQ(DescribeImbalance(std::vector<v1::ServerStats>()), "");
}

TEST(BalanceTest, TheServerThatCarriesMuchMoreThanItsShareIsNamed) {
  EXPECT_EQ(DescribeImbalance(Servers({10 * kMegabyte, 80 * kMegabyte, 10 * kMegabyte})),
            "server 1 carries 80 % of the servers' traffic, 2.4 times its share of 3 servers");
  EXPECT_EQ(DescribeImbalance(Servers({0, 100 * kMegabyte})),
            "server 1 carries 100 % of the servers' traffic, 2.0 times its share of 2 servers");
}

TEST(BalanceTest, WhatThatServerCarriesMostOfIsNamed) {
  std::vector<v1::ServerStats> servers = Servers({100 * kMegabyte, 0});
  v1::CellTraffic& bucket = *servers[0].add_busiest();
  bucket.set_name("\"rows\" bucket 17");
  bucket.set_bytes(62 * kMegabyte);
  v1::CellTraffic& block = *servers[0].add_busiest();
  block.set_name("\"bias\" block 0");
  block.set_bytes(3 * kMegabyte);
  EXPECT_EQ(DescribeImbalance(servers),
            "server 0 carries 100 % of the servers' traffic, 2.0 times its share of 2 servers; of "
            "that \"rows\" bucket 17 62 %, \"bias\" block 0 3 %");
}

TEST(BalanceTest, LittleTrafficSaysNothing) {
  EXPECT_EQ(DescribeImbalance(Servers({0, 1000})), "");
}

}  // namespace
}  // namespace convoy
