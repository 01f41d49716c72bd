#include "launcher/commands/next_life.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "launcher/commands/resume.h"
#include "launcher/process/text_table.h"

namespace convoy {

uint32_t WorkersLeft(const v1::Cluster& cluster, const std::vector<JobProcesses::Failure>& losses) {
  const auto lost = static_cast<uint32_t>(std::ranges::count_if(
      losses, [](const JobProcesses::Failure& loss) { return loss.worker && loss.killed; }));
  const uint32_t left = cluster.workers() - std::min(lost, cluster.workers());
  const bool goes_on = cluster.on_worker_loss() == v1::Cluster::CONTINUE &&
                       left >= std::max(1u, cluster.min_workers());
  return goes_on ? left : cluster.workers();
}

absl::Status PrepareNextLife(const NextLife& next, RunDirectory& directory, uint32_t slices,
                             bool generation_heard, v1::Job* job, ResumeFrom* resume,
                             RunScreen* screen) {
  // That of a life that failed is not the run's.
  CONVOY_RETURN_IF_ERROR(directory.RemoveSummary());
  CONVOY_ASSIGN_OR_RETURN(const FoundResumePoint found, FindResumePoint(directory.path()));
  for (const std::string& damaged : found.damaged) screen->Print("warning: " + damaged);
  EarlierLives& earlier = resume->earlier;
  const uint32_t before = job->cluster().workers();
  const bool other_workers = next.workers != before;
  screen->Print(absl::StrCat(
      next.why, "; starting again ",
      other_workers ? absl::StrCat("with ", CountText(next.workers, "worker"), " ") : "",
      found.point ? absl::StrCat("from the checkpoint of step ", found.point->manifest.step)
                  : "from the beginning, since there is no checkpoint yet",
      next.how.empty() ? "" : absl::StrCat(" (", next.how, ")"), next.more));
  if (other_workers) {
    job->mutable_cluster()->set_workers(next.workers);
    job->mutable_training()->set_slices(slices);  // they do not follow the workers
    CONVOY_RETURN_IF_ERROR(screen->ShowMetrics(*job));
  }
  earlier.workers_before = other_workers ? before : 0;
  resume->checkpoint = found.point ? found.point->folder : "";
  if (!generation_heard) {  // the life that has ended may have begun one
    const uint64_t restored = found.point ? found.point->manifest.generation : 0;
    earlier.generation = std::max(earlier.generation, restored) + 1;
  }
  return absl::OkStatus();
}

}  // namespace convoy
