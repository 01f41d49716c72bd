// Whether all workers speak of the same model and the same data.
#ifndef CONVOY_LAUNCHER_COORDINATOR_SETUP_COMPARISON_H_
#define CONVOY_LAUNCHER_COORDINATOR_SETUP_COMPARISON_H_

#include <string>

#include "absl/status/status.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// The first difference between the setups of two workers, with what each has; "": none.
std::string DescribeDifference(const std::string& name, const v1::ReadyRequest& setup,
                               const std::string& other_name, const v1::ReadyRequest& other);

// InvalidArgument: variables or data that no job can have (no examples, too many variables, ...).
absl::Status CheckSetup(const v1::ReadyRequest& setup);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_SETUP_COMPARISON_H_
