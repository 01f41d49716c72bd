#include "common/optimizers/server_rules.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<Optimizer>> MakeServerOptimizer(
    std::optional<DifferenceRule> difference, const OptimizerSettings& settings) {
  if (difference) return MakeDifference(*difference, settings);
  return MakeOptimizer(settings);
}

absl::StatusOr<RowUpdater> MakeServerRowUpdater(std::optional<DifferenceRule> difference,
                                                const v1::Optimizer& optimizer,
                                                const TableSpec& table) {
  if (difference) return RowUpdater::ForDifferences(*difference, optimizer, table);
  return RowUpdater::Create(optimizer, table);
}

}  // namespace convoy
