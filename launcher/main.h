// The whole of Convoy in one call, for programs that bring their own models:
//
//   int main(int argc, char** argv) {
//     return convoy::Main(argc, argv, {{"mine", &MakeMyModel}});
//   }
//
// The program is then every role of the job: launcher, coordinator, server and worker.
#ifndef CONVOY_LAUNCHER_MAIN_H_
#define CONVOY_LAUNCHER_MAIN_H_

#include <vector>

#include "worker/models/model.h"

namespace convoy {

// Runs the command line and returns the exit code: 0 done, 1 failed, 2 bad usage or job file, 128 +
// n ended by signal n.
int Main(int argc, char** argv, std::vector<ModelRegistration> models = {});

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_MAIN_H_
