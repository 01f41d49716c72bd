#include "common/cluster_size.h"

#include "common/mode.h"

namespace convoy {

ClusterSize ClusterSizeOf(const v1::Job& job) {
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (mode.ok() && mode->single()) return {0, 1};
  return {job.cluster().servers(), job.cluster().workers()};
}

}  // namespace convoy
