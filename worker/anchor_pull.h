// What weights are held near (optimizer.anchor), for the steps that a worker takes itself.
#ifndef CONVOY_WORKER_ANCHOR_PULL_H_
#define CONVOY_WORKER_ANCHOR_PULL_H_

#include <memory>
#include <span>

#include "absl/status/status.h"
#include "worker/local_steps.h"
#include "worker/parameter_client.h"

namespace convoy {

// Gives all of `steps`, which are of the same model and optimizer, the anchors that the servers
// keep of variables, so that whoever takes the place of a worker has the same. Once, before the
// first round: no update changes them. Nothing is asked for if nothing is anchored.
absl::Status PullAnchors(ParameterClient& parameters,
                         std::span<const std::unique_ptr<LocalSteps>> steps);

}  // namespace convoy

#endif  // CONVOY_WORKER_ANCHOR_PULL_H_
