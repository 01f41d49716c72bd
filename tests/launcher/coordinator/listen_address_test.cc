#include "common/net/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace convoy {
namespace {

TEST(ListenAddressTest, LoopbackIsAllowed) {
  for (const char* address : {"127.0.0.1:0", "127.3.4.5:80", "localhost:1234", "[::1]:65535"}) {
    EXPECT_TRUE(CheckListenAddress(address, false).ok()) << address;
  }
}

TEST(ListenAddressTest, AnotherAddressNeedsTheFlagAndTheErrorNamesIt) {
  for (const char* address : {"0.0.0.0:0", "192.168.1.4:80", "[::]:80", "example.org:80"}) {
    const absl::Status status = CheckListenAddress(address, false);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("--insecure-listen"));
    EXPECT_TRUE(CheckListenAddress(address, true).ok()) << address;
  }
}

TEST(ListenAddressTest, WhatIsNoAddressIsRefused) {
  for (const char* address : {"", ":", "127.0.0.1", "127.0.0.1:", ":80", "::1:80", "[]:80",
                              "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1"}) {
    EXPECT_EQ(CheckListenAddress(address, true).code(), absl::StatusCode::kInvalidArgument)
        << address;
  }
}

}  // namespace
}  // namespace convoy
