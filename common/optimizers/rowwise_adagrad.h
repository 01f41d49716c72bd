// Row-wise Adagrad: one accumulator for all columns of a range.
//   a += mean of g^2 over the columns;  w -= rate * g / (sqrt(a) + epsilon)
// The "exact row-wise Adagrad" of Facebook's FBGEMM and DLRM (Naumov et al., "Deep learning
// recommendation model for personalization and recommendation systems", 2019); also RowAdagrad of
// PyTorch-BigGraph (Lerer et al., SysML 2019). Adagrad otherwise: see adagrad.h. A range of
// `columns` floats has 1 float of state in place of `columns`. Slot: a, one float,
// initial_accumulator at the start.
//
// g is the gradient after clipping and penalties, as for all rules. The sum of squares is taken in
// 8 lanes, column i in lane i mod 8, which are then added in pairs (0+4, 1+5, ...; 0+2, 1+3; 0+1),
// so its bits depend on nothing but g.
#ifndef CONVOY_COMMON_OPTIMIZERS_ROWWISE_ADAGRAD_H_
#define CONVOY_COMMON_OPTIMIZERS_ROWWISE_ADAGRAD_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "common/optimizers/range_rule.h"

namespace convoy {

// columns >= 1. InvalidArgument: a common setting out of range, initial_accumulator < 0,
// epsilon <= 0.
absl::StatusOr<std::unique_ptr<RangeRule>> MakeRowwiseAdagrad(const OptimizerSettings& settings,
                                                              uint32_t columns);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_ROWWISE_ADAGRAD_H_
