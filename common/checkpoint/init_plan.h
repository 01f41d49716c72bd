// What a training begins with, decided from names and shapes alone (Job.init, docs/incremental.md):
// which variable or table is which of an archive, and what is new.
#ifndef CONVOY_COMMON_CHECKPOINT_INIT_PLAN_H_
#define CONVOY_COMMON_CHECKPOINT_INIT_PLAN_H_

#include <span>

#include "absl/status/statusor.h"
#include "common/checkpoint/weight_archive.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "proto/coordinator.pb.h"
#include "proto/job.pb.h"

namespace convoy {

// `path` and `step` of the plan are the caller's. Slots are loaded where the job's optimizer has
// the same ones by name for the variable (the column range) as the archive; in modes whose servers
// have no optimizer (local_sgd, geo) none are. Rules: what is in the model is loaded from what has
// its name after init.map; a name that a rule gives counts more than one that is its own;
// init.replace counts more than init.widen. InvalidArgument: regular expressions that are wrong or
// match nothing; shapes that differ or names that are missing without an instruction, all of them,
// each with the instructions that are possible; two names that become one; a tensor of another
// dtype.
absl::StatusOr<v1::InitPlan> PlanInit(const WeightArchive& archive, const v1::Job& job,
                                      std::span<const VariableSpec> variables,
                                      std::span<const TableSpec> tables);

// The plan of a job with Job.init, whose source is found and opened; with path, step and run.
// Errors also as FindInitSource and OpenArchive.
absl::StatusOr<v1::InitPlan> PlanInitOf(const v1::Job& job, std::span<const VariableSpec> variables,
                                        std::span<const TableSpec> tables);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_INIT_PLAN_H_
