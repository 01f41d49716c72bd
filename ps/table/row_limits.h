// The limits of a bucket, from the job's rules for tables.
#ifndef CONVOY_PS_TABLE_ROW_LIMITS_H_
#define CONVOY_PS_TABLE_ROW_LIMITS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "ps/table/row_life.h"

namespace convoy {

// Budgets are shared out evenly to the buckets of table `name`, whose rows take `row_bytes` with
// their slots. InvalidArgument: a bad regular expression; a budget that leaves a bucket no row.
absl::StatusOr<RowLife> RowLifeFor(const std::vector<v1::TableRule>& rules, const std::string& name,
                                   size_t row_bytes);

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_LIMITS_H_
