// Real clients and servers on loopback, in one process: which messages a client sends, and what
// becomes of its streams when they are cut, damaged or not read.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/stream_server.h"
#include "proto/parameter_server.grpc.pb.h"
#include "tests/worker/cutting_proxy.h"
#include "tests/worker/loopback_cluster.h"
#include "worker/gradient_push.h"
#include "worker/parameter_client.h"

namespace convoy {
namespace {

uint64_t BytesOfOneStep(size_t coalesce_bytes) {
  std::vector<VariableSpec> variables;
  for (int i = 0; i < 50; ++i) variables.push_back(Variable(absl::StrCat("v", i), 10));
  const Cluster cluster(variables, 1);
  ParameterClient::Options options = cluster.ClientOptions();
  options.coalesce_bytes = coalesce_bytes;
  const auto client = cluster.Connect(options);
  EXPECT_TRUE(client->PullAll(0).ok());
  EXPECT_TRUE(client->WaitForWeights().ok());
  const uint64_t before = client->bytes_sent();
  GradientPush push(client.get(), {});
  EXPECT_TRUE(push.Begin(Step(0, 1)).ok());
  EXPECT_TRUE(GiveSlice(push, client->placement(), 1).ok());
  EXPECT_TRUE(push.End().ok());
  ExpectWeights(*client, 1);
  return client->bytes_sent() - before;
}

// 2,000 bytes of gradients. One message of 50 cells has one header (9 bytes of job id and more), 50
// have 50.
TEST(ParameterClientTest, SmallVariablesShareAMessage) {
  EXPECT_GT(BytesOfOneStep(1), BytesOfOneStep(64 << 10) + 49 * 9);
}

// One server, and what it was asked for.
class RecordingServer final : public StreamServer::Handler {
 public:
  struct Request {
    bool final = false;
    bool pull_applied = false;
    std::vector<uint32_t> pull_cells;
  };

  explicit RecordingServer(const Placement& placement, const Mode& mode = {}) {
    ServerCore::Options core;
    core.job_id = kJob;
    core.mode = mode;
    core.optimizer.set_learning_rate(1);
    core_ = *ServerCore::Create(core, placement);
    StreamServer::Options options;
    options.method = "/convoy.v1.ParameterServer/Exchange";
    options.handler = this;
    MutexLock lock(mutex_);
    server_ = *StreamServer::Start(std::move(options));
    address_ = server_->address();
  }
  ~RecordingServer() override { server_->Stop(); }

  const std::string& address() const { return address_; }
  std::vector<Request> Take() {
    MutexLock lock(mutex_);
    return std::exchange(requests_, {});
  }

 private:
  void OnMessage(StreamId stream, Payload message) override {
    const absl::StatusOr<ExchangeRequest> request = DecodeRequest(message);
    ASSERT_TRUE(request.ok()) << request.status();
    MutexLock lock(mutex_);
    requests_.push_back({request->final,
                         request->pull_applied,
                         {request->pull_cells.begin(), request->pull_cells.end()}});
    std::vector<ServerCore::Outgoing> out;
    core_->Handle(stream, *request, SteadyNow(), &out);
    for (const ServerCore::Outgoing& o : out) server_->Send(o.stream, Encode(o.reply));
  }
  void OnClosed(StreamId) override {}
  void OnTick() override {}

  std::unique_ptr<ServerCore> core_;
  std::string address_;
  Mutex mutex_;
  std::vector<Request> requests_ CONVOY_GUARDED_BY(mutex_);
  std::unique_ptr<StreamServer> server_;
};

TEST(ParameterClientTest, AnEmptyPushPullsTheWeightsBlockByBlock) {
  const Placement placement = *Placement::Create(LargeModel(), /*servers=*/1);
  RecordingServer server(placement);
  ParameterClient::Options options;
  options.job_id = kJob;
  options.servers = {server.address()};
  const auto client = *ParameterClient::Connect(options, placement);
  ASSERT_TRUE(client->PullAll(0).ok());
  ASSERT_TRUE(client->WaitForWeights().ok());
  server.Take();
  ASSERT_TRUE(client->BeginPush(Step(0, /*examples=*/0)).ok());
  ASSERT_TRUE(client->EndPush().ok());
  ASSERT_TRUE(client->WaitUntilAnswered().ok());
  ExpectWeights(*client, 0);
  EXPECT_EQ(client->applied_step(), 1u);
  // Blocks 0, 1 and what is left of "large" together with "small".
  const std::vector<RecordingServer::Request> requests = server.Take();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_THAT(requests[0].pull_cells, ::testing::ElementsAre(0));
  EXPECT_THAT(requests[1].pull_cells, ::testing::ElementsAre(1));
  EXPECT_THAT(requests[2].pull_cells, ::testing::ElementsAre(2, 3));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(requests[i].final, i == 0) << i;
    EXPECT_EQ(requests[i].pull_applied, i == 0) << i;
  }
}

// With the table's clock of before, a worker would read without those it may not be ahead of.
TEST(ParameterClientTest, InSspWeightsAreAskedForWithTheMessageThatCountsTheBatch) {
  const Placement placement = *Placement::Create(LargeModel(), /*servers=*/1);
  RecordingServer server(placement, {Mode::Kind::kSsp, 0});
  ParameterClient::Options options;
  options.job_id = kJob;
  options.servers = {server.address()};
  options.mode = {Mode::Kind::kSsp, 0};
  const auto client = *ParameterClient::Connect(options, placement);
  ExchangeRequest join;
  join.clock_event = ClockEvent::kJoin;
  ASSERT_TRUE(client->PullAll(0, join).ok());
  ASSERT_TRUE(client->WaitForWeights().ok());
  server.Take();
  ParameterClient::PushHeader header;
  header.task = 1;
  header.clock = 1;
  header.examples = 2;
  header.pull = true;
  GradientPush push(client.get(), {});
  ASSERT_TRUE(push.Begin(header).ok());
  ASSERT_TRUE(GiveSlice(push, client->placement(), 2).ok());
  ASSERT_TRUE(push.End().ok());
  ExpectWeights(*client, 0.5f);
  size_t pulled = 0;
  bool counted = false;
  for (const RecordingServer::Request& request : server.Take()) {
    counted |= request.final;
    pulled += request.pull_cells.size();
    EXPECT_TRUE(counted || request.pull_cells.empty());
  }
  EXPECT_EQ(pulled, 4u);
}

TEST(ParameterClientTest, StreamsThatAreCutAreOpenedAgainAndEveryStepCountsOnce) {
  const Cluster cluster(LargeModel(), /*servers=*/2);
  ParameterClient::Options options = cluster.ClientOptions();
  // Soon after the start, within a gradient, after some steps.
  testing::CuttingProxy proxy(cluster.addresses()[0], {200, 70000, 1000000, 300000, 1});
  options.servers[0] = proxy.address();
  const auto client = cluster.Connect(options);
  ASSERT_TRUE(client->PullAll(0).ok());
  GradientPush push(client.get(), {});
  for (uint64_t step = 0; step < 10; ++step) {
    ASSERT_TRUE(push.Begin(Step(step, 2)).ok());
    ASSERT_TRUE(GiveSlice(push, client->placement(), 2).ok());
    ASSERT_TRUE(push.End().ok());
    ExpectWeights(*client, 0.5f * static_cast<float>(step + 1));
  }
  ASSERT_TRUE(client->WaitUntilAnswered().ok());
  EXPECT_EQ(proxy.cuts(), 5u);
  EXPECT_EQ(cluster.Stats(0).examples(), 20u);
  EXPECT_EQ(cluster.Stats(0).max_version(), 10u);
}

TEST(ParameterClientTest, AServerThatIsNotThereIsNamed) {
  const Cluster cluster(LargeModel(), 1);
  ParameterClient::Options options = cluster.ClientOptions();
  options.worker = 3;
  options.give_up_after = absl::Milliseconds(100);
  options.servers[0] = "127.0.0.1:1";
  const absl::Status status =
      ParameterClient::Connect(options, *Placement::Create(LargeModel(), 1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("worker 3 cannot reach server 0 at 127.0.0.1:1 for "),
            absl::string_view::npos)
      << status;
}

// Replies without checksums stand for damaged ones: none is taken, and the end names the reason.
TEST(ParameterClientTest, WithChecksumsAReplyThatHasNoneIsNotTaken) {
  const Cluster cluster(LargeModel(), 1);
  ParameterClient::Options options = cluster.ClientOptions();
  options.checksums = true;
  options.wait_timeout = absl::Milliseconds(500);
  const auto client = cluster.Connect(options);
  ASSERT_TRUE(client->PullAll(0).ok());
  const absl::Status status = client->WaitForWeights();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find("has not answered request "), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find("the last stream to it ended with: a message of "),
            absl::string_view::npos)
      << status;
}

TEST(ParameterClientTest, AWaitEndsWhenItIsInterrupted) {
  const Cluster cluster(LargeModel(), 1, /*slices=*/2);
  ParameterClient::Options options = cluster.ClientOptions();
  bool failed = false;
  options.interrupted = [&failed] {
    return failed ? absl::AbortedError("the job has failed") : absl::OkStatus();
  };
  const auto client = cluster.Connect(options);
  ASSERT_TRUE(client->PullAll(1).ok());  // nobody will push step 0
  failed = true;
  EXPECT_EQ(client->WaitForWeights().message(), "the job has failed");
}

// ---- clients of another make, through the generated stub

using Stub = v1::ParameterServer::Stub;
std::unique_ptr<Stub> NewStub(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  return v1::ParameterServer::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

v1::ExchangeRequest PullOf(uint64_t request_id, uint32_t cells) {
  v1::ExchangeRequest request;
  request.set_job_id(kJob);
  request.set_generation(1);
  request.set_request_id(request_id);
  request.set_worker(9);
  request.set_session(1);
  for (uint32_t cell = 0; cell < cells; ++cell) request.add_pull_cells(cell);
  return request;
}

TEST(ParameterClientTest, AClientThatHasSentItsLastRequestStillGetsItsReplies) {
  const Cluster cluster(LargeModel(), 1);
  const auto stub = NewStub(cluster.addresses()[0]);
  grpc::ClientContext context;
  const auto stream = stub->Exchange(&context);
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(stream->Write(PullOf(i, 4)));
  stream->WritesDone();
  v1::ExchangeReply reply;
  uint64_t replies = 0;
  while (stream->Read(&reply)) {
    EXPECT_EQ(reply.request_id(), ++replies);
    EXPECT_EQ(reply.cells_size(), 4);
  }
  EXPECT_EQ(replies, 20u);
  EXPECT_TRUE(stream->Finish().ok());
}

// Each request asks for 600 KB and nothing is read: the stream is closed instead of keeping it all.
TEST(ParameterClientTest, AClientThatDoesNotReadIsClosedAndOthersGoOn) {
  const Cluster cluster(LargeModel(), 1, 1, {}, /*max_backlog_bytes=*/size_t{8} << 20);
  const auto stub = NewStub(cluster.addresses()[0]);
  grpc::ClientContext context;
  const auto stream = stub->Exchange(&context);
  uint64_t written = 0;
  while (written < 100000 && stream->Write(PullOf(written + 1, 4))) ++written;
  EXPECT_LT(written, 100000u);
  v1::ExchangeReply reply;
  while (stream->Read(&reply)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);

  const auto client = cluster.Connect(cluster.ClientOptions());
  ASSERT_TRUE(client->PullAll(0).ok());
  ExpectWeights(*client, 0);
}

}  // namespace
}  // namespace convoy
