// How many processes a job has.
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

}  // namespace convoy

#endif  // CONVOY_COMMON_CLUSTER_SIZE_H_
