#include "worker/want_rows.h"

#include "common/status.h"

namespace convoy {

absl::Status WantRowsOf(const Model& model, const Batch& batch, WeightSource& weights,
                        std::vector<uint64_t>* scratch) {
  for (size_t t = 0; t < model.tables().size(); ++t) {
    scratch->clear();
    model.AppendIds(batch, static_cast<int>(t), scratch);
    CONVOY_RETURN_IF_ERROR(weights.WantRows(static_cast<int>(t), *scratch));
  }
  return absl::OkStatus();
}

}  // namespace convoy
