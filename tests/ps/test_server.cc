#include "tests/ps/test_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

namespace convoy::testing {

Payload Floats(const std::vector<float>& values) {
  auto owner = std::make_shared<std::vector<float>>(values);
  return Payload(*owner, owner);
}

std::vector<float> Values(const Payload& payload) {
  std::vector<float> values(payload.size() / sizeof(float));
  payload.CopyTo(values.data());
  return values;
}

std::vector<uint32_t> Bits(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

std::vector<float> TreeSum(std::vector<std::vector<float>> parts) {
  while (parts.size() > 1) {
    std::vector<std::vector<float>> next;
    for (size_t i = 0; i < parts.size(); i += 2) {
      std::vector<float> sum = parts[i];
      if (i + 1 < parts.size()) {
        if (sum.empty()) {
          sum = parts[i + 1];
        } else {
          for (size_t k = 0; k < parts[i + 1].size(); ++k) sum[k] += parts[i + 1][k];
        }
      }
      next.push_back(std::move(sum));
    }
    parts = std::move(next);
  }
  return parts[0];
}

std::vector<VariableSpec> SmallModel() {
  return {{"w", {3}, Initializer::Zeros()}, {"b", {1}, Initializer::Zeros()}};
}

TestServer::TestServer(ServerCore::Options options, std::vector<VariableSpec> variables,
                       uint32_t servers, std::vector<TableSpec> tables) {
  options.poison_buffers = true;
  absl::StatusOr<Placement> placement =
      Placement::Create(std::move(variables), servers, std::move(tables));
  EXPECT_TRUE(placement.ok()) << placement.status();
  absl::StatusOr<std::unique_ptr<ServerCore>> created =
      ServerCore::Create(std::move(options), *std::move(placement));
  EXPECT_TRUE(created.ok()) << created.status();
  core = *std::move(created);
}

std::vector<ServerCore::Outgoing> TestServer::Handle(const ExchangeRequest& request) {
  std::vector<ServerCore::Outgoing> out;
  core->Handle(/*stream=*/request.worker, request, now, &out);
  return out;
}

ExchangeReply TestServer::Reply(const ExchangeRequest& request) {
  std::vector<ServerCore::Outgoing> out = Handle(request);
  EXPECT_EQ(out.size(), 1u);
  return out.empty() ? ExchangeReply() : std::move(out[0].reply);
}

std::vector<ServerCore::Outgoing> TestServer::Tick() {
  std::vector<ServerCore::Outgoing> out;
  core->Tick(now, &out);
  return out;
}

ServerCore::Options SyncOptions(uint32_t slices, uint32_t workers) {
  ServerCore::Options options;
  options.job_id = kJob;
  options.slices = slices;
  options.workers = workers;
  options.optimizer.set_learning_rate(1);
  return options;
}

ServerCore::Options TaskOptions(Mode mode) {
  ServerCore::Options options = SyncOptions(1);
  options.mode = mode;
  return options;
}

ServerCore::Options LocalSgdOptions(uint32_t slices) {
  ServerCore::Options options = SyncOptions(slices);
  options.mode = {.kind = Mode::Kind::kLocalSgd, .local_steps = 4};
  options.optimizer.mutable_adam();
  options.optimizer.set_learning_rate(0.25);
  return options;
}

ExchangeRequest NewRequest(uint32_t worker) {
  ExchangeRequest request;
  request.job_id = kJob;
  request.generation = 1;
  request.worker = worker;
  request.session = 1;
  return request;
}

ExchangeRequest PushStep(uint32_t worker, uint64_t step, TreeNode node, const Gradients& gradients,
                         uint32_t examples, bool final) {
  ExchangeRequest request = NewRequest(worker);
  request.step = step;
  request.node = node;
  request.examples = examples;
  request.final = final;
  for (const auto& [cell, values] : gradients)
    request.contributions.push_back({cell, step, Floats(values)});
  return request;
}

ExchangeRequest PushBatch(uint32_t worker, uint64_t task, uint64_t batch,
                          const Gradients& gradients, uint64_t base_version, uint32_t examples) {
  ExchangeRequest request = PushStep(worker, 0, {}, gradients, examples);
  request.task = task;
  request.batch = batch;
  for (Contribution& c : request.contributions) c.base_version = base_version;
  return request;
}

ExchangeRequest PullStep(uint32_t worker, uint64_t version, std::vector<uint32_t> cells) {
  ExchangeRequest request = NewRequest(worker);
  request.pull_version = version;
  request.pull_cells.assign(cells.begin(), cells.end());
  return request;
}

Payload Ids(const std::vector<uint64_t>& ids) {
  auto owner = std::make_shared<std::vector<uint64_t>>(ids);
  Payload payload(owner);
  payload.Append({reinterpret_cast<const char*>(owner->data()), owner->size() * sizeof(uint64_t)});
  return payload;
}

std::vector<uint64_t> InOrder(std::vector<uint64_t> ids) {
  std::ranges::sort(ids, {}, [](uint64_t id) { return std::make_pair(BucketOf(id), id); });
  return ids;
}

RowContribution Rows(uint32_t table, RowGradients gradients, uint64_t base_version) {
  std::ranges::sort(gradients, {},
                    [](const auto& g) { return std::make_pair(BucketOf(g.first), g.first); });
  std::vector<uint64_t> ids;
  std::vector<float> values;
  for (const auto& [id, row] : gradients) {
    ids.push_back(id);
    values.insert(values.end(), row.begin(), row.end());
  }
  return {table, base_version, Ids(ids), Floats(values)};
}

RowPull PullOf(uint32_t table, std::vector<uint64_t> ids, bool anchors) {
  return {table, Ids(InOrder(std::move(ids))), anchors};
}

}  // namespace convoy::testing
