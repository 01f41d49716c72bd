// What of a job's rehearsal is not kept.
#ifndef CONVOY_LAUNCHER_COORDINATOR_REHEARSAL_NOTES_H_
#define CONVOY_LAUNCHER_COORDINATOR_REHEARSAL_NOTES_H_

#include <string>
#include <vector>

#include "launcher/coordinator/membership.h"
#include "proto/job.pb.h"

namespace convoy {

// For people, one for each worker that is not a Convoy program: nobody slows it down.
std::vector<std::string> RehearsalNotes(const v1::Job& job, const Membership& members);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_REHEARSAL_NOTES_H_
