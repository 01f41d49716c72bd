// Where a job goes on.
#ifndef CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_
#define CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_

#include <string>

#include "common/checkpoint/manifest.h"

namespace convoy {

struct ResumePoint {
  std::string folder;  // of the checkpoint, absolute
  CheckpointManifest manifest;
  std::string run;  // the run directory it is in
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_
