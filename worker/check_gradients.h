// `convoy check JOB --gradients`: the gradient check of a job's model on some of its data.
#ifndef CONVOY_WORKER_CHECK_GRADIENTS_H_
#define CONVOY_WORKER_CHECK_GRADIENTS_H_

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// Opens the data of the (resolved) job, makes its model and compares its gradients on the first 16
// examples of epoch 0 with finite differences (worker/models/gradient_check.h). Returns what to
// print if they agree. FailedPrecondition: they do not, with the variables and elements that are
// wrong; other codes: data or model can't be had.
absl::StatusOr<std::string> CheckGradients(const v1::Job& job,
                                           std::span<const ModelRegistration> models);

}  // namespace convoy

#endif  // CONVOY_WORKER_CHECK_GRADIENTS_H_
