#include "launcher/commands/job_options.h"

#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<v1::Job> LoadResolvedJob(const JobOptions& options) {
  std::vector<std::string> overrides = options.set;
  if (options.servers) overrides.push_back("cluster.servers=" + *options.servers);
  if (options.workers) overrides.push_back("cluster.workers=" + *options.workers);
  if (options.mode) overrides.push_back("training.mode=" + *options.mode);
  CONVOY_ASSIGN_OR_RETURN(v1::Job job, LoadJob(options.path, overrides));
  return ResolveDefaults(std::move(job));
}

}  // namespace convoy
