// An InitPlan for people.
#ifndef CONVOY_COMMON_CHECKPOINT_INIT_REPORT_H_
#define CONVOY_COMMON_CHECKPOINT_INIT_REPORT_H_

#include <string>
#include <vector>

#include "proto/coordinator.pb.h"

namespace convoy {

// A line for each variable and table: what it begins as, its shape, what becomes of its slots,
// whether it is frozen; then what is not used. In aligned columns.
// The first line names where the values are from.
std::vector<std::string> InitReport(const v1::InitPlan& plan);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_INIT_REPORT_H_
