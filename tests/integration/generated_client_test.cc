// A client that knows nothing but the .proto files, with the code that protoc generates from them,
// trains against a real parameter server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/linear_server.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

struct Example {
  std::vector<float> x;
  float y;
};

// y = 2 x0 - 3 x1 + x2 - 1 on the corners of a cube, so that the least squares solution is exactly
// that.
std::vector<Example> Corners() {
  std::vector<Example> examples;
  for (int i = 0; i < 8; ++i) {
    const std::vector<float> x = {i & 1 ? 1.f : -1.f, i & 2 ? 1.f : -1.f, i & 4 ? 1.f : -1.f};
    examples.push_back({x, 2 * x[0] - 3 * x[1] + x[2] - 1});
  }
  return examples;
}

struct Weights {
  std::vector<float> weight, bias;
  std::vector<uint64_t> versions;

  explicit Weights(const v1::ExchangeReply& reply)
      : weight(Values(reply.cells(0))),
        bias(Values(reply.cells(1))),
        versions({reply.cells(0).version(), reply.cells(1).version()}) {}
};

// Adds the gradient of half the squared error, summed over the examples, to the request. Returns
// the loss.
double AddGradient(const Weights& weights, v1::ExchangeRequest* request) {
  const std::vector<Example> examples = Corners();
  std::vector<float> weight(3), bias(1);
  double loss = 0;
  for (const Example& example : examples) {
    float error = weights.bias[0] - example.y;
    for (size_t j = 0; j < 3; ++j) error += weights.weight[j] * example.x[j];
    for (size_t j = 0; j < 3; ++j) weight[j] += error * example.x[j];
    bias[0] += error;
    loss += 0.5 * error * error;
  }
  request->set_examples(static_cast<uint32_t>(examples.size()));
  AddContribution(0, weights.versions[0], weight, request);
  AddContribution(1, weights.versions[1], bias, request);
  return loss;
}

v1::ExchangeRequest PullBoth(ExchangeStream& stream) {
  v1::ExchangeRequest request = stream.NewRequest();
  request.add_pull_cells(0);
  request.add_pull_cells(1);
  return request;
}

void ExpectSolved(const Weights& weights) {
  EXPECT_THAT(weights.weight,
              ElementsAre(FloatNear(2, 1e-4f), FloatNear(-3, 1e-4f), FloatNear(1, 1e-4f)));
  EXPECT_THAT(weights.bias, ElementsAre(FloatNear(-1, 1e-4f)));
}

TEST(GeneratedClientTest, LayoutNamesJobModeAndCells) {
  LinearServer server({.mode = "ssp:3"});
  const auto stub = v1::ParameterServer::NewStub(server.Connect());
  grpc::ClientContext context;
  v1::GetLayoutReply layout;
  ASSERT_TRUE(stub->GetLayout(&context, {}, &layout).ok());
  EXPECT_EQ(layout.job_id(), LinearServer::kJobId);
  EXPECT_EQ(layout.generation(), LinearServer::kGeneration);
  EXPECT_EQ(layout.mode(), "ssp:3");
  EXPECT_EQ(layout.slices(), 1u);
  ASSERT_EQ(layout.cells_size(), 2);
  EXPECT_EQ(layout.cells(0).variable(), "weight");
  EXPECT_EQ(layout.cells(0).size(), 3u);
  EXPECT_EQ(layout.cells(1).id(), 1u);
  EXPECT_EQ(layout.cells(1).variable(), "bias");
}

TEST(GeneratedClientTest, APullBringsTheInitialValues) {
  LinearServer server({});
  ExchangeStream stream(server.Connect(), 0, 1);
  const Weights weights(stream.Ask(PullBoth(stream)));
  EXPECT_THAT(weights.weight, ElementsAre(0, 0, 0));
  EXPECT_THAT(weights.bias, ElementsAre(0.5f));
  EXPECT_THAT(weights.versions, ElementsAre(0, 0));
}

TEST(GeneratedClientTest, SyncTrainingConverges) {
  LinearServer server({.mode = "sync"});
  ExchangeStream stream(server.Connect(), 0, 1);
  Weights weights(stream.Ask(PullBoth(stream)));
  // The error halves with every step of rate 0.5: 8 * (0.5 * (4 + 9 + 1 + 2.25)) is the first loss.
  for (uint64_t step = 0; step < 40; ++step) {
    v1::ExchangeRequest request = PullBoth(stream);
    const double loss = AddGradient(weights, &request);
    if (step == 0) {
      EXPECT_DOUBLE_EQ(loss, 65);
    }
    request.set_step(step);
    request.set_final(true);
    request.set_pull_version(step + 1);
    request.set_pull_applied(true);
    const v1::ExchangeReply reply = stream.Ask(request);
    ASSERT_EQ(reply.code(), 0u) << reply.message();
    EXPECT_EQ(reply.request_id(), request.request_id());
    weights = Weights(reply);
    EXPECT_THAT(weights.versions, ElementsAre(step + 1, step + 1));
  }
  ExpectSolved(weights);
  EXPECT_EQ(server.service().Stats().examples(), 40u * 8);
}

TEST(GeneratedClientTest, AsyncTrainingConverges) {
  LinearServer server({.mode = "async"});
  ExchangeStream stream(server.Connect(), 0, 1);
  Weights weights(stream.Ask(PullBoth(stream)));
  for (uint64_t i = 0; i < 40; ++i) {
    v1::ExchangeRequest request = PullBoth(stream);
    AddGradient(weights, &request);
    request.set_task(1 + i / 10);
    request.set_batch(i % 10);
    request.set_final(true);
    if (i % 10 == 0) request.set_completed_task(i / 10);
    const v1::ExchangeReply reply = stream.Ask(request);
    ASSERT_EQ(reply.code(), 0u) << reply.message();
    EXPECT_EQ(reply.staleness_count(), 2u);  // one for each cell
    EXPECT_EQ(reply.staleness_max(), 0u);
    weights = Weights(reply);
  }
  ExpectSolved(weights);
}

TEST(GeneratedClientTest, RepliesStillArriveAfterTheClientHasClosedItsHalf) {
  LinearServer server({.variables = {{"weight", {60'000}, Initializer::Zeros()},
                                     {"bias", {1}, Initializer::Zeros()}}});
  ExchangeStream stream(server.Connect(), 0, 1);
  constexpr uint64_t kPulls = 50;
  for (uint64_t i = 0; i < kPulls; ++i) ASSERT_TRUE(stream.Write(PullBoth(stream)));
  stream.WritesDone();
  for (uint64_t i = 0; i < kPulls; ++i) EXPECT_EQ(stream.Read().request_id(), i + 1);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST(GeneratedClientTest, AGapNamesTheStepThatIsExpected) {
  LinearServer server({});
  ExchangeStream stream(server.Connect(), 0, 1);
  v1::ExchangeRequest empty = stream.NewRequest();
  empty.set_step(5);
  empty.set_final(true);
  const v1::ExchangeReply reply = stream.Ask(empty);
  EXPECT_EQ(reply.code(), static_cast<uint32_t>(grpc::StatusCode::FAILED_PRECONDITION));
  EXPECT_EQ(reply.expected_step(), 0u);
  v1::ExchangeRequest first = stream.NewRequest();
  first.set_final(true);
  EXPECT_EQ(stream.Ask(first).code(), 0u);
  empty.set_request_id(stream.NewRequest().request_id());
  EXPECT_EQ(stream.Ask(empty).expected_step(), 1u);
}

// The bytes of the example of docs/protocol.md after the line with `before`: what stands before two
// blanks in lines of hexadecimal.
std::string DocumentedBytes(const std::string& before) {
  std::ifstream page(std::string(CONVOY_SOURCE) + "/docs/protocol.md");
  std::string line, bytes;
  while (std::getline(page, line) && line.find(before) == std::string::npos) {
  }
  while (std::getline(page, line) && line != "```") {
  }
  while (std::getline(page, line) && line != "```") {
    std::istringstream words(line.substr(0, line.find("  ", line.find_first_not_of(' '))));
    for (std::string word; words >> word;) {
      bytes += static_cast<char>(std::stoi(word, nullptr, 16));
    }
  }
  return bytes;
}

TEST(GeneratedClientTest, TheExampleOfTheDocumentationIsWhatAServerSpeaks) {
  LinearServer server(
      {.slices = 2,
       .learning_rate = 1,
       .variables = {{"weight", {1}, Initializer::Zeros()}, {"bias", {4}, Initializer::Zeros()}}});
  ExchangeStream others(server.Connect(), 0, 1);
  for (uint64_t step = 0; step <= 5; ++step) {
    for (uint32_t slice = 0; slice < (step < 5 ? 2 : 1); ++slice) {
      v1::ExchangeRequest request = others.NewRequest();
      request.set_step(step);
      request.set_tree_index(slice);
      request.set_examples(2);
      request.set_final(true);
      ASSERT_EQ(others.Ask(request).code(), 0u);
    }
  }
  const std::string documented = DocumentedBytes("The request, 57 bytes");
  EXPECT_EQ(documented.size(), 57u);
  v1::ExchangeRequest request;
  ASSERT_TRUE(request.ParseFromString(documented));
  EXPECT_EQ(request.SerializeAsString(), documented);
  RawCall call(server.Connect(), "/convoy.v1.ParameterServer/Exchange");
  ASSERT_TRUE(call.Write(documented));
  std::string reply;
  ASSERT_TRUE(call.Read(&reply));
  EXPECT_EQ(reply, DocumentedBytes("and the reply, as soon as"));
}

TEST(GeneratedClientTest, HealthSaysServing) {
  LinearServer server({});
  // An empty grpc.health.v1.HealthCheckRequest, and {status: SERVING}.
  EXPECT_EQ(RawCall(server.Connect(), "/grpc.health.v1.Health/Check").Ask(""), "\x08\x01");
}

TEST(GeneratedClientTest, ReflectionListsTheService) {
  LinearServer server({});
  RawCall call(server.Connect(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  const std::string reply = call.Ask(std::string("\x3a\x01*", 3));  // {list_services: "*"}
  EXPECT_THAT(reply, HasSubstr("convoy.v1.ParameterServer"));
  EXPECT_THAT(reply, HasSubstr("grpc.health.v1.Health"));
}

}  // namespace
}  // namespace convoy::testing
