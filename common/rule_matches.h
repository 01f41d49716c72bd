// Whether the rules of a job that name parts of its model by regular expressions find any.
#ifndef CONVOY_COMMON_RULE_MATCHES_H_
#define CONVOY_COMMON_RULE_MATCHES_H_

#include <span>

#include "absl/status/status.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "proto/job.pb.h"

namespace convoy {

// InvalidArgument: an expression of optimizer.freeze or optimizer.override matches neither a
// variable nor a column range of the model, or one of `table` no table: it would change nothing.
// Lists what there is.
absl::Status CheckRuleMatches(const v1::Job& job, std::span<const VariableSpec> variables,
                              std::span<const TableSpec> tables);

}  // namespace convoy

#endif  // CONVOY_COMMON_RULE_MATCHES_H_
