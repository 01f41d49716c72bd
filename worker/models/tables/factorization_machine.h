// The factorization machine of second order.
#ifndef CONVOY_WORKER_MODELS_TABLES_FACTORIZATION_MACHINE_H_
#define CONVOY_WORKER_MODELS_TABLES_FACTORIZATION_MACHINE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// b and the terms of factor_terms.h, through a sigmoid or as they are. Variable "bias" and the
// table of FactorTable. The places of an example are features of their own: an id that repeats in
// it pairs with itself, too. InvalidArgument: the data are dense; factors outside 1 to 512,
// init_scale not above 0.
absl::StatusOr<std::unique_ptr<Model>> MakeFactorizationMachine(
    const v1::FactorizationMachine& config, const ModelInput& input);

// Table "rows" with the ranges "weight" (1 column, zeros) and "factors" (normal).
TableSpec FactorTable(int64_t factors, double init_scale);

// InvalidArgument, naming `field`: `factors` outside 1 to 512, or `init_scale` not above 0.
absl::Status CheckFactors(const std::string& model, const std::string& field, uint32_t factors,
                          double init_scale);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_FACTORIZATION_MACHINE_H_
