// Which parts of a model stay as they are: those with a learning rate of 0, by optimizer.freeze or
// by an override.
#ifndef CONVOY_COMMON_OPTIMIZERS_FROZEN_H_
#define CONVOY_COMMON_OPTIMIZERS_FROZEN_H_

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "proto/job.pb.h"

namespace convoy {

struct FrozenParts {
  std::vector<bool> variables;  // by number
  std::vector<bool> tables;     // by number: all column ranges are frozen

  bool any() const;
  // Nothing learns. False without any parts.
  bool all() const;
  bool variable(size_t number) const { return number < variables.size() && variables[number]; }
  bool table(size_t number) const { return number < tables.size() && tables[number]; }
};

// InvalidArgument: as SettingsFor.
absl::StatusOr<FrozenParts> FindFrozen(const v1::Optimizer& optimizer,
                                       std::span<const VariableSpec> variables,
                                       std::span<const TableSpec> tables);

// What to tell a user whose model does not learn anything.
inline constexpr char kNothingLearns[] =
    "all weights are frozen (optimizer.freeze, or a learning rate of 0) and stay as they are; "
    "`convoy evaluate` measures a model without training";

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_FROZEN_H_
