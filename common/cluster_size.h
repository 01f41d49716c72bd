// How many processes and threads a job has, and what follows from that where nothing else is said.
#ifndef CONVOY_COMMON_CLUSTER_SIZE_H_
#define CONVOY_COMMON_CLUSTER_SIZE_H_

#include <cstdint>

#include "proto/job.pb.h"

namespace convoy {

struct ClusterSize {
  uint32_t servers = 1;
  uint32_t workers = 1;
};

// cluster.servers and cluster.workers of a valid job; mode single has no servers and one worker.
ClusterSize ClusterSizeOf(const v1::Job& job);

// cluster.threads_per_worker, at least 1.
uint32_t ThreadsPerWorker(const v1::Job& job);
// training.slices if it is not set: one for each thread of each worker.
uint64_t DefaultSlices(const v1::Job& job);
// Examples of one batch of a worker in the modes with data tasks: batch_size / slices for each of
// its threads, rounded up. `job`: with training.slices >= 1.
uint64_t TaskBatchSize(const v1::Job& job);

}  // namespace convoy

#endif  // CONVOY_COMMON_CLUSTER_SIZE_H_
