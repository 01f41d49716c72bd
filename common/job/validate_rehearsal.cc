#include "absl/strings/str_cat.h"
#include "common/cluster_size.h"
#include "common/job/field_text.h"
#include "common/job/validate_sections.h"
#include "common/mode.h"
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

}  // namespace

void ValidateRehearsal(const v1::Job& job, std::vector<Violation>* violations) {
  const v1::Rehearsal& rehearsal = job.rehearsal();
  for (int i = 0; i < rehearsal.slow_worker_size(); ++i) {
    ValidateSlowWorker(job, rehearsal.slow_worker(i), ElementPath("rehearsal.slow_worker", i),
                       violations);
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
