// ServerCore with embedding tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Table 0 of 2 columns that begin at 0.5.
std::vector<TableSpec> SmallTable() { return {{"emb", {{"v", 2, Initializer::Constant(0.5f)}}}}; }

TestServer MakeServer(ServerCore::Options options, uint32_t servers = 1) {
  return TestServer(std::move(options), SmallModel(), servers, SmallTable());
}

std::vector<float> Pull(TestServer& server, std::vector<uint64_t> ids,
                        uint64_t version = kNewestVersion) {
  ExchangeRequest request = NewRequest(0);
  request.pull_version = version;
  request.pull_rows.push_back(PullOf(0, std::move(ids)));
  const ExchangeReply reply = server.Reply(request);
  EXPECT_EQ(reply.code, absl::StatusCode::kOk) << reply.message;
  return reply.rows.size() == 1 ? Values(reply.rows[0].values) : std::vector<float>();
}

ExchangeRequest PushRows(uint32_t worker, uint64_t step, TreeNode node, RowGradients rows,
                         uint32_t examples = 1) {
  ExchangeRequest request = PushStep(worker, step, node, {}, examples);
  request.rows.push_back(Rows(0, std::move(rows)));
  return request;
}

TEST(ServerCoreTableTest, AnUnknownIdReadsAsItsInitialValueAndNothingIsMade) {
  TestServer server = MakeServer(SyncOptions(1));
  EXPECT_THAT(Pull(server, {1, ~uint64_t{0}}), ElementsAre(0.5f, 0.5f, 0.5f, 0.5f));
  EXPECT_EQ(server.core->Stats().rows(), 0u);
}

TEST(ServerCoreTableTest, AStepChangesTheRowsThatItNamesAndTheOneBeforeStaysReadable) {
  TestServer server = MakeServer(SyncOptions(1));
  EXPECT_EQ(server.Reply(PushRows(0, 0, {0, 0}, {{7, {1, 2}}})).code, absl::StatusCode::kOk);
  EXPECT_EQ(server.core->Stats().rows(), 1u);
  EXPECT_THAT(Pull(server, {7}, 1), ElementsAre(-0.5f, -1.5f));
  EXPECT_THAT(Pull(server, {7}, 0), ElementsAre(0.5f, 0.5f));
  server.Reply(PushRows(0, 1, {0, 0}, {{8, {1, 1}}}));
  EXPECT_THAT(Pull(server, {7}, 1), ElementsAre(-0.5f, -1.5f)) << "not changed by the step";
  EXPECT_THAT(Pull(server, {8}, 1), ElementsAre(0.5f, 0.5f)) << "made by the step";
  ExchangeRequest old = NewRequest(0);
  old.pull_version = 0;
  old.pull_rows.push_back(PullOf(0, {7}));
  const ExchangeReply reply = server.Reply(old);
  EXPECT_EQ(reply.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(reply.message, HasSubstr("\"emb\" bucket"));
}

TEST(ServerCoreTableTest, SlicesAreAddedAlongTheTreeRowByRow) {
  TestServer server = MakeServer(SyncOptions(3, 3));
  server.Handle(PushRows(2, 0, {0, 2}, {{5, {-1e8f, 0.3f}}, {6, {3, 3}}}));
  server.Handle(PushRows(0, 0, {0, 0}, {{5, {1e8f, 0.1f}}}));
  server.Handle(PushRows(1, 0, {0, 1}, {{5, {1, 0.2f}}, {4, {6, 6}}}));
  const std::vector<float> sum = TreeSum({{1e8f, 0.1f}, {1, 0.2f}, {-1e8f, 0.3f}});
  const float third = 1.0f / 3;
  EXPECT_EQ(Bits(Pull(server, {5}, 1)), Bits({0.5f - sum[0] * third, 0.5f - sum[1] * third}));
  EXPECT_EQ(Bits(Pull(server, {6}, 1)), Bits({0.5f - 3 * third, 0.5f - 3 * third}))
      << "of one slice";
}

TEST(ServerCoreTableTest, APullOfTheNextVersionWaitsForAllSlices) {
  TestServer server = MakeServer(SyncOptions(2, 2));
  ExchangeRequest pull = NewRequest(0);
  pull.pull_version = 1;
  pull.pull_rows.push_back(PullOf(0, {1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_TRUE(server.Handle(pull).empty());
  EXPECT_EQ(server.Handle(PushRows(0, 0, {0, 0}, {{3, {2, 2}}})).size(), 1u);
  const auto out = server.Handle(PushRows(1, 0, {0, 1}, {}));
  ASSERT_EQ(out.size(), 2u);
  const ExchangeReply& reply = out[0].stream == 0 ? out[0].reply : out[1].reply;
  const std::vector<uint64_t> order = InOrder({1, 2, 3, 4, 5, 6, 7, 8});
  const std::vector<float> values = Values(reply.rows.at(0).values);
  ASSERT_EQ(values.size(), 16u);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(values[2 * i], order[i] == 3 ? -0.5f : 0.5f) << order[i];
  EXPECT_EQ(server.core->Stats().parked(), 0u);
}

TEST(ServerCoreTableTest, WhatIsSentTwiceCountsOnce) {
  for (const bool tasks : {false, true}) {
    TestServer server = MakeServer(tasks ? TaskOptions({Mode::Kind::kAsync, 0}) : SyncOptions(1));
    ExchangeRequest push = tasks ? PushBatch(0, 1, 0, {}) : PushStep(0, 0, {0, 0}, {});
    push.rows.push_back(Rows(0, {{1, {1, 1}}, {2, {1, 1}}}));
    server.Reply(push);
    EXPECT_EQ(server.Reply(push).code, absl::StatusCode::kOk);
    EXPECT_THAT(Pull(server, {1}), ElementsAre(-0.5f, -0.5f));
    EXPECT_GE(server.core->Stats().duplicates(), 2u);
  }
}

TEST(ServerCoreTableTest, AsyncAppliesOnArrivalAndSaysHowStaleItWas) {
  TestServer server = MakeServer(TaskOptions({Mode::Kind::kAsync, 0}));
  for (uint64_t batch = 0; batch < 3; ++batch) {
    ExchangeRequest push = PushBatch(0, 1, batch, {});
    push.rows.push_back(Rows(0, {{9, {1, 0}}}, /*base_version=*/0));
    const ExchangeReply reply = server.Reply(push);
    EXPECT_EQ(reply.staleness.count, 1u);
    EXPECT_EQ(reply.staleness.sum, batch) << "updates of the bucket since version 0";
  }
  EXPECT_THAT(Pull(server, {9}), ElementsAre(-2.5f, 0.5f));
}

// Rates and rules of the job do not matter: the worker has applied them.
ServerCore::Options WithSlots(ServerCore::Options options) {
  options.optimizer.mutable_adam();
  options.optimizer.set_learning_rate(0.25);
  return options;
}

// Differences times their examples, over all examples: (1 * 4 + 3 * 2) / 4 and (3 * 4) / 4.
TEST(ServerCoreTableTest, LocalSgdAddsTheAverageOfTheSlicesDifferences) {
  TestServer server = MakeServer(LocalSgdOptions(2));
  server.Handle(PushRows(0, 0, {0, 0}, {{7, {4, 0}}}, /*examples=*/1));
  server.Handle(PushRows(0, 0, {0, 1}, {{7, {6, 12}}, {8, {2, 2}}}, /*examples=*/3));
  EXPECT_THAT(Pull(server, {7}, 1), ElementsAre(3.0f, 3.5f));
  EXPECT_THAT(Pull(server, {8}, 1), ElementsAre(1.0f, 1.0f));
  EXPECT_THAT(Pull(server, {7}, 0), ElementsAre(0.5f, 0.5f)) << "for a slice in arrears";
}

TEST(ServerCoreTableTest, GeoAddsEachDifferenceAsItIs) {
  TestServer server = MakeServer(WithSlots(TaskOptions({Mode::Kind::kGeo, 0})));
  for (uint64_t batch = 0; batch < 2; ++batch) {
    ExchangeRequest push = PushBatch(0, 1, batch, {}, 0, /*examples=*/5);
    push.rows.push_back(Rows(0, {{9, {1, -2}}}, /*base_version=*/0));
    EXPECT_EQ(server.Reply(push).staleness.sum, batch);
  }
  EXPECT_THAT(Pull(server, {9}), ElementsAre(2.5f, -3.5f));
}

TEST(ServerCoreTableTest, RowsOfLocalStepsHaveNoSlotsOnTheServer) {
  TestServer local = MakeServer(LocalSgdOptions(1));
  TestServer sync = MakeServer(WithSlots(SyncOptions(1)));
  local.Reply(PushRows(0, 0, {0, 0}, {{7, {1, 2}}}));
  sync.Reply(PushRows(0, 0, {0, 0}, {{7, {1, 2}}}));
  // Chunks of 4 rows; Adam has 2 slots of 2 floats.
  EXPECT_EQ(sync.core->Stats().table_bytes() - local.core->Stats().table_bytes(), 4u * 4 * 4);
}

TEST(ServerCoreTableTest, ADifferenceOfAnIdThatIsNotAdmittedIsDropped) {
  ServerCore::Options options = LocalSgdOptions(2);
  options.table_rules.emplace_back().set_admit_after(3);
  TestServer server = MakeServer(std::move(options));
  const auto round = [&](uint64_t step) {
    server.Handle(PushRows(0, step, {0, 0}, {{7, {2, 2}}}));
    server.Handle(PushRows(0, step, {0, 1}, {{7, {2, 2}}}));
  };
  round(0);
  EXPECT_THAT(Pull(server, {7}, 1), ElementsAre(0.5f, 0.5f)) << "seen by two slices";
  round(1);
  EXPECT_THAT(Pull(server, {7}, 2), ElementsAre(2.5f, 2.5f)) << "of this round alone";
}

TEST(ServerCoreTableTest, BadRequestsAreRefusedAndChangeNothing) {
  TestServer server = MakeServer(SyncOptions(1), /*servers=*/2);
  std::vector<uint64_t> here, there;  // of server 0 and of server 1
  for (uint64_t id = 0; here.size() < 3 || there.empty(); ++id)
    (BucketOf(id) % 2 == 0 ? here : there).push_back(id);
  here = InOrder(here);
  const auto message = [&](const RowContribution& rows) {
    ExchangeRequest request = PushStep(0, 0, {0, 0}, {});
    request.rows.push_back(rows);
    const ExchangeReply reply = server.Reply(request);
    EXPECT_NE(reply.code, absl::StatusCode::kOk);
    return reply.message;
  };
  EXPECT_THAT(message({1, 0, Ids(here), Floats({})}), HasSubstr("table 1: the model has 1 tables"));
  EXPECT_THAT(message(Rows(0, {{there[0], {1, 1}}})),
              HasSubstr("it is on server 1, this is server 0"));
  EXPECT_THAT(message({0, 0, Ids({here[1], here[0]}), Floats({1, 1, 1, 1})}),
              HasSubstr("ids must ascend by (bucket, id)"));
  EXPECT_THAT(message({0, 0, Ids({here[0], here[0]}), Floats({1, 1, 1, 1})}),
              HasSubstr("each once"));
  EXPECT_THAT(message({0, 0, Ids({here[0]}), Floats({1})}), HasSubstr("want 1 rows of 2 float32"));
  EXPECT_THAT(message(Rows(0, {{here[0], {1, std::nanf("")}}})),
              HasSubstr("not a finite number at column 1 of row"));
  EXPECT_EQ(server.core->Stats().rows(), 0u);
  EXPECT_EQ(server.core->Stats().max_version(), 0u);
}

// One batch of task 1 with gradients of rows.
ExchangeRequest PushBatchOfRows(uint64_t batch, RowGradients rows) {
  ExchangeRequest request = PushBatch(0, 1, batch, {});
  request.rows.push_back(Rows(0, std::move(rows)));
  return request;
}

TEST(ServerCoreTableTest, RowsThatWereNotUpdatedForATimeGo) {
  ServerCore::Options options = TaskOptions({Mode::Kind::kAsync, 0});
  options.table_rules.emplace_back().set_expire_after_seconds(60);
  TestServer server = MakeServer(options);
  uint64_t other = 8;  // of the same bucket as 7: time is looked at when an update comes
  while (BucketOf(other) != BucketOf(7)) ++other;
  server.Reply(PushBatchOfRows(0, {{7, {1, 1}}}));
  server.now += absl::Seconds(60);
  server.Reply(PushBatchOfRows(1, {{other, {1, 1}}}));
  EXPECT_EQ(server.core->Stats().rows(), 2u);
  server.now += absl::Seconds(8);
  server.Reply(PushBatchOfRows(2, {{other, {1, 1}}}));
  EXPECT_EQ(server.core->Stats().rows(), 1u);
  EXPECT_THAT(Pull(server, {7}), ElementsAre(0.5f, 0.5f)) << "as a new row";
  EXPECT_THAT(Pull(server, {other}), ElementsAre(-1.5f, -1.5f));
}

// Of 24 steps: old rows are looked for every third one.
TEST(ServerCoreTableTest, WhenARowGoesDependsOnTheStepAloneAndNotOnTheRestOfItsBucket) {
  ServerCore::Options options = SyncOptions(1);
  options.table_rules.emplace_back().set_expire_after(24);
  uint64_t beside = 8, elsewhere = 8;
  while (BucketOf(beside) != BucketOf(7)) ++beside;
  while (BucketOf(elsewhere) == BucketOf(7)) ++elsewhere;
  for (const uint64_t other : {beside, elsewhere}) {
    TestServer server = MakeServer(options);
    server.Reply(PushRows(0, 0, {0, 0}, {{7, {1, 1}}}));
    uint64_t step = 1;
    for (; step < 26; ++step) {
      server.Reply(PushRows(0, step, {0, 0},
                            step % 2 == 0 ? RowGradients{{other, {1, 1}}} : RowGradients{}));
    }
    EXPECT_EQ(server.core->Stats().rows(), 2u) << other;
    server.core->shard().ArmSnapshot(26);
    server.Reply(PushRows(0, step++, {0, 0}, {}));
    EXPECT_EQ(server.core->Stats().rows(), 1u) << other << ": gone with the update to version 27";
    EXPECT_THAT(Pull(server, {7}, step), ElementsAre(0.5f, 0.5f));
    EXPECT_THAT(Pull(server, {7}, step - 1), ElementsAre(-0.5f, -0.5f)) << "as it was";
    const auto saved = server.core->shard().table(0).bucket(BucketOf(7)).TakeSnapshot();
    ASSERT_TRUE(saved.has_value());
    EXPECT_THAT(saved->rows.ids, ::testing::Contains(7u)) << "it was there at version 26";
    server.core->shard().DisarmSnapshot();
  }
}

TEST(ServerCoreTableTest, InModesWithTasksRowsAlsoGoInBucketsThatTheBatchDoesNotName) {
  ServerCore::Options options = TaskOptions({Mode::Kind::kAsync, 0});
  options.table_rules.emplace_back().set_expire_after(8);
  TestServer server = MakeServer(options);
  uint64_t elsewhere = 8;
  while (BucketOf(elsewhere) == BucketOf(7)) ++elsewhere;
  server.Reply(PushBatchOfRows(0, {{7, {1, 1}}}));
  uint64_t batch = 1;
  for (; batch < 9; ++batch) server.Reply(PushBatchOfRows(batch, {{elsewhere, {1, 1}}}));
  EXPECT_EQ(server.core->Stats().rows(), 2u);
  server.Reply(PushBatchOfRows(batch, {{elsewhere, {1, 1}}}));
  EXPECT_EQ(server.core->Stats().rows(), 1u);
}

TEST(ServerCoreTableTest, TheBlocksAndBucketsThatCarriedMostAreNamed) {
  TestServer server = MakeServer(TaskOptions({Mode::Kind::kAsync, 0}));
  EXPECT_EQ(server.core->Stats().busiest_size(), 0);
  server.Reply(PushBatchOfRows(0, {{7, {1, 1}}}));
  for (int i = 0; i < 3; ++i) Pull(server, {7});
  Pull(server, {8});
  server.Reply(PullStep(0, kNewestVersion, {0}));
  const v1::ServerStats stats = server.core->Stats();
  ASSERT_EQ(stats.busiest_size(), 3);
  EXPECT_EQ(stats.busiest(0).name(), absl::StrCat("\"emb\" bucket ", BucketOf(7)));
  EXPECT_EQ(stats.busiest(0).bytes(), 4u * (8 + 2 * 4)) << "one push, three pulls";
  EXPECT_EQ(stats.busiest(1).name(), absl::StrCat("\"emb\" bucket ", BucketOf(8)));
  EXPECT_EQ(stats.busiest(1).bytes(), 16u);
  EXPECT_EQ(stats.busiest(2).name(), "\"w\" block 0");
  EXPECT_EQ(stats.busiest(2).bytes(), 12u);
}

// Slice 0 is missing, so 1 and 2 are out of order: there is room for twice the largest push.
TEST(ServerCoreTableTest, RowsOutOfOrderHaveRoomForTwoOfTheLargestPushes) {
  TestServer server = MakeServer(SyncOptions(8, 8));
  const auto push = [&](uint32_t slice, std::vector<uint64_t> ids) {
    RowGradients rows;
    for (const uint64_t id : ids) rows.push_back({id, {1, 1}});
    return server.Reply(PushRows(slice, 0, {0, slice}, rows)).retry_later;
  };
  // The largest has 4 rows of 8 bytes, and the variables have 16: there is room for 2 * 32 + 2
  // * 16.
  EXPECT_FALSE(push(1, {1, 2, 3, 4}));
  EXPECT_FALSE(push(2, {1, 2, 3, 4}));
  EXPECT_FALSE(push(3, {5, 6, 7, 8})) << "96 bytes";
  EXPECT_TRUE(push(4, {9}));
  EXPECT_FALSE(push(0, {1})) << "the lowest is always admitted";
  EXPECT_FALSE(push(4, {9})) << "now the lowest";
  for (uint32_t slice = 5; slice < 8; ++slice) EXPECT_FALSE(push(slice, {9}));
  EXPECT_EQ(server.core->Stats().stored_bytes(), 0u);
  EXPECT_EQ(server.core->Stats().rows(), 9u);
}

TEST(ServerCoreTableTest, ATableIsReadBucketByBucket) {
  TestServer server = MakeServer(SyncOptions(1));
  server.Reply(PushRows(0, 0, {0, 0}, {{7, {1, 2}}}));
  v1::ReadTableRequest request;
  request.set_job_id(kJob);
  request.set_bucket(BucketOf(7));
  const absl::StatusOr<v1::ReadTableReply> rows = server.core->ReadTable(request);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(rows->ids(), ElementsAre(7u));
  EXPECT_THAT(rows->values(), ElementsAre(-0.5f, -1.5f));
  request.set_count_only(true);
  EXPECT_EQ(server.core->ReadTable(request)->rows(), 1u);
  EXPECT_EQ(server.core->ReadTable(request)->ids_size(), 0);
  request.set_table(1);
  EXPECT_EQ(server.core->ReadTable(request).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace convoy::testing
