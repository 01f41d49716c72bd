#include "launcher/coordinator/rehearsal_notes.h"

#include "absl/strings/str_cat.h"

namespace convoy {

std::vector<std::string> RehearsalNotes(const v1::Job& job, const Membership& members) {
  const bool rehearses = job.rehearsal().slow_worker_size() > 0 ||
                         job.rehearsal().fault_size() > 0 || !job.rehearsal().link().empty();
  std::vector<std::string> notes;
  for (uint32_t rank = 0; rehearses && rank < members.workers(); ++rank) {
    const Process* const worker = members.worker(rank);
    if (worker == nullptr || !worker->registration.build_id().empty()) continue;
    notes.push_back(
        absl::StrCat("worker ", rank,
                     " is not a Convoy program: the job's rehearsal does not slow it down, nor "
                     "what it sends"));
  }
  return notes;
}

}  // namespace convoy
