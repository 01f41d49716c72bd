#include "launcher/commands/job_options.h"

#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/job/set_field.h"
#include "common/mode.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"

namespace convoy {

absl::StatusOr<v1::Job> LoadResolvedJob(const JobOptions& options) {
  std::vector<std::string> overrides = options.set;
  if (options.servers) overrides.push_back("cluster.servers=" + *options.servers);
  if (options.workers) overrides.push_back("cluster.workers=" + *options.workers);
  if (options.mode) overrides.push_back("training.mode=" + *options.mode);
  CONVOY_ASSIGN_OR_RETURN(v1::Job job, LoadJob(options.path, overrides));
  return ResolveDefaults(std::move(job));
}

void AddJobOptions(CLI::App* command, JobOptions* job) {
  command->add_option("JOB", job->path, "Job file (protobuf text format, docs/job_file.md)")->required();
  command->add_option("--servers", job->servers, "Parameter servers (cluster.servers)")->type_name("N");
  command->add_option("--workers", job->workers, "Workers (cluster.workers)")->type_name("N");
  command->add_option("--mode", job->mode, std::string("Consistency (training.mode): ") + kModeNames)->type_name("MODE");
  command->add_option("--set", job->set, std::string(kSetHelp))->type_name("FIELD=VALUE")->take_all()->allow_extra_args(false);
}

void AddInsecureListen(CLI::App* command, bool* flag) {
  command->add_flag("--insecure-listen", *flag,
                    "Allow an address other than loopback, although connections are not encrypted");
}

}  // namespace convoy
