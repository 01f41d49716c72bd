// The weights that a worker computes with, as they arrive from the servers.
#ifndef CONVOY_WORKER_PULLED_WEIGHTS_H_
#define CONVOY_WORKER_PULLED_WEIGHTS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "worker/layers/weights.h"
#include "worker/parameter_client.h"
#include "worker/table_batch.h"

namespace convoy {

// One thread. Rows of the batch that comes next may be asked for while the current one computes:
// WantRows for each of its tables, then UseWantedRows when its turn has come.
class PulledWeights final : public WeightSource {
 public:
  // `parameters` outlives this.
  explicit PulledWeights(ParameterClient* parameters);

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  // At the version of SetVersion.
  absl::Status WantRows(int table, std::span<const uint64_t> ids) override;
  void UseWantedRows() override;
  absl::StatusOr<TableRows> Rows(int table) override;

  // sync: the step whose weights rows are wanted of from now on.
  void SetVersion(uint64_t version) { version_ = version; }
  const TableBatches& batches() const { return current_; }

  // A round of local steps begins.
  void BeginRound();
  // What such a round sends of the rows `ids[table]`, which it has read: batches whose version is
  // the lowest that was read of their server since BeginRound.
  TableBatches RoundBatches(std::span<const std::vector<uint64_t>> ids);

 private:
  std::shared_ptr<TableBatch> NewBatch(size_t table, std::span<const uint64_t> ids);

  ParameterClient* const parameters_;
  TableBatchPool pool_;
  uint64_t version_ = 0;
  TableBatches current_, wanted_;
  std::vector<std::vector<uint64_t>> lowest_;  // versions read in the round, by table and server
};

}  // namespace convoy

#endif  // CONVOY_WORKER_PULLED_WEIGHTS_H_
