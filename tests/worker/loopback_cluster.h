// Parameter servers on loopback, in the process of the test, and what clients push to them.
#ifndef CONVOY_TESTS_WORKER_LOOPBACK_CLUSTER_H_
#define CONVOY_TESTS_WORKER_LOOPBACK_CLUSTER_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ps/parameter_service.h"
#include "worker/gradient_push.h"
#include "worker/parameter_client.h"

namespace convoy {

inline constexpr uint64_t kJob = 77;

inline VariableSpec Variable(const std::string& name, int64_t size) {
  return {name, {size}, Initializer::Zeros()};
}

// Exact in float32 with any of the means used here.
inline float Value(size_t variable, size_t i) {
  return static_cast<float>((i * 37 + variable * 11) % 1000) - 500;
}

// Parameter servers of SGD with rate 1 from zeros: a step takes the mean gradient off. With an
// anchor (optimizer.anchor) every element is held near its Value.
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
  void SetAnchors(uint32_t rank, Shard& shard) const {
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

  const Placement placement_;
  const Mode mode_;
  std::vector<std::unique_ptr<ParameterService>> services_;
  std::vector<std::string> addresses_;
};

// One slice: the last variable first, each in pieces.
inline absl::Status GiveSlice(GradientPush& push, const Placement& placement, uint32_t examples,
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

inline ParameterClient::PushHeader Step(uint64_t step, uint32_t examples, TreeNode node = {}) {
  ParameterClient::PushHeader header;
  header.step = step;
  header.node = node;
  header.examples = examples;
  header.pull = true;
  return header;
}

inline void ExpectWeights(ParameterClient& client, float times) {
  for (size_t v = 0; v < client.placement().variables().size(); ++v) {
    const auto weights = client.Weights(static_cast<uint32_t>(v));
    ASSERT_TRUE(weights.ok()) << weights.status();
    for (size_t i = 0; i < weights->size(); ++i) {
      ASSERT_EQ((*weights)[i], -times * Value(v, i)) << "variable " << v << " element " << i;
    }
  }
}

// 150,000 elements are three blocks, cut at 65,536.
inline std::vector<VariableSpec> LargeModel() {
  return {Variable("large", 150000), Variable("small", 5)};
}

}  // namespace convoy

#endif  // CONVOY_TESTS_WORKER_LOOPBACK_CLUSTER_H_
