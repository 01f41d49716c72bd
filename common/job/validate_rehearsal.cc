#include "absl/strings/str_cat.h"
#include "common/cluster_size.h"
#include "common/job/field_text.h"
#include "common/job/validate_sections.h"
#include "common/mode.h"
#include "common/rehearsal/fault.h"
#include "common/rehearsal/link_limit.h"
#include "common/rehearsal/slow_worker.h"

namespace convoy {
namespace {

void ValidateSlowWorker(const v1::Job& job, const std::string& text, const std::string& path,
                        std::vector<Violation>* violations) {
  const absl::StatusOr<SlowWorkerRule> rule = ParseSlowWorkerRule(text);
  if (!rule.ok()) {
    violations->push_back({path, absl::StrCat(path, ": ", std::string(rule.status().message()))});
    return;
  }
  const uint32_t workers = ClusterSizeOf(job).workers;
  if (!rule->worker || *rule->worker < workers) return;
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  const std::string there =
      mode.ok() && mode->single() ? "mode single is one process, worker 0"
      : workers == 1              ? "the job has one, worker 0"
                     : absl::StrCat("the job has ", workers, ", from 0 to ", workers - 1);
  violations->push_back(
      {path, absl::StrCat(path, ": there is no worker ", *rule->worker, ": ", there)});
}

std::string FaultMistake(const v1::Job& job, const std::string& text, const std::string& path) {
  const absl::StatusOr<Fault> fault = ParseFault(text);
  if (!fault.ok()) return absl::StrCat(path, ": ", std::string(fault.status().message()));
  if (!job.rehearsal().allow_faults()) {
    return absl::StrCat(path, ": \"", text,
                        "\" breaks something on purpose; a job that may be broken says so: "
                        "--set rehearsal.allow_faults=true, or rehearsal { allow_faults: true }");
  }
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (mode.ok() && mode->single() && fault->kind != Fault::Kind::kSlow)
    return absl::StrCat(path, ": mode single is one process without servers; leave it out");
  if (fault->kind == Fault::Kind::kCorrupt && !job.cluster().wire_checksums()) {
    return absl::StrCat(
        path, ": \"", text,
        "\" needs cluster.wire_checksums: true: without checksums nobody would notice, "
        "and the job would learn from damaged gradients");
  }
  if (fault->role.empty() || fault->role == "coordinator") return "";
  const auto [servers, workers] = ClusterSizeOf(job);
  const uint32_t count = fault->role == "server" ? servers : workers;
  if (fault->rank < count) return "";
  return absl::StrCat(path, ": there is no ", fault->role, " ", fault->rank, ": the job has ",
                      count, ", numbered from 0");
}

}  // namespace

void ValidateRehearsal(const v1::Job& job, std::vector<Violation>* violations) {
  const v1::Rehearsal& rehearsal = job.rehearsal();
  for (int i = 0; i < rehearsal.slow_worker_size(); ++i) {
    ValidateSlowWorker(job, rehearsal.slow_worker(i), ElementPath("rehearsal.slow_worker", i),
                       violations);
  }
  for (int i = 0; i < rehearsal.fault_size(); ++i) {
    const std::string element = ElementPath("rehearsal.fault", i);
    std::string mistake = FaultMistake(job, rehearsal.fault(i), element);
    if (!mistake.empty()) violations->push_back({element, std::move(mistake)});
  }
  const std::string path = "rehearsal.link";
  const absl::StatusOr<LinkLimit> link = ParseLinkLimit(rehearsal.link());
  if (!link.ok()) {
    violations->push_back({path, absl::StrCat(path, ": ", std::string(link.status().message()))});
    return;
  }
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (link->any() && mode.ok() && mode->single()) {
    violations->push_back(
        {path,
         absl::StrCat(path,
                      ": mode single has no servers and sends nothing over a link; leave it out")});
  }
}

}  // namespace convoy
