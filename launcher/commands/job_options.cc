#include "launcher/commands/job_options.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/escaping.h"
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
    {"--metrics-port", "cluster.metrics_port", "PORT",
     "Metrics for Prometheus: of the coordinator on this port, of servers and workers on those "
     "after it"},
    {"--link", "rehearsal.link", "RATE,LATENCY",
     "A modelled network between the processes: 100mbit,5ms"},
    {"--anchor", "optimizer.anchor", "STRENGTH",
     "Hold what --init-from has near its values, by a penalty"},
};

// A flag that stands for --set PATH+=VALUE and may be given several times.
constexpr FieldFlag kListFlags[] = {
    {"--freeze", "optimizer.freeze", "REGEX",
     "Variables that stay as they are, by RE2 for whole names"},
    {"--replace", "init.replace", "REGEX", "Variables that begin anew whatever --init-from has"},
    {"--widen", "init.widen", "REGEX", "Variables that may be larger than in --init-from"},
    {"--map", "init.map", "OLD=NEW", "What --init-from calls OLD (REGEX) is NEW here, \\1 a group"},
    {"--slow-worker", "rehearsal.slow_worker", "WORKER=FACTORx[@SHARE%]",
     "A worker that is slowed down: 1=3x always, any=3x@10% now and then"},
    {"--inject", "rehearsal.fault", "FAULT",
     "Something that is broken on purpose: \"kill worker 1 at step 200\", \"drop 1% of pushes\" "
     "(docs/failures.md); with --set rehearsal.allow_faults=true"},
    {"--reset-optimizer", "init.reset_optimizer", "REGEX", "Variables whose optimizer begins anew"},
};

constexpr char kInitFrom[] = "init.from";

std::string SetArgumentOf(const std::pair<std::string, std::string>& list) {
  return absl::StrCat(list.first, "+=\"", absl::CEscape(list.second), "\"");
}

// Relative paths on the command line are relative to where it is given.
std::string FromHere(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).lexically_normal().string();
}

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
  for (const FieldFlag& flag : kListFlags) {
    for (const auto& list : options.lists) {
      if (list.first != flag.path) continue;
      absl::StrReplaceAll({{absl::StrCat("--set ", SetArgumentOf(list), ":"),
                            absl::StrCat(flag.flag, " ", list.second, ":")}},
                          &message);
    }
  }
  return absl::Status(status.code(), message);
}

}  // namespace

absl::StatusOr<v1::Job> LoadWrittenJob(const JobOptions& options) {
  std::vector<std::string> overrides = options.set;
  for (const auto& [path, value] : options.fields) {
    overrides.push_back(absl::StrCat(path, "=", value));
  }
  for (const auto& list : options.lists) overrides.push_back(SetArgumentOf(list));
  absl::StatusOr<v1::Job> job = LoadJob(options.path, overrides);
  if (!job.ok()) return InWordsOfFlags(job.status(), options);
  return job;
}

absl::StatusOr<v1::Job> LoadResolvedJob(const JobOptions& options) {
  CONVOY_ASSIGN_OR_RETURN(v1::Job job, LoadWrittenJob(options));
  return ResolveDefaults(std::move(job));
}

void AddJobOptions(CLI::App* command, JobOptions* job, bool mode) {
  command->add_option("JOB", job->path, "Job file (protobuf text format; convoy explain)")
      ->type_name("FILE")
      ->required();
  for (const FieldFlag& flag : kFieldFlags) {
    if (!mode && std::string_view(flag.flag) == "--mode") continue;
    command
        ->add_option_function<std::string>(
            flag.flag,
            [job, path = flag.path](const std::string& value) { job->fields[path] = value; },
            absl::StrCat(flag.help, " (", flag.path, ")"))
        ->type_name(flag.value);
  }
  command
      ->add_option_function<std::string>(
          "--init-from",
          [job](const std::string& value) { job->fields[kInitFrom] = FromHere(value); },
          "Begin with the weights of a run, of its checkpoint or of a safetensors file (init.from)")
      ->type_name("RUN_DIR[@STEP]|FILE");
  for (const FieldFlag& flag : kListFlags) {
    command
        ->add_option_function<std::vector<std::string>>(
            flag.flag,
            [job, path = flag.path](const std::vector<std::string>& values) {
              for (const std::string& value : values) job->lists.emplace_back(path, value);
            },
            absl::StrCat(flag.help, " (", flag.path, ")"))
        ->type_name(flag.value)
        ->take_all()
        ->allow_extra_args(false);
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
