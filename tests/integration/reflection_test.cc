// What grpcurl and the like ask first, of the processes of a job that runs.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/linear_server.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

// The reply to {list_services: "*"}.
std::string Services(const std::string& address) {
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  RawCall call(channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  return call.Ask(std::string("\x3a\x01*", 3));
}

TEST(ReflectionTest, EveryProcessThatServesListsItsServices) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  const std::string job = std::string(CONVOY_SOURCE) + "/examples/python_client/job.textproto";
  Program train({CONVOY_BINARY, "train", job, "--run-dir", run, "--epochs", "1000000"});
  ASSERT_TRUE(train.WaitForOutput("epoch 1")) << train.Output();
  const json cluster = json::parse(ReadFile(run + "/cluster.json"));
  int asked = 0;
  for (const json& process : cluster["processes"]) {
    if (process["role"] == "worker") continue;
    SCOPED_TRACE(process.dump());
    EXPECT_THAT(Services(process["address"]),
                AllOf(HasSubstr(process["role"] == "server" ? "convoy.v1.ParameterServer"
                                                            : "convoy.v1.Coordinator"),
                      HasSubstr("grpc.health.v1.Health"),
                      HasSubstr("grpc.reflection.v1alpha.ServerReflection")));
    ++asked;
  }
  EXPECT_EQ(asked, 3);  // coordinator, 2 servers
  train.Signal(SIGINT);
  EXPECT_EQ(train.Wait().exit_code, 128 + SIGINT);
}

}  // namespace
}  // namespace convoy::testing
