// Peers that send garbage, lie, break off or never listen: each is answered or dropped, nothing is
// counted that should not be, and the server goes on serving the others.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "common/files/owned_fd.h"
#include "common/process_usage.h"
#include "common/sanitized.h"
#include "tests/integration/linear_server.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kExchange[] = "/convoy.v1.ParameterServer/Exchange";
constexpr uint32_t kBad = 1;  // the bad peer's worker number; the good one is 0
constexpr auto kNan = std::numeric_limits<float>::quiet_NaN();

uint32_t Code(grpc::StatusCode code) { return static_cast<uint32_t>(code); }

class BadPeerTest : public ::testing::Test {
 protected:
  // A push of one example with gradient (2, 4, 6), which plain SGD of rate 0.5 turns into an update
  // of -(1, 2, 3).
  static void FillPush(uint64_t step, v1::ExchangeRequest* request) {
    request->set_step(step);
    request->set_examples(1);
    request->set_final(true);
    AddContribution(0, step, {2, 4, 6}, request);
  }

  // A good client takes the next step: its update, and no other since its last one, is in the
  // weights.
  void ExpectServesAGoodClient() {
    ExchangeStream good(server_.Connect(), 0, ++good_session_);
    v1::ExchangeRequest request = good.NewRequest();
    FillPush(steps_, &request);
    request.add_pull_cells(0);
    request.set_pull_version(++steps_);
    request.set_pull_applied(true);
    const v1::ExchangeReply reply = good.Ask(request);
    ASSERT_EQ(reply.code(), 0u) << reply.message();
    const auto n = static_cast<float>(steps_);
    EXPECT_THAT(Values(reply.cells(0)), ElementsAre(-n, -2 * n, -3 * n));
  }

  // Sends the request, which is refused.
  void ExpectRefused(const v1::ExchangeRequest& request, grpc::StatusCode code,
                     const std::string& text) {
    const v1::ExchangeReply reply = bad_.Ask(request);
    EXPECT_EQ(reply.request_id(), request.request_id());
    EXPECT_EQ(reply.code(), Code(code)) << reply.message();
    EXPECT_THAT(reply.message(), HasSubstr(text));
    EXPECT_EQ(reply.cells_size(), 0);
  }

  // Bytes on the Exchange stream that are no request; the stream goes on.
  void ExpectMalformed(const std::string& bytes) {
    RawCall call(server_.Connect(), kExchange);
    ASSERT_TRUE(call.Write(bytes));
    ExpectAnswer(call, Code(grpc::StatusCode::INVALID_ARGUMENT), "malformed ExchangeRequest");
    v1::ExchangeRequest pull = bad_.NewRequest();
    pull.add_pull_cells(0);
    ASSERT_TRUE(call.Write(pull.SerializeAsString()));
    ExpectAnswer(call, 0, "");
  }

  static void ExpectAnswer(RawCall& call, uint32_t code, const std::string& text) {
    std::string bytes;
    ASSERT_TRUE(call.Read(&bytes));
    v1::ExchangeReply reply;
    ASSERT_TRUE(reply.ParseFromString(bytes));
    EXPECT_EQ(reply.code(), code) << reply.message();
    EXPECT_THAT(reply.message(), HasSubstr(text));
  }

  LinearServer server_{{}};
  ExchangeStream bad_{server_.Connect(), kBad, 5};

 private:
  uint64_t good_session_ = 0;
  uint64_t steps_ = 0;
};

// ---- bytes that are no message

TEST_F(BadPeerTest, GarbageIsAnsweredAndTheStreamGoesOn) {
  ExpectMalformed(std::string(1000, '\xff'));
  ExpectMalformed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectMalformed(std::string(3, '\0'));
  ExpectServesAGoodClient();
}

TEST_F(BadPeerTest, LengthsBeyondTheMessageAreAnswered) {
  const std::string two_to_63 = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";
  ExpectMalformed("\x6a" + two_to_63);                   // a contribution
  ExpectMalformed("\x6a\x0c\x1a" + two_to_63 + "\x01");  // values in a contribution
  ExpectMalformed("\x72" + two_to_63);                   // cells to pull
  ExpectMalformed("\xa2\x06" + two_to_63);               // a field that is not known
  ExpectServesAGoodClient();
}

// Opens a connection and sends the bytes; the connection is cut when the descriptor is closed.
OwnedFd SendRaw(const std::string& address, const std::string& bytes) {
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
  return fd;
}

// An HTTP/2 frame (RFC 9113, section 4.1).
std::string Frame(char type, char flags, char stream, const std::string& payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  return std::string{static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8),
                     static_cast<char>(size),
                     type,
                     flags,
                     0,
                     0,
                     0,
                     stream} +
         payload;
}

// A header field that is neither indexed nor compressed (RFC 7541, section 6.2.2).
std::string Header(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

// Preface, settings and the headers of an Exchange call.
std::string OpenExchange() {
  const std::string headers = Header(":method", "POST") + Header(":scheme", "http") +
                              Header(":path", kExchange) + Header(":authority", "convoy") +
                              Header("te", "trailers") + Header("content-type", "application/grpc");
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, "") + Frame(1, 4, 1, headers);
}

TEST_F(BadPeerTest, ConnectionsThatBreakOffHalfwayLeaveNothingBehind) {
  const std::string open = OpenExchange();
  v1::ExchangeRequest push = bad_.NewRequest();
  FillPush(0, &push);
  const std::string message = push.SerializeAsString();
  const std::string prefix = {0, 0, 0, 0, static_cast<char>(message.size())};
  const std::string all = open + Frame(0, 0, 1, prefix + message);
  for (size_t cut : {size_t{1}, size_t{20}, open.size() - 10, open.size(), open.size() + 5,
                     all.size() - message.size(), all.size() - 1}) {
    SendRaw(server_.service().address(), all.substr(0, cut));
  }
  ExpectServesAGoodClient();
}

TEST_F(BadPeerTest, AMessageThatClaimsFourGigabytesTakesNoMemoryForThem) {
  [[maybe_unused]] const uint64_t before = CurrentProcessUsage().peak_rss_bytes();
  const std::string claim("\0\xff\xff\xff\xff", 5);
  const OwnedFd fd = SendRaw(server_.service().address(),
                             OpenExchange() + Frame(0, 0, 1, claim + std::string(100, 'x')));
  ExpectServesAGoodClient();
  ExpectServesAGoodClient();
  EXPECT_LT(CurrentProcessUsage().peak_rss_bytes(), before + (uint64_t{64} << 20));
}

TEST_F(BadPeerTest, OtherProtocolsOnThePortDoNoHarm) {
  SendRaw(server_.service().address(), "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  SendRaw(server_.service().address(), std::string(10'000, '\0'));
  ExpectServesAGoodClient();
}

TEST_F(BadPeerTest, UnknownMethodsAreUnimplemented) {
  for (const char* method : {"/convoy.v1.ParameterServer/Destroy", "/nothing", "/a/b/c"}) {
    RawCall call(server_.Connect(), method);
    std::string ignored;
    EXPECT_FALSE(call.Read(&ignored));
    const grpc::Status status = call.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), HasSubstr(method));
  }
  ExpectServesAGoodClient();
}

// ---- requests that make no sense here

TEST_F(BadPeerTest, AnotherJobGenerationOrSessionIsRefused) {
  v1::ExchangeRequest request = bad_.NewRequest();
  FillPush(0, &request);
  v1::ExchangeRequest other = request;
  other.set_job_id(1);
  ExpectRefused(other, grpc::StatusCode::FAILED_PRECONDITION,
                "works for job 1122334455667788, the request is of job 0000000000000001");
  other = request;
  other.set_generation(LinearServer::kGeneration - 1);
  ExpectRefused(other, grpc::StatusCode::ABORTED, "generation 1 is over, now 2");
  other.set_generation(LinearServer::kGeneration + 1);
  ExpectRefused(other, grpc::StatusCode::UNAVAILABLE, "generation 3 is not known yet");
  v1::ExchangeRequest pull = bad_.NewRequest();
  pull.add_pull_cells(0);
  EXPECT_EQ(bad_.Ask(pull).code(), 0u);
  other = request;
  other.set_session(4);
  ExpectRefused(other, grpc::StatusCode::ABORTED,
                "has opened a newer stream (session 5, this is 4), or another");
  ExpectServesAGoodClient();
}

TEST_F(BadPeerTest, PushesOfTheWrongShapeAreRefusedAndChangeNothing) {
  v1::ExchangeRequest request = bad_.NewRequest();
  request.set_final(true);
  request.set_examples(1);
  AddContribution(0, 0, {1, 2}, &request);
  ExpectRefused(request, grpc::StatusCode::INVALID_ARGUMENT,
                "push to \"weight\" block 0: got 2 values, want 3");
  // One good contribution does not slip in with a bad one.
  request.clear_contributions();
  AddContribution(0, 0, {1, 2, 3}, &request);
  AddContribution(1, 0, {}, &request);
  ExpectRefused(request, grpc::StatusCode::INVALID_ARGUMENT,
                "push to \"bias\" block 0: got 0 values, want 1");
  ExpectServesAGoodClient();
}

TEST_F(BadPeerTest, ValuesThatAreNotFiniteAreRefusedAndNamed) {
  for (float value : {kNan, std::numeric_limits<float>::infinity()}) {
    v1::ExchangeRequest request = bad_.NewRequest();
    request.set_final(true);
    request.set_examples(1);
    AddContribution(0, 0, {1, 2, value}, &request);
    ExpectRefused(
        request, grpc::StatusCode::INVALID_ARGUMENT,
        "gradient of \"weight\" block 0 from worker 1 at step 0 is not a finite number at "
        "element 2");
  }
  ExpectServesAGoodClient();
}

TEST_F(BadPeerTest, CellsAndSlicesThatDoNotExistAreRefused) {
  v1::ExchangeRequest pull = bad_.NewRequest();
  pull.add_pull_cells(2);
  ExpectRefused(pull, grpc::StatusCode::FAILED_PRECONDITION,
                "pull of cell 2: the model has 2 cells");
  pull.set_pull_cells(0, 0);
  for (int i = 0; i < 1000; ++i) pull.add_pull_cells(0);
  ExpectRefused(pull, grpc::StatusCode::INVALID_ARGUMENT, "pull of 1001 cells, this server has 2");
  v1::ExchangeRequest push = bad_.NewRequest();
  push.set_final(true);
  AddContribution(~0u, 0, {1}, &push);
  ExpectRefused(push, grpc::StatusCode::FAILED_PRECONDITION, "push of cell 4294967295");
  push.clear_contributions();
  push.set_tree_index(1);
  ExpectRefused(push, grpc::StatusCode::INVALID_ARGUMENT, "the job has 1 slices");
  push.set_tree_index(0);
  push.set_tree_level(40);
  ExpectRefused(push, grpc::StatusCode::INVALID_ARGUMENT, "level 40");
  ExpectServesAGoodClient();
}

TEST_F(BadPeerTest, StepsOfThePastAndTheFarFutureChangeNothing) {
  ExpectServesAGoodClient();
  v1::ExchangeRequest request = bad_.NewRequest();
  FillPush(0, &request);
  EXPECT_EQ(bad_.Ask(request).code(), 0u);  // counted before
  EXPECT_EQ(server_.service().Stats().duplicates(), 1u);
  request = bad_.NewRequest();
  FillPush(~uint64_t{0}, &request);
  ExpectRefused(request, grpc::StatusCode::FAILED_PRECONDITION, "expects 1 next");
  ExpectServesAGoodClient();
}

// ---- clients that go away or do not listen

TEST_F(BadPeerTest, APushThatIsCancelledHalfwayIsCountedOnceWhenItIsSentAgain) {
  {
    ExchangeStream gone(server_.Connect(), 0, 1);
    v1::ExchangeRequest half = gone.NewRequest();
    FillPush(0, &half);
    half.set_final(false);
    EXPECT_EQ(gone.Ask(half).code(), 0u);
    gone.Cancel();
    EXPECT_EQ(gone.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // The same step again, in a new session: "weight" ignores it, "bias" and the server complete it.
  ExchangeStream back(server_.Connect(), 0, 2);
  v1::ExchangeRequest again = back.NewRequest();
  FillPush(0, &again);
  again.add_pull_cells(0);
  again.set_pull_version(1);
  again.set_pull_applied(true);
  const v1::ExchangeReply reply = back.Ask(again);
  ASSERT_EQ(reply.code(), 0u) << reply.message();
  EXPECT_THAT(Values(reply.cells(0)), ElementsAre(-1, -2, -3));
  EXPECT_EQ(server_.service().Stats().examples(), 1u);
}

TEST_F(BadPeerTest, AWaitOfAClientThatHasGoneHoldsUpNobody) {
  {
    ExchangeStream gone(server_.Connect(), kBad, 6);
    v1::ExchangeRequest wait = gone.NewRequest();
    wait.add_pull_cells(0);
    wait.set_pull_version(1);
    ASSERT_TRUE(gone.Write(wait));
    v1::ExchangeRequest pull = gone.NewRequest();
    pull.add_pull_cells(0);
    EXPECT_EQ(gone.Ask(pull).request_id(), pull.request_id());  // so the other one is parked
    EXPECT_EQ(server_.service().Stats().parked(), 1u);
  }
  ExpectServesAGoodClient();
  EXPECT_EQ(server_.service().Stats().parked(), 0u);
}

TEST(DeafPeerTest, AClientThatNeverReadsIsClosedAndOthersGoOn) {
  constexpr size_t kMaxBacklog = size_t{4} << 20;
  constexpr uint64_t kReply = 4 * 60'000;
  LinearServer server({.variables = {{"weight", {60'000}, Initializer::Zeros()}},
                       .max_backlog_bytes = kMaxBacklog});
  ExchangeStream deaf(server.Connect(), kBad, 1), good(server.Connect(), 0, 1);
  const auto pull = [](ExchangeStream& stream) {
    v1::ExchangeRequest request = stream.NewRequest();
    request.add_pull_cells(0);
    return request;
  };
  // The server stops reading a stream that it has closed, so a write fails at last; each good pull
  // in between shows that nobody else waits.
  uint64_t asked = 0;
  while (asked < 20'000 && deaf.Write(pull(deaf))) {
    if (++asked % 100 == 0) {
      ASSERT_EQ(good.Ask(pull(good)).cells(0).values_size(), 60'000);
    }
  }
  EXPECT_LT(asked, 20'000u);
  EXPECT_EQ(deaf.Finish().error_code(), grpc::StatusCode::CANCELLED);
  ASSERT_EQ(good.Ask(pull(good)).code(), 0u);
  // What was queued for the deaf one: its backlog, one reply above it, and what its connection's
  // windows took.
  const uint64_t good_bytes = (asked / 100 + 1) * (kReply + 100);
  constexpr uint64_t kWindows = uint64_t{16} << 20;
  EXPECT_LT(server.service().Stats().bytes_sent(), good_bytes + kMaxBacklog + kReply + kWindows);
}

// Each push changes the weights, so that no reply shares its memory with another one's.
TEST(DeafPeerTest, FiftyThatPushAndNeverReadTakeAsMuchMemoryAsTheirBacklogs) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's allocator keeps memory of its own";
  constexpr size_t kClients = 50, kMaxBacklog = size_t{1} << 20, kWeights = 60'000;
  LinearServer server({.mode = "async",
                       .variables = {{"weight", {kWeights}, Initializer::Zeros()}},
                       .max_backlog_bytes = kMaxBacklog});
  [[maybe_unused]] const uint64_t before = CurrentProcessUsage().peak_rss_bytes();
  size_t closed = 0;
  std::vector<std::unique_ptr<ExchangeStream>> all_of_them;
  for (size_t i = 0; i < kClients; ++i) {
    ExchangeStream& deaf = *all_of_them.emplace_back(
        std::make_unique<ExchangeStream>(server.Connect(), static_cast<uint32_t>(i), 1));
    v1::ExchangeRequest push = deaf.NewRequest();
    push.set_task(i + 1);
    push.set_examples(1);
    push.set_final(true);
    v1::Contribution& all = *push.add_contributions();
    all.mutable_values()->Resize(kWeights, 1.0f);
    push.add_pull_cells(0);
    uint64_t batch = 0;
    while (batch < 2000 && deaf.Write(push)) push.set_batch(++batch);
    if (batch < 2000) ++closed;
  }
  EXPECT_EQ(closed, kClients);
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed for a while
  // What is queued for one, a reply above that, and what gRPC keeps for a connection on both sides.
  constexpr uint64_t kConnection = uint64_t{6} << 20;
  EXPECT_LT(CurrentProcessUsage().peak_rss_bytes() - before,
            kClients * (kMaxBacklog + kWeights * sizeof(float) + kConnection));
#endif
  ExchangeStream good(server.Connect(), 0, 2);
  v1::ExchangeRequest pull = good.NewRequest();
  pull.add_pull_cells(0);
  EXPECT_EQ(good.Ask(pull).code(), 0u);
}

}  // namespace
}  // namespace convoy::testing
