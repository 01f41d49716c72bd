// Snapshots of cells and buckets while they go on changing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Two ids of one bucket.
std::pair<uint64_t, uint64_t> Neighbours() {
  uint64_t other = 2;
  while (BucketOf(other) != BucketOf(1)) ++other;
  return {1, other};
}

std::vector<TableSpec> OneColumn() { return {{"emb", {{"v", 1, Initializer::Zeros()}}}}; }

ServerCore::Options Momentum() {
  ServerCore::Options options = SyncOptions(1);
  options.optimizer.mutable_momentum()->set_momentum(0.5);
  return options;
}

ServerCore::Options Deltas() {
  ServerCore::Options options = Momentum();
  options.deltas = true;
  return options;
}

ExchangeRequest StepOf(uint64_t step, RowGradients rows = {}) {
  ExchangeRequest request = PushStep(0, step, {0, 0}, {{0, {1, 1, 1}}, {1, {2}}});
  if (!rows.empty()) request.rows.push_back(Rows(0, std::move(rows)));
  return request;
}

TEST(SnapshotTest, ACellThatHasGoneOnGivesTheVersionThatWasArmed) {
  TestServer server(Momentum());
  Cell& cell = server.core->shard().cell(1);
  EXPECT_EQ(server.core->shard().ArmSnapshot(1), 1u);
  EXPECT_FALSE(cell.OutlineSnapshot().has_value()) << "it is not there yet";
  server.Reply(StepOf(0));
  server.Reply(StepOf(1));
  const std::optional<BlockSnapshot> taken = cell.TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->position.counts.version, 1u);
  EXPECT_EQ(taken->position.counts.updates, 1u);
  EXPECT_THAT(*taken->values, ElementsAre(-2));
  EXPECT_EQ(taken->slots[0].data()[0], 2) << "v = g";
  EXPECT_THAT(server.Weights(1), ElementsAre(-2 - 3)) << "v = 0.5 * 2 + 2";
  EXPECT_FALSE(cell.TakeSnapshot().has_value()) << "once";
}

TEST(SnapshotTest, AVersionThatSomeCellHasLeftIsRefusedAndNothingStaysArmed) {
  TestServer server(SyncOptions(1));
  server.Reply(StepOf(0));
  server.Reply(StepOf(1));
  EXPECT_EQ(server.core->shard().ArmSnapshot(1), 2u);
  EXPECT_FALSE(server.core->shard().cell(0).OutlineSnapshot().has_value());
  EXPECT_EQ(server.core->shard().ArmSnapshot(2), 2u);
  EXPECT_TRUE(server.core->shard().cell(0).OutlineSnapshot().has_value());
}

TEST(SnapshotTest, ContributionsToALaterStepAreNotInIt) {
  TestServer server(SyncOptions(2));
  server.core->shard().ArmSnapshot(1);
  server.Reply(PushStep(0, 0, {0, 0}, {{1, {2}}}));
  server.Reply(PushStep(0, 0, {0, 1}, {{1, {2}}}));
  server.Reply(PushStep(0, 1, {0, 0}, {{1, {100}}}));
  std::optional<BlockSnapshot> taken = server.core->shard().cell(1).TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->position.counts.examples, 2u);
  TestServer other(SyncOptions(2));
  other.core->shard().cell(1).Restore(*std::move(taken));
  EXPECT_THAT(other.Weights(1), ElementsAre(-2));
  EXPECT_EQ(other.Counts(1).version, 1u);
}

class BucketSnapshotTest : public ::testing::Test {
 protected:
  TestServer MakeServer(ServerCore::Options options) {
    return TestServer(std::move(options), SmallModel(), 1, OneColumn());
  }
  static TableBucket& Bucket(TestServer& server) {
    return server.core->shard().table(0).bucket(BucketOf(1));
  }
  const uint64_t a_ = Neighbours().first, b_ = Neighbours().second;
};

TEST_F(BucketSnapshotTest, HasNeitherTheChangesNorTheNewRowsOfLaterSteps) {
  TestServer server = MakeServer(Momentum());
  server.Reply(StepOf(0, {{a_, {1}}}));
  server.core->shard().ArmSnapshot(1);
  server.Reply(StepOf(1, {{a_, {1}}, {b_, {5}}}));
  server.Reply(StepOf(2, {{a_, {1}}, {b_, {5}}}));
  EXPECT_EQ(Bucket(server).OutlineSnapshot()->rows, 1u);
  const auto taken = Bucket(server).TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->rows.ids, ElementsAre(a_));
  EXPECT_THAT(taken->rows.weights, ElementsAre(-1));
  EXPECT_THAT(taken->rows.slots, ElementsAre(1));
  EXPECT_THAT(taken->rows.counters, ElementsAre(1, 1)) << "step, updates";
  EXPECT_EQ(taken->position.counts.version, 1u);
  EXPECT_EQ(server.core->Stats().rows(), 2u);
}

TEST_F(BucketSnapshotTest, HasTheRowsThatLaterStepsRemoved) {
  ServerCore::Options options = Momentum();
  v1::TableRule& rule = options.table_rules.emplace_back();
  rule.set_match("emb");
  rule.set_expire_after(1);
  TestServer server = MakeServer(options);
  server.Reply(StepOf(0, {{a_, {1}}}));
  server.core->shard().ArmSnapshot(1);
  for (uint64_t step = 1; step < 6; ++step) server.Reply(StepOf(step, {{b_, {1}}}));
  EXPECT_EQ(server.core->Stats().rows(), 1u) << "a_ is gone";
  EXPECT_EQ(Bucket(server).OutlineSnapshot()->rows, 1u);
  const auto taken = Bucket(server).TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->rows.ids, ElementsAre(a_));
  EXPECT_THAT(taken->rows.weights, ElementsAre(-1));
}

TEST_F(BucketSnapshotTest, OfChangesHasNewAndChangedRowsOnly) {
  TestServer server = MakeServer(Deltas());
  server.Reply(StepOf(0, {{a_, {1}}}));
  server.Reply(StepOf(1, {{b_, {5}}}));
  server.core->shard().ArmSnapshot(2);
  server.Reply(StepOf(2, {{a_, {1}}}));
  server.Reply(StepOf(3, {{b_, {1}}}));
  const auto outline = Bucket(server).OutlineSnapshot(1);
  ASSERT_TRUE(outline.has_value());
  EXPECT_TRUE(outline->possible);
  EXPECT_EQ(outline->rows, 2u);
  EXPECT_EQ(outline->stored, 1u) << "that of a_ changed at step 1, and after step 2";
  const auto taken = Bucket(server).TakeSnapshot(1);
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->rows.ids, ElementsAre(b_));
  EXPECT_THAT(taken->rows.weights, ElementsAre(-5));
  EXPECT_THAT(taken->removed, IsEmpty());
}

TEST_F(BucketSnapshotTest, OfChangesNamesTheRowsThatHaveGone) {
  ServerCore::Options options = Deltas();
  v1::TableRule& rule = options.table_rules.emplace_back();
  rule.set_match("emb");
  rule.set_expire_after(1);
  TestServer server = MakeServer(options);
  server.Reply(StepOf(0, {{a_, {1}}}));
  for (uint64_t step = 1; step < 5; ++step) server.Reply(StepOf(step, {{b_, {1}}}));
  server.core->shard().ArmSnapshot(5);
  server.Reply(StepOf(5, {{a_, {1}}}));
  const auto taken = Bucket(server).TakeSnapshot(1);
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->rows.ids, ElementsAre(b_));
  EXPECT_THAT(taken->removed, ElementsAre(a_));
}

// More than the bucket has rows, and than are remembered of a small bucket.
TEST_F(BucketSnapshotTest, OfChangesKeepsWhatItsOutlineSaysHoweverManyRowsGoMeanwhile) {
  ServerCore::Options options = Deltas();
  v1::TableRule& rule = options.table_rules.emplace_back();
  rule.set_match("emb");
  rule.set_expire_after(1);
  TestServer server = MakeServer(options);
  server.Reply(StepOf(0, {{a_, {1}}}));
  for (uint64_t step = 1; step < 5; ++step) server.Reply(StepOf(step, {{b_, {1}}}));
  server.core->shard().ArmSnapshot(5);
  EXPECT_EQ(Bucket(server).OutlineSnapshot(1)->removed, 1u);
  uint64_t id = b_;
  for (uint64_t step = 5; step < 105; ++step) {
    do ++id;
    while (BucketOf(id) != BucketOf(1));
    server.Reply(StepOf(step, {{id, {1}}}));
  }
  ASSERT_LT(server.core->Stats().rows(), 10u) << "the others have gone";
  EXPECT_TRUE(Bucket(server).OutlineSnapshot(1)->possible);
  const auto taken = Bucket(server).TakeSnapshot(1);
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->rows.ids, ElementsAre(b_));
  EXPECT_THAT(taken->removed, ElementsAre(a_));
}

TEST_F(BucketSnapshotTest, OfChangesIsNotPossibleWithoutTheOption) {
  TestServer server = MakeServer(Momentum());
  server.Reply(StepOf(0, {{a_, {1}}}));
  server.core->shard().ArmSnapshot(1);
  EXPECT_FALSE(Bucket(server).OutlineSnapshot(0)->possible);
}

TEST_F(BucketSnapshotTest, RestoredItGoesOnAsTheOneItWasTakenOf) {
  ServerCore::Options options = Momentum();
  v1::TableRule& rule = options.table_rules.emplace_back();
  rule.set_match("emb");
  rule.set_admit_after(2);
  TestServer server = MakeServer(options), other = MakeServer(options);
  server.Reply(StepOf(0, {{a_, {1}}}));
  server.Reply(StepOf(1, {{a_, {1}}, {b_, {1}}}));
  server.core->shard().ArmSnapshot(2);
  const auto taken = Bucket(server).TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  ASSERT_EQ(taken->waiting.size(), 1u);
  EXPECT_EQ(taken->waiting[0].id, b_);
  EXPECT_EQ(Bucket(other).Restore(*taken), absl::OkStatus());
  std::vector<ParkedRows> none;
  const auto next = [&](TestServer& of) {
    const auto block = CopyRows(RowIds(Ids({a_, b_})), Floats({1, 1}));
    const RowSum rows{block->rows.ids, {block->values.get(), 2}, {}, 1, block};
    Bucket(of).Push({.step = 2, .node = {0, 0}}, 2, rows, &none);
    of.core->shard().ArmSnapshot(kSnapshotNow);
    return *Bucket(of).TakeSnapshot();
  };
  const BucketSnapshot one = next(server), two = next(other);
  EXPECT_THAT(one.rows.ids, ElementsAre(a_, b_));
  EXPECT_EQ(one.rows.ids, two.rows.ids);
  EXPECT_EQ(Bits(one.rows.weights), Bits(two.rows.weights));
  EXPECT_EQ(Bits(one.rows.slots), Bits(two.rows.slots));
  EXPECT_EQ(one.rows.counters, two.rows.counters);
  EXPECT_THAT(two.waiting, IsEmpty());
}

TEST_F(BucketSnapshotTest, TheVersionBeforeARestoredOneIsGone) {
  TestServer server = MakeServer(Momentum()), other = MakeServer(Momentum());
  server.Reply(StepOf(0, {{a_, {1}}}));
  server.Reply(StepOf(1, {{a_, {1}}}));
  server.core->shard().ArmSnapshot(2);
  const auto taken = Bucket(server).TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  ASSERT_EQ(Bucket(other).Restore(*taken), absl::OkStatus());
  const auto pull = [&](uint64_t version) {
    ExchangeRequest request = NewRequest(0);
    request.pull_version = version;
    request.pull_rows.push_back(PullOf(0, {a_}));
    return other.Reply(request);
  };
  const ExchangeReply before = pull(1);
  EXPECT_EQ(before.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(before.message, ::testing::HasSubstr("at version 1: it is at 2, which it was "
                                                   "restored at, and remembers nothing before"));
  EXPECT_THAT(Values(pull(2).rows.at(0).values), ElementsAre(-1 - 1.5f)) << "v = 0.5 * 1 + 1";
}

TEST(SnapshotTest, ABatchThatComesLaterHasNeitherItsMarkNorItsEffectInIt) {
  TestServer server(TaskOptions({Mode::Kind::kAsync, 0}));
  server.Reply(PushBatch(0, 1, 0, {{1, {1}}}));
  server.core->shard().ArmSnapshot(kSnapshotNow);
  server.Reply(PushBatch(0, 1, 1, {{1, {1}}}));
  const auto taken = server.core->shard().cell(1).TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->position.marks, ElementsAre(std::make_pair(uint64_t{1}, uint64_t{1})));
  EXPECT_EQ(taken->position.counts.examples, 1u);
  EXPECT_THAT(*taken->values, ElementsAre(-1));
}

TEST(SnapshotTest, MarksAndCompleteTasksAreThoseOfTheMomentItWasArmed) {
  TestServer server(TaskOptions({Mode::Kind::kAsync, 0}));
  Shard& shard = server.core->shard();
  server.Reply(PushBatch(0, 1, 0, {{1, {1}}}));
  shard.ArmSnapshot(kSnapshotNow);
  // Task 1 is complete now; the snapshot has its mark still, and not that it is complete.
  ExchangeRequest next = PushBatch(0, 2, 0, {{1, {1}}});
  next.completed_task = 1;
  server.Reply(next);
  EXPECT_THAT(shard.SnapshotTasks().all(), IsEmpty());
  const auto taken = shard.cell(1).TakeSnapshot();
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->position.marks, ElementsAre(std::make_pair(uint64_t{1}, uint64_t{1})));
  EXPECT_THAT(*taken->values, ElementsAre(-1));
  shard.DisarmSnapshot();
  EXPECT_TRUE(shard.IsComplete(1));
  EXPECT_FALSE(shard.IsComplete(2));
}

}  // namespace
}  // namespace convoy::testing
