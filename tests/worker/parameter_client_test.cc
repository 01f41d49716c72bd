// Real clients and servers on loopback, in one process.
#include "worker/parameter_client.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/stream_server.h"
#include "proto/parameter_server.grpc.pb.h"
#include "ps/parameter_service.h"
#include "tests/worker/cutting_proxy.h"
#include "worker/gradient_push.h"

namespace convoy {
namespace {

constexpr uint64_t kJob = 77;

// SGD with rate 1 from zeros: a step takes the mean gradient off.
class Cluster {
 public:
  Cluster(std::vector<VariableSpec> variables, uint32_t servers, uint32_t slices = 1,
          Mode mode = {}, size_t max_backlog_bytes = size_t{256} << 20, double anchor = 0)
      : placement_(*Placement::Create(std::move(variables), servers)), mode_(mode) {
    for (uint32_t rank = 0; rank < servers; ++rank) {
      ServerCore::Options options;
      options.job_id = kJob;
      options.rank = rank;
      options.mode = mode;
      options.slices = slices;
      options.optimizer.set_learning_rate(1);
      options.optimizer.set_anchor(anchor);
      options.poison_buffers = true;
      ParameterService::Options service;
      service.threads = 2;
      service.max_backlog_bytes = max_backlog_bytes;
      services_.push_back(*ParameterService::Start(service));
      auto core = *ServerCore::Create(options, placement_);
      if (anchor > 0) SetAnchors(rank, core->shard());
      services_.back()->Install(std::move(core));
      addresses_.push_back(services_.back()->address());
    }
  }

  ParameterClient::Options ClientOptions() const {
    ParameterClient::Options options;
    options.job_id = kJob;
    options.servers = addresses_;
    options.mode = mode_;
    return options;
  }
  std::unique_ptr<ParameterClient> Connect(const ParameterClient::Options& options) const {
    auto client = ParameterClient::Connect(options, placement_);
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  const std::vector<std::string>& addresses() const { return addresses_; }
  v1::ServerStats Stats(uint32_t server) const { return services_[server]->Stats(); }

 private:
  void SetAnchors(uint32_t rank, Shard& shard) const;

  const Placement placement_;
  const Mode mode_;
  std::vector<std::unique_ptr<ParameterService>> services_;
  std::vector<std::string> addresses_;
};

VariableSpec Variable(const std::string& name, int64_t size) {
  return {name, {size}, Initializer::Zeros()};
}

// Exact in float32 with any of the means used here.
float Value(size_t variable, size_t i) {
  return static_cast<float>((i * 37 + variable * 11) % 1000) - 500;
}

void Cluster::SetAnchors(uint32_t rank, Shard& shard) const {
  for (const uint32_t id : placement_.cells_of_server(rank)) {
    const CellSpec& spec = placement_.cells()[id];
    BlockSnapshot block = shard.cell(id).MakeSnapshot({});
    for (size_t i = 0; i < spec.size; ++i) {
      (*block.values)[i] = 0;
      block.slots[0][i] = Value(spec.variable, static_cast<size_t>(spec.offset) + i);
    }
    shard.cell(id).Restore(std::move(block));
  }
}

// One slice: the last variable first, each in pieces.
absl::Status GiveSlice(GradientPush& push, const Placement& placement, uint32_t examples,
                       bool last = true, float scale = 1, float first_value = 0) {
  push.BeginSlice(last);
  for (size_t v = placement.variables().size(); v-- > 0;) {
    const std::span<float> gradient = push.Gradient(static_cast<int>(v));
    const auto size = static_cast<int64_t>(gradient.size());
    for (size_t i = 0; i < gradient.size(); ++i) gradient[i] = scale * Value(v, i);
    if (v == 0 && first_value != 0) gradient[0] = first_value;
    for (int64_t begin = 0; begin < size; begin += 50000) {
      const absl::Status status =
          push.Ready(static_cast<int>(v), begin, std::min(begin + 50000, size));
      if (!status.ok()) return status;
    }
  }
  return push.EndSlice(examples).status();
}

ParameterClient::PushHeader Step(uint64_t step, uint32_t examples, TreeNode node = {}) {
  ParameterClient::PushHeader header;
  header.step = step;
  header.node = node;
  header.examples = examples;
  header.pull = true;
  return header;
}

void ExpectWeights(ParameterClient& client, float times) {
  for (size_t v = 0; v < client.placement().variables().size(); ++v) {
    const auto weights = client.Weights(static_cast<uint32_t>(v));
    ASSERT_TRUE(weights.ok()) << weights.status();
    for (size_t i = 0; i < weights->size(); ++i) {
      ASSERT_EQ((*weights)[i], -times * Value(v, i)) << "variable " << v << " element " << i;
    }
  }
}

// 150,000 elements are three blocks, cut at 65,536.
std::vector<VariableSpec> LargeModel() { return {Variable("large", 150000), Variable("small", 5)}; }

TEST(ParameterClientTest, AGradientOfSeveralBlocksArrivesExactly) {
  const Cluster cluster(LargeModel(), /*servers=*/3);
  const auto client = cluster.Connect(cluster.ClientOptions());
  ASSERT_TRUE(client->PullAll(0).ok());
  ExpectWeights(*client, 0);
  GradientPush push(client.get(), {});
  for (uint64_t step = 0; step < 4; ++step) {
    ASSERT_TRUE(push.Begin(Step(step, 2)).ok());
    ASSERT_TRUE(GiveSlice(push, client->placement(), 2).ok());
    ASSERT_TRUE(push.End().ok());
    ExpectWeights(*client, 0.5f * static_cast<float>(step + 1));
  }
  ASSERT_TRUE(client->WaitUntilAnswered().ok());
  for (uint32_t server = 0; server < 3; ++server) {
    EXPECT_EQ(cluster.Stats(server).examples(), 8u);
    EXPECT_EQ(cluster.Stats(server).min_version(), 4u);
    EXPECT_EQ(cluster.Stats(server).duplicates(), 0u);
  }
}

TEST(ParameterClientTest, AnchorsOfSeveralBlocksAndServersArriveExactly) {
  const Mode mode = {.kind = Mode::Kind::kLocalSgd};
  for (const double anchor : {0.5, 0.0}) {
    const Cluster cluster(LargeModel(), /*servers=*/3, /*slices=*/1, mode, size_t{256} << 20,
                          anchor);
    const auto client = cluster.Connect(cluster.ClientOptions());
    ASSERT_TRUE(client->PullAll(0).ok());
    std::vector<float> large(150000);
    const absl::Status status = client->PullAnchors({large, {}});
    if (anchor == 0) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
      // Whichever server answers first.
      EXPECT_THAT(
          std::string(status.message()),
          ::testing::StartsWith("a server sent 0 bytes of the anchors of \"large\" block "));
      continue;
    }
    ASSERT_TRUE(status.ok()) << status;
    for (size_t i = 0; i < large.size(); ++i) ASSERT_EQ(large[i], Value(0, i)) << i;
    ExpectWeights(*client, 0);
  }
}

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

TEST(ParameterClientTest, NeighbouringSlicesAreAddedUpBeforeTheyLeave) {
  const Cluster cluster(LargeModel(), 2, /*slices=*/2);
  const auto client = cluster.Connect(cluster.ClientOptions());
  ASSERT_TRUE(client->PullAll(0).ok());
  GradientPush push(client.get(), {});
  ASSERT_TRUE(push.Begin(Step(0, 4, {1, 0})).ok());
  ASSERT_TRUE(GiveSlice(push, client->placement(), 2, /*last=*/false, 1).ok());
  ASSERT_TRUE(GiveSlice(push, client->placement(), 2, /*last=*/true, 3).ok());
  ASSERT_TRUE(push.End().ok());
  ExpectWeights(*client, 1);  // (1 + 3) / 4
}

TEST(ParameterClientTest, ASliceThatIsNotFiniteIsSkippedWithItsExamples) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  for (int bad : {0, 1}) {
    const Cluster cluster(LargeModel(), 2, /*slices=*/2);
    const auto client = cluster.Connect(cluster.ClientOptions());
    ASSERT_TRUE(client->PullAll(0).ok());
    GradientPush push(client.get(), {.skip_not_finite = true});
    ASSERT_TRUE(push.Begin(Step(0, 6, {1, 0})).ok());
    ASSERT_TRUE(GiveSlice(push, client->placement(), 2, false, 1, bad == 0 ? kNaN : 0).ok());
    ASSERT_TRUE(GiveSlice(push, client->placement(), 4, true, 2, bad == 1 ? kNaN : 0).ok());
    ASSERT_TRUE(push.End().ok());
    ExpectWeights(*client, bad == 0 ? 2.0f / 4 : 1.0f / 2);
    EXPECT_EQ(cluster.Stats(0).examples(), bad == 0 ? 4u : 2u);
  }
}

TEST(ParameterClientTest, APushOfWhichAllIsSkippedIsAnEmptyStep) {
  const Cluster cluster(LargeModel(), 2);
  const auto client = cluster.Connect(cluster.ClientOptions());
  ASSERT_TRUE(client->PullAll(0).ok());
  GradientPush push(client.get(), {.skip_not_finite = true});
  ASSERT_TRUE(push.Begin(Step(0, 2)).ok());
  ASSERT_TRUE(
      GiveSlice(push, client->placement(), 2, true, 1, std::numeric_limits<float>::infinity())
          .ok());
  ASSERT_TRUE(push.End().ok());
  ExpectWeights(*client, 0);
  ASSERT_TRUE(client->WaitUntilAnswered().ok());
  EXPECT_EQ(cluster.Stats(0).updates(), 0u);
  EXPECT_EQ(cluster.Stats(0).min_version(), 1u);
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

TEST(ParameterClientTest, WithoutSkippingTheServersRefusalNamesVariableAndWorker) {
  const Cluster cluster(LargeModel(), 1);
  const auto client = cluster.Connect(cluster.ClientOptions());
  ASSERT_TRUE(client->PullAll(0).ok());
  GradientPush push(client.get(), {});
  ASSERT_TRUE(push.Begin(Step(0, 2)).ok());
  absl::Status status =
      GiveSlice(push, client->placement(), 2, true, 1, std::numeric_limits<float>::infinity());
  if (status.ok()) status = push.End();
  if (status.ok()) status = client->WaitForWeights();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("server 0 at 127.0.0.1:"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find(
                "gradient of \"large\" block 0 from worker 0 at step 0 is not a finite number at "
                "element 0"),
            absl::string_view::npos)
      << status;
}

// The gradient (6, 8) over 2 examples has the mean (3, 4) of norm 5; clipped to 1 it is (0.6, 0.8).
TEST(ParameterClientTest, TheMeanGradientOfASliceIsClippedToItsNorm) {
  for (double clip : {1.0, 5.0}) {
    const Cluster cluster({Variable("a", 1), Variable("b", 1)}, 1);
    const auto client = cluster.Connect(cluster.ClientOptions());
    ASSERT_TRUE(client->PullAll(0).ok());
    GradientPush push(client.get(), {.clip_norm = clip});
    ASSERT_TRUE(push.Begin(Step(0, 2)).ok());
    push.BeginSlice(true);
    for (int v : {1, 0}) {
      push.Gradient(v)[0] = v == 0 ? 6.0f : 8.0f;
      ASSERT_TRUE(push.Ready(v, 0, 1).ok());
    }
    ASSERT_TRUE(push.EndSlice(2).ok());
    ASSERT_TRUE(push.End().ok());
    EXPECT_FLOAT_EQ((*client->Weights(0))[0], clip == 1 ? -0.6f : -3.0f);
    EXPECT_FLOAT_EQ((*client->Weights(1))[0], clip == 1 ? -0.8f : -4.0f);
  }
}

// The pull of step 1 waits for the other slice. Without overlap Weights would wait with it.
TEST(ParameterClientTest, WithOverlapWeightsOfTheLastPushMayComeLaterAndChangeOnlyWhenAskedFor) {
  const Cluster cluster(LargeModel(), 2, /*slices=*/2);
  ParameterClient::Options options = cluster.ClientOptions();
  options.overlap = true;
  const auto client = cluster.Connect(options);
  ASSERT_TRUE(client->PullAll(0).ok());
  ExpectWeights(*client, 0);
  GradientPush push(client.get(), {});
  ASSERT_TRUE(push.Begin(Step(0, 2, {0, 0})).ok());
  ASSERT_TRUE(GiveSlice(push, client->placement(), 2).ok());
  ASSERT_TRUE(push.End().ok());
  ExpectWeights(*client, 0);
  const std::span<const float> held = *client->Weights(0);

  options.worker = 1;
  options.interrupted = [&client] { return client->Poll(); };  // one thread drives both workers
  const auto other = cluster.Connect(options);
  GradientPush other_push(other.get(), {});
  ASSERT_TRUE(other_push.Begin(Step(0, 2, {0, 1})).ok());
  ASSERT_TRUE(GiveSlice(other_push, other->placement(), 2).ok());
  ASSERT_TRUE(other_push.End().ok());
  ASSERT_TRUE(other->WaitUntilAnswered().ok());
  ASSERT_TRUE(client->WaitUntilAnswered().ok());
  for (const float value : held) ASSERT_EQ(value, 0);
  ExpectWeights(*client, 0.5f);
}

// Without a second slice a step is complete with its last block, and a block is applied when it
// arrives.
TEST(ParameterClientTest, ABlockIsAtTheServerBeforeTheRestOfItsGradientIsComputed) {
  const Cluster cluster({Variable("input", 150000)}, 1);
  const auto client = cluster.Connect(cluster.ClientOptions());
  ASSERT_TRUE(client->PullAll(0).ok());
  ASSERT_TRUE(client->WaitForWeights().ok());
  GradientPush push(client.get(), {});
  ASSERT_TRUE(push.Begin(Step(0, 1)).ok());
  push.BeginSlice(true);
  push.Gradient(0);
  ASSERT_TRUE(push.Ready(0, 0, 65536).ok());
  while (cluster.Stats(0).updates() == 0)
    ASSERT_TRUE(client->Poll().ok());  // for ever, if blocks were held back
  EXPECT_EQ(cluster.Stats(0).updates(), 1u);
  ASSERT_TRUE(push.Ready(0, 65536, 150000).ok());
  ASSERT_TRUE(push.EndSlice(1).ok());
  ASSERT_TRUE(push.End().ok());
  ASSERT_TRUE(client->WaitUntilAnswered().ok());
  EXPECT_EQ(cluster.Stats(0).min_version(), 1u);
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
