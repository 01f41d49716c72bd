// What weights are held near (optimizer.anchor), where workers take the steps: servers keep it and
// hand it out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/optimizers/anchored.h"
#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Ranges "bias" of 1 column, which is not anchored, and "v" of 2. All begin at 0.5.
std::vector<TableSpec> AnchoredTable() {
  return {
      {"emb", {{"bias", 1, Initializer::Constant(0.5f)}, {"v", 2, Initializer::Constant(0.5f)}}}};
}

// "w" is anchored, "b" is not; of the table "v".
ServerCore::Options Anchored(ServerCore::Options options) {
  options.optimizer.set_anchor(3);
  v1::Override& rule = *options.optimizer.add_override();
  rule.set_match("b|emb/bias");
  rule.set_anchor(0);
  return options;
}

// "w" begins with the anchors 10, 11, none; row 7 is (1, 2, 3), held at (2, 3).
class AnchorsTest : public ::testing::Test {
 protected:
  void Make(const ServerCore::Options& options) {
    server_.emplace(options, SmallModel(), /*servers=*/1, AnchoredTable());
    Cell& cell = server_->core->shard().cell(0);
    BlockSnapshot block = cell.MakeSnapshot({});
    ASSERT_EQ(block.slots.size(), 1u);
    const std::vector<float> anchors = {10, 11, kNotAnchored};
    std::ranges::fill(*block.values, 0.0f);
    std::ranges::copy(anchors, block.slots[0].data());
    cell.Restore(std::move(block));
    BucketSnapshot bucket;
    bucket.rows = {{7}, {1, 2, 3}, {2, 3}, {0, 0}};
    ASSERT_TRUE(server_->core->shard().table(0).bucket(BucketOf(7)).Restore(bucket).ok());
  }
  ExchangeReply PullAnchors(std::vector<uint32_t> cells) {
    ExchangeRequest request = NewRequest(0);
    request.pull_anchors.assign(cells.begin(), cells.end());
    return server_->Reply(request);
  }
  ExchangeRequest PullRows(std::vector<uint64_t> ids, uint64_t version, bool anchors = true) {
    ExchangeRequest request = NewRequest(0);
    request.pull_version = version;
    request.pull_rows.push_back(PullOf(0, std::move(ids), anchors));
    return request;
  }
  std::vector<float> Rows(std::vector<uint64_t> ids, uint64_t version) {
    const ExchangeReply reply = server_->Reply(PullRows(std::move(ids), version));
    EXPECT_EQ(reply.code, absl::StatusCode::kOk) << reply.message;
    return reply.rows.size() == 1 ? Values(reply.rows[0].values) : std::vector<float>();
  }
  void PushDifference(uint64_t step, uint64_t id) {
    ExchangeRequest push = PushStep(0, step, {0, 0}, {{0, {1, 1, 1}}});
    push.rows.push_back(testing::Rows(0, {{id, {4, 4, 4}}}));
    ASSERT_EQ(server_->Reply(push).code, absl::StatusCode::kOk);
  }

  std::optional<TestServer> server_;
};

TEST_F(AnchorsTest, AWorkerGetsThoseOfVariablesAndNoStepChangesThem) {
  Make(Anchored(LocalSgdOptions(1)));
  for (uint64_t step = 0; step < 3; ++step) {
    const ExchangeReply reply = PullAnchors({1, 0});
    ASSERT_EQ(reply.anchors.size(), 2u) << reply.message;
    EXPECT_EQ(reply.anchors[0].cell, 1u);
    EXPECT_THAT(Values(reply.anchors[0].values), IsEmpty());
    EXPECT_EQ(reply.anchors[1].cell, 0u);
    EXPECT_EQ(Bits(Values(reply.anchors[1].values)), Bits({10, 11, kNotAnchored}));
    PushDifference(step, 7);
  }
  EXPECT_THAT(server_->Weights(0), ElementsAre(3, 3, 3)) << "the differences alone";
}

TEST_F(AnchorsTest, RowsBringTheirAnchorsAndNewOnesHaveNone) {
  Make(Anchored(LocalSgdOptions(1)));
  EXPECT_THAT(Rows({7}, 0), ElementsAre(1, 2, 3, 2, 3));
  EXPECT_EQ(Bits(Rows({8}, 0)), Bits({0.5f, 0.5f, 0.5f, kNotAnchored, kNotAnchored}));
  const ExchangeReply weights = server_->Reply(PullRows({7}, 0, /*anchors=*/false));
  EXPECT_THAT(Values(weights.rows.at(0).values), ElementsAre(1, 2, 3));
  PushDifference(0, 7);
  PushDifference(1, 8);
  EXPECT_THAT(Rows({7}, 2), ElementsAre(5, 6, 7, 2, 3));
  EXPECT_EQ(Bits(Rows({8}, 2)), Bits({4.5f, 4.5f, 4.5f, kNotAnchored, kNotAnchored}));
}

// For a slice in arrears: all as they were before the step.
TEST_F(AnchorsTest, ARowThatTheLastStepRemovedIsStillHeldAtTheVersionBeforeIt) {
  ServerCore::Options options = Anchored(LocalSgdOptions(1));
  options.table_rules.emplace_back().set_expire_after(1);
  Make(options);
  uint64_t other = 8;  // of the same bucket
  while (BucketOf(other) != BucketOf(7)) ++other;
  uint64_t step = 0;
  while (server_->core->Stats().rows() != 1 || step < 2) {
    ASSERT_LT(step, 10u);
    PushDifference(step++, other);
  }
  EXPECT_EQ(Bits(Rows({7}, step)), Bits({0.5f, 0.5f, 0.5f, kNotAnchored, kNotAnchored}));
  EXPECT_THAT(Rows({7}, step - 1), ElementsAre(1, 2, 3, 2, 3));
  PushDifference(step, 7);
  EXPECT_EQ(Bits(Rows({7}, step + 1)), Bits({4.5f, 4.5f, 4.5f, kNotAnchored, kNotAnchored}))
      << "it came again, as a new one";
}

TEST_F(AnchorsTest, APullThatWaitsForAVersionGetsThemToo) {
  Make(Anchored(LocalSgdOptions(1)));
  EXPECT_TRUE(server_->Handle(PullRows({7}, 1)).empty());
  ExchangeRequest push = PushStep(1, 0, {0, 0}, {});
  push.rows.push_back(testing::Rows(0, {{7, {4, 4, 4}}}));
  const auto out = server_->Handle(push);
  ASSERT_EQ(out.size(), 2u);
  const ExchangeReply& reply = out[0].stream == 0 ? out[0].reply : out[1].reply;
  EXPECT_THAT(Values(reply.rows.at(0).values), ElementsAre(5, 6, 7, 2, 3));
}

TEST_F(AnchorsTest, InGeoTheyComeWithTheNewestRows) {
  Make(Anchored(TaskOptions({.kind = Mode::Kind::kGeo})));
  ExchangeRequest push = PushBatch(0, 1, 0, {});
  push.rows.push_back(testing::Rows(0, {{7, {4, 4, 4}}}));
  server_->Reply(push);
  EXPECT_THAT(Rows({7}, 0), ElementsAre(5, 6, 7, 2, 3));
  EXPECT_EQ(PullAnchors({0}).anchors.size(), 1u);
}

TEST_F(AnchorsTest, PullsThatCanNotBeMeantAreRefused) {
  Make(Anchored(LocalSgdOptions(1)));
  EXPECT_THAT(PullAnchors({2}).message,
              HasSubstr("pull of the anchors of cell 2: the model has 2"));
  EXPECT_THAT(PullAnchors({0, 0, 0}).message, HasSubstr("pull of the anchors of 3 cells"));
  Make(Anchored(SyncOptions(1)));
  for (const ExchangeReply& reply : {PullAnchors({0}), server_->Reply(PullRows({7}, 0))}) {
    EXPECT_EQ(reply.code, absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(reply.message, HasSubstr("pull of anchors: in mode sync servers use them"));
  }
}

}  // namespace
}  // namespace convoy::testing
