// Convoy's own bytes against the classes that protoc generates from the contract.
#include <gtest/gtest.h>

#include "common/net/exchange.h"
#include "proto/parameter_server.pb.h"
#include "tests/common/net/wire_text.h"

namespace convoy {
namespace {

using testing::Floats;
using testing::Text;

// Every field has a value of its own, at the upper end where there is one.
ExchangeRequest FullRequest() {
  ExchangeRequest r;
  r.job_id = 0xfedcba9876543210u;
  r.generation = 300;
  r.request_id = 1;
  r.worker = ~uint32_t{0};
  r.session = 7;
  r.step = ~uint64_t{0};
  r.node = {2, 130};
  r.task = 99;
  r.batch = 100000;
  r.examples = 128;
  r.final = true;
  r.contributions.push_back({4000000000u, 77, Floats({1.5f, -0.0f, 3e-39f})});
  r.contributions.push_back({0, 0, Payload()});
  r.contributions.push_back({2, ~uint64_t{0}, Floats(std::vector<float>(300, 0.25f))});
  r.pull_cells = {5, 0, 5, 4000000000u};
  r.pull_version = kNewestVersion;
  r.pull_applied = true;
  r.clock = 41;
  r.clock_event = ClockEvent::kLeave;
  r.completed_task = 17;
  r.pull_rows.push_back({3, Floats({1.0f, 2.0f}), /*anchors=*/true});  // 8 bytes: one id
  r.pull_rows.push_back({0, Payload()});
  r.pull_anchors = {7, 0, 4000000000u};
  return r;
}

ExchangeReply FullReply() {
  ExchangeReply r;
  r.request_id = 1234567;
  r.code = absl::StatusCode::kResourceExhausted;
  r.message = "über \"x\"";
  r.cells.push_back({3, 9, Floats({-1.0f, 2.0f})});
  r.cells.push_back({0, 0, Payload()});
  r.anchors.push_back({7, 0, Floats({-0.0f, 4.0f})});
  r.anchors.push_back({0, 0, Payload()});
  r.retry_later = true;
  r.expected_step = 1ull << 40;
  r.staleness = {3, 12, 7, 1};
  r.step_gone = true;
  r.applied_step = 1ull << 33;
  return r;
}

v1::ExchangeRequest Generated(const ExchangeRequest& r) {
  v1::ExchangeRequest g;
  g.set_job_id(r.job_id);
  g.set_generation(r.generation);
  g.set_request_id(r.request_id);
  g.set_worker(r.worker);
  g.set_session(r.session);
  g.set_step(r.step);
  g.set_tree_level(r.node.level);
  g.set_tree_index(r.node.index);
  g.set_task(r.task);
  g.set_batch(r.batch);
  g.set_examples(r.examples);
  g.set_final(r.final);
  for (const Contribution& c : r.contributions) {
    v1::Contribution* to = g.add_contributions();
    to->set_cell(c.cell);
    to->set_base_version(c.base_version);
    ForEachFloatRun(
        c.values, [to](const float* v, size_t n, size_t) { to->mutable_values()->Add(v, v + n); });
  }
  for (uint32_t cell : r.pull_cells) g.add_pull_cells(cell);
  for (uint32_t cell : r.pull_anchors) g.add_pull_anchors(cell);
  for (const RowPull& pull : r.pull_rows) {
    v1::RowPull* to = g.add_pull_rows();
    to->set_table(pull.table);
    std::vector<uint64_t> ids(pull.ids.size() / sizeof(uint64_t));
    pull.ids.CopyTo(ids.data());
    to->mutable_ids()->Add(ids.begin(), ids.end());
    to->set_anchors(pull.anchors);
  }
  g.set_pull_version(r.pull_version);
  g.set_pull_applied(r.pull_applied);
  g.set_clock(r.clock);
  g.set_clock_event(static_cast<v1::ClockEvent>(r.clock_event));
  g.set_completed_task(r.completed_task);
  return g;
}

void Copy(const CellValues& from, v1::CellValues* to) {
  to->set_cell(from.cell);
  to->set_version(from.version);
  ForEachFloatRun(from.values,
                  [to](const float* v, size_t n, size_t) { to->mutable_values()->Add(v, v + n); });
}

v1::ExchangeReply Generated(const ExchangeReply& r) {
  v1::ExchangeReply g;
  g.set_request_id(r.request_id);
  g.set_code(static_cast<uint32_t>(r.code));
  g.set_message(r.message);
  for (const CellValues& c : r.cells) Copy(c, g.add_cells());
  for (const CellValues& c : r.anchors) Copy(c, g.add_anchors());
  g.set_retry_later(r.retry_later);
  g.set_expected_step(r.expected_step);
  g.set_staleness_count(static_cast<uint32_t>(r.staleness.count));
  g.set_staleness_sum(r.staleness.sum);
  g.set_staleness_max(r.staleness.max);
  g.set_staleness_min(r.staleness.min);
  g.set_step_gone(r.step_gone);
  g.set_applied_step(r.applied_step);
  return g;
}

TEST(ExchangeEncodeTest, GeneratedClassesReadEveryFieldOfARequest) {
  const WireMessage message = Encode(FullRequest());
  const std::string bytes = message.ToString();
  EXPECT_EQ(message.size(), bytes.size());
  v1::ExchangeRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  EXPECT_EQ(parsed.SerializeAsString(), Generated(FullRequest()).SerializeAsString());
}

TEST(ExchangeEncodeTest, GeneratedClassesReadEveryFieldOfAReply) {
  const WireMessage message = Encode(FullReply());
  v1::ExchangeReply parsed;
  ASSERT_TRUE(parsed.ParseFromString(message.ToString()));
  EXPECT_EQ(message.size(), message.ToString().size());
  EXPECT_EQ(parsed.SerializeAsString(), Generated(FullReply()).SerializeAsString());
}

TEST(ExchangeEncodeTest, BytesOfGeneratedClassesAreReadBack) {
  const auto request = DecodeRequest(testing::Whole(Generated(FullRequest()).SerializeAsString()));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(Text(*request), Text(FullRequest()));
  const auto reply = DecodeReply(testing::Whole(Generated(FullReply()).SerializeAsString()));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(Text(*reply), Text(FullReply()));
}

TEST(ExchangeEncodeTest, EveryFieldSurvivesARoundTrip) {
  EXPECT_EQ(Text(*DecodeRequest(testing::Whole(Encode(FullRequest()).ToString()))),
            Text(FullRequest()));
  EXPECT_EQ(Text(*DecodeReply(testing::Whole(Encode(FullReply()).ToString()))), Text(FullReply()));
}

TEST(ExchangeEncodeTest, DefaultsAreRead) {
  EXPECT_EQ(Text(*DecodeRequest(Payload())), Text(ExchangeRequest()));
  EXPECT_EQ(Text(*DecodeReply(Payload())), Text(ExchangeReply()));
  EXPECT_EQ(Encode(ExchangeReply()).size(), 0u) << "proto3: zero is absent";
}

TEST(ExchangeEncodeTest, TensorsAreNotCopied) {
  const Payload values = Floats(std::vector<float>(1000, 2.0f));
  ExchangeReply reply;
  reply.cells.push_back({1, 1, values});
  const WireMessage message = Encode(reply);
  size_t found = 0;
  for (const WireMessage::Piece& piece : message.pieces()) {
    for (const Segment& segment : piece.payload.segments())
      found += segment.data == values.segments()[0].data;
  }
  EXPECT_EQ(found, 1u);
  EXPECT_LT(message.header().size(), 20u);

  const Payload bytes = testing::Whole(message.ToString());
  const ExchangeReply decoded = *DecodeReply(bytes);
  const char* const begin = bytes.segments()[0].data;
  EXPECT_EQ(decoded.cells[0].values.segments()[0].data, begin + bytes.size() - 4000);
  EXPECT_EQ(decoded.cells[0].values.owner(), bytes.owner());
}

TEST(ExchangeEncodeTest, StalenessOfSeveralMessagesIsMerged) {
  Staleness all;
  all.Merge({});
  EXPECT_EQ(all.count, 0u);
  all.Add(5);
  EXPECT_EQ(all.min, 5u) << "the 0 of an empty one is no minimum";
  all.Add(2);
  all.Merge({2, 10, 9, 1});
  all.Merge({});
  EXPECT_EQ(all.count, 4u);
  EXPECT_EQ(all.sum, 17u);
  EXPECT_EQ(all.max, 9u);
  EXPECT_EQ(all.min, 1u);
}

}  // namespace
}  // namespace convoy
