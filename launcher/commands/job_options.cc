#include "launcher/commands/job_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/job/set_field.h"
#include "common/mode.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"

namespace convoy {
namespace {

// A flag that stands for --set PATH=VALUE.
struct FieldFlag {
  const char* flag;
  const char* path;
  const char* value;
  const char* help;
};

constexpr FieldFlag kFieldFlags[] = {
    {"--servers", "cluster.servers", "N", "Parameter servers"},
    {"--workers", "cluster.workers", "N", "Workers"},
    {"--mode", "training.mode", "MODE", kModeNames},
    {"--epochs", "training.epochs", "N", "Passes over the training data"},
    {"--batch-size", "training.batch_size", "N", "Examples of one global batch"},
    {"--learning-rate", "optimizer.learning_rate", "RATE", "Step size at the start"},
    {"--seed", "seed", "N", "Seed of everything random"},
};

// Errors name what the user wrote.
absl::Status InWordsOfFlags(const absl::Status& status, const JobOptions& options) {
  std::string message(status.message());
  for (const FieldFlag& flag : kFieldFlags) {
    const auto found = options.fields.find(flag.path);
    if (found == options.fields.end()) continue;
    absl::StrReplaceAll({{absl::StrCat("--set ", flag.path, "=", found->second, ":"),
                          absl::StrCat(flag.flag, " ", found->second, ":")}},
                        &message);
  }
  return absl::Status(status.code(), message);
}

}  // namespace

absl::StatusOr<v1::Job> LoadWrittenJob(const JobOptions& options) {
  std::vector<std::string> overrides = options.set;
  for (const auto& [path, value] : options.fields) {
    overrides.push_back(absl::StrCat(path, "=", value));
  }
  absl::StatusOr<v1::Job> job = LoadJob(options.path, overrides);
  if (!job.ok()) return InWordsOfFlags(job.status(), options);
  return job;
}

absl::StatusOr<v1::Job> LoadResolvedJob(const JobOptions& options) {
  CONVOY_ASSIGN_OR_RETURN(v1::Job job, LoadWrittenJob(options));
  return ResolveDefaults(std::move(job));
}

void AddJobOptions(CLI::App* command, JobOptions* job) {
  command->add_option("JOB", job->path, "Job file (protobuf text format; convoy explain)")
      ->type_name("FILE")
      ->required();
  for (const FieldFlag& flag : kFieldFlags) {
    command
        ->add_option_function<std::string>(
            flag.flag,
            [job, path = flag.path](const std::string& value) { job->fields[path] = value; },
            absl::StrCat(flag.help, " (", flag.path, ")"))
        ->type_name(flag.value);
  }
  command->add_option("--set", job->set, std::string(kSetHelp))
      ->type_name("FIELD=VALUE")
      ->take_all()
      ->allow_extra_args(false);
}

void AddInsecureListen(CLI::App* command, bool* flag) {
  command
      ->add_flag("--insecure-listen", *flag,
                 "Allow an address other than loopback, although connections are not encrypted")
      ->envname("CONVOY_INSECURE_LISTEN");
}

}  // namespace convoy
