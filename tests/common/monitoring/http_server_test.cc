#include "common/monitoring/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/testing/http_get.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

class HttpServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<HttpServer> Start() {
    HttpServer::Options options;
    options.pages["/"] = [](const std::string& query) {
      return HttpPage{"text/html", "query=" + query};
    };
    options.pages["/count"] = [this](const std::string&) {
      return HttpPage{.body = std::to_string(++asked_)};
    };
    absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }
  static uint16_t PortOf(const HttpServer& server) {
    return static_cast<uint16_t>(
        std::stoi(server.address().substr(server.address().rfind(':') + 1)));
  }

  std::atomic<int> asked_ = 0;
};

TEST_F(HttpServerTest, ServesPagesThatAreMadeWhenTheyAreAskedFor) {
  const auto server = Start();
  EXPECT_THAT(server->address(), HasSubstr("127.0.0.1:"));
  const HttpReply page = HttpGet(PortOf(*server), "/?a=1&b=%20");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "query=a=1&b=%20");
  EXPECT_THAT(page.header, HasSubstr("Content-Type: text/html"));
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(HttpGet(PortOf(*server), "/count").body, "1");
  EXPECT_EQ(HttpGet(PortOf(*server), "/count").body, "2");
}

TEST_F(HttpServerTest, NothingElseIsThereAndNothingCanBeChanged) {
  const auto server = Start();
  const uint16_t port = PortOf(*server);
  EXPECT_EQ(HttpGet(port, "/etc/passwd").status, 404);
  EXPECT_EQ(HttpGet(port, "/../../../etc/passwd").status, 404);
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH"})
    EXPECT_EQ(HttpGet(port, "/count", method).status, 405) << method;
  EXPECT_EQ(asked_, 0);
  const HttpReply head = HttpGet(port, "/count", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(HttpServerTest, ABusyPortIsNamed) {
  const TakenPort taken;
  HttpServer::Options options;
  options.port = taken.port();
  const absl::Status status = HttpServer::Start(std::move(options)).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("127.0.0.1:" + std::to_string(taken.port())));
}

TEST_F(HttpServerTest, ManyMayAskAtOnce) {
  const auto server = Start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([port = PortOf(*server)] {
      for (int k = 0; k < 20; ++k) EXPECT_EQ(HttpGet(port, "/count").status, 200);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked_, 160);
}

}  // namespace
}  // namespace convoy::testing
