#include "launcher/process/memory_estimate.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/cluster_size.h"
#include "common/epoch_examples.h"
#include "common/mode.h"
#include "common/net/shared_memory.h"
#include "common/optimizers/server_rules.h"
#include "common/placement/placement.h"
#include "common/status.h"
#include "launcher/process/text_table.h"
#include "ps/buffer_pool.h"
#include "ps/consistency.h"
#include "worker/evaluation.h"

namespace convoy {
namespace {

// Slots for each weight, on average over the variables and rounded up: overrides may give some of
// them other rules. Names the first variable that can't be updated by its rule. `difference`: as
// MakeServerOptimizer.
absl::StatusOr<uint64_t> Slots(const v1::Optimizer& config, std::span<const VariableSpec> variables,
                               std::optional<DifferenceRule> difference) {
  uint64_t weights = 0, slots = 0;
  for (const VariableSpec& variable : variables) {
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings, SettingsFor(config, variable.name));
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<Optimizer> optimizer,
                            MakeServerOptimizer(difference, settings));
    const uint64_t size = static_cast<uint64_t>(variable.size());
    weights += size;
    slots += size * static_cast<uint64_t>(optimizer->num_slots());
  }
  return weights == 0 ? 0 : (slots + weights - 1) / weights;
}

absl::StatusOr<uint64_t> LargestShard(std::span<const VariableSpec> variables, uint32_t servers) {
  CONVOY_ASSIGN_OR_RETURN(
      const Placement placement,
      Placement::Create(std::vector<VariableSpec>(variables.begin(), variables.end()), servers));
  int64_t most = 0;
  for (uint32_t i = 0; i < servers; ++i) most = std::max(most, placement.elements_of_server(i));
  return static_cast<uint64_t>(most) * sizeof(float);
}

uint64_t ContributionBytes(const v1::Job& job, const Mode& mode, uint64_t shard) {
  const v1::Cluster& cluster = job.cluster();
  if (!mode.rounds()) {
    return std::min(cluster.workers() * cluster.in_flight_bytes(), cluster.workers() * shard);
  }
  if (job.training().slices() <= 1) return 0;
  if (mode.backup > 0) return job.training().slices() * shard;
  return static_cast<uint64_t>(cluster.out_of_order_budget() * static_cast<double>(shard));
}

// Arrays of the size of the weights.
uint64_t WorkerCopies(const Mode& mode, uint64_t slices, uint64_t threads, uint64_t slots) {
  const uint64_t others = threads - 1;
  // Weights and slots; the sums over subtrees of the slices; the slices computed at the same time.
  if (mode.single())
    return 1 + slots + static_cast<uint64_t>(std::bit_width(slices - 1)) + 1 + others;
  const uint64_t gradients = threads > 1 ? threads : 0;  // before they are added up
  if (!mode.local()) return 4 + gradients;
  // Also the worker's own weights and slots, in local_sgd those of each thread.
  return 5 + slots + gradients + (mode.rounds() ? others * (2 + slots) : 0);
}

// Between one worker and one server of a host, once for both: weights, gradients, and rows of
// tables that are on their way.
uint64_t SharedBytes(const v1::Cluster& cluster) {
  return cluster.unix_sockets() && cluster.shared_memory() ? 2 * SharedMemory::kHalfBytes : 0;
}

// Examples. The last batch of an epoch is not filled up from the next one, so that none has more
// than an epoch: of a step all slices together, where there are none those of one worker.
uint64_t BatchOfThread(const v1::Job& job, const Mode& mode, uint64_t slices, uint64_t epoch) {
  const auto divided = [](uint64_t n, uint64_t by) { return (n + by - 1) / by; };
  const uint64_t batch = job.training().batch_size();
  if (mode.rounds()) return divided(std::min(batch, epoch), slices);
  return std::min(divided(batch, slices), divided(epoch, ThreadsPerWorker(job)));
}

}  // namespace

absl::StatusOr<MemoryEstimate> EstimateMemory(const v1::Job& job,
                                              std::span<const VariableSpec> variables,
                                              const v1::DataSummary& data) {
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(job.training().mode()));
  CONVOY_ASSIGN_OR_RETURN(const uint64_t slots, Slots(job.optimizer(), variables, std::nullopt));
  CONVOY_ASSIGN_OR_RETURN(
      const uint64_t server_slots,
      Slots(job.optimizer(), variables, ConsistencyPolicy::For(mode).difference()));
  CONVOY_ASSIGN_OR_RETURN(const uint64_t shard, LargestShard(variables, job.cluster().servers()));
  const uint64_t pool = std::min<uint64_t>(shard, BufferPool::Options().max_spare_bytes);
  uint64_t weights = 0;
  for (const VariableSpec& v : variables)
    weights += static_cast<uint64_t>(v.size()) * sizeof(float);
  const uint64_t slices = std::max(1u, job.training().slices());
  const uint64_t threads = ThreadsPerWorker(job);
  const uint64_t batch = BatchOfThread(job, mode, slices, EpochExamples(data));
  MemoryEstimate estimate;
  if (mode.single()) {
    estimate.server = 0;
  } else {
    estimate.server += (2 + server_slots) * shard + ContributionBytes(job, mode, shard) + pool;
    estimate.worker += job.cluster().servers() * SharedBytes(job.cluster());
  }
  estimate.worker += WorkerCopies(mode, slices, threads, slots) * weights;
  estimate.worker += threads * 2 * batch * data.example_bytes();
  const uint64_t evaluated = std::min(
      kEvaluationBatch,
      std::max({data.validation_examples(), data.test_examples(), data.validation_old_examples()}));
  estimate.worker += std::max(threads * batch, evaluated) * data.activation_bytes();
  if (data.old_examples() > 0) estimate.worker += threads * batch * data.example_bytes();
  const uint64_t shuffled = data.examples() + data.old_examples();
  if (job.data().shuffle()) estimate.worker += threads * shuffled * sizeof(uint32_t);
  return estimate;
}

absl::Status CheckFits(const MemoryEstimate& estimate, uint64_t servers, uint64_t workers,
                       const MachineMemory& memory) {
  const uint64_t total = estimate.Total(servers, workers);
  if (total <= memory.available_bytes) return absl::OkStatus();
  const auto bytes = [](uint64_t n) { return BytesText(static_cast<double>(n)); };
  return absl::ResourceExhaustedError(absl::StrCat(
      "the job needs about ", bytes(total), " of memory here (", CountText(servers, "server"),
      " of ", bytes(estimate.server), ", ", CountText(workers, "worker"), " of ",
      bytes(estimate.worker), "), but ", bytes(memory.available_bytes), " of ",
      bytes(memory.total_bytes), " are available",
      memory.limited ? " within the limit of its control group" : "",
      ". Use fewer workers or a smaller model, lower cluster.out_of_order_budget, or try anyway "
      "with --set cluster.memory_check=false"));
}

}  // namespace convoy
