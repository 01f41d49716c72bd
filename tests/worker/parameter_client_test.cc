// Real clients and servers on loopback, in one process: gradients and weights arrive exactly.
#include "worker/parameter_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/worker/loopback_cluster.h"
#include "worker/gradient_push.h"

namespace convoy {
namespace {

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

}  // namespace
}  // namespace convoy
