// The rules by which the servers of a job update what they hold: the optimizer's own, or, where
// workers take its steps themselves (local_sgd, geo), the addition of how far they came. Their
// slots are those of checkpoints.
#ifndef CONVOY_COMMON_OPTIMIZERS_SERVER_RULES_H_
#define CONVOY_COMMON_OPTIMIZERS_SERVER_RULES_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "common/optimizers/difference.h"
#include "common/optimizers/optimizer.h"
#include "common/optimizers/row_updater.h"
#include "proto/job.pb.h"

namespace convoy {

// `difference`: how differences are added up; nullopt: servers get gradients. Errors as those of
// MakeOptimizer and of RowUpdater.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeServerOptimizer(
    std::optional<DifferenceRule> difference, const OptimizerSettings& settings);
absl::StatusOr<RowUpdater> MakeServerRowUpdater(std::optional<DifferenceRule> difference,
                                                const v1::Optimizer& optimizer,
                                                const TableSpec& table);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_SERVER_RULES_H_
