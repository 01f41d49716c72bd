// Which checkpoint Job.init.from means is settled once, when the job begins: the run that it names
// may still be training, and every process and every life of the job must begin with the same
// weights.
#ifndef CONVOY_LAUNCHER_COMMANDS_PINNED_INIT_H_
#define CONVOY_LAUNCHER_COMMANDS_PINNED_INIT_H_

#include <string>

#include "absl/status/status.h"
#include "proto/job.pb.h"

namespace convoy {

// Of a job that begins. Reads every byte of the source, and writes RUN_DIR@STEP in the place of
// RUN_DIR and RUN_DIR@best. What else `init.from` may be says already which weights it means, and
// stays; so does a run without checkpoints, which has one file of weights. Errors as
// FindInitSource and VerifyCheckpoint, with the field's name.
absl::Status PinInit(v1::Job* job);

// Of a job that goes on: `now` means the checkpoint that was settled for `was`, if PinInit may have
// made the one of the other.
void KeepPinnedInit(const v1::Job& was, v1::Job* now);
// `was`: the job that a run directory has in this file. One that can't be read changes nothing.
void KeepPinnedInitOf(const std::string& job_path, v1::Job* now);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_PINNED_INIT_H_
