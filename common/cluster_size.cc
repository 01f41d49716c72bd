#include "common/cluster_size.h"

#include <algorithm>

#include "common/mode.h"

namespace convoy {

ClusterSize ClusterSizeOf(const v1::Job& job) {
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (mode.ok() && mode->single()) return {0, 1};
  return {job.cluster().servers(), job.cluster().workers()};
}

uint32_t ThreadsPerWorker(const v1::Job& job) {
  return std::max(1u, job.cluster().threads_per_worker());
}

uint64_t DefaultSlices(const v1::Job& job) {
  return uint64_t{job.cluster().workers()} * ThreadsPerWorker(job);
}

uint64_t TaskBatchSize(const v1::Job& job) {
  const uint64_t slices = job.training().slices();
  return (uint64_t{job.training().batch_size()} * ThreadsPerWorker(job) + slices - 1) / slices;
}

}  // namespace convoy
