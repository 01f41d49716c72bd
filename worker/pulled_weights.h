// The weights that a worker computes with, as they arrive from the servers.
#ifndef CONVOY_WORKER_PULLED_WEIGHTS_H_
#define CONVOY_WORKER_PULLED_WEIGHTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/mutex.h"
#include "worker/layers/weights.h"
#include "worker/parameter_client.h"
#include "worker/table_batch.h"

namespace convoy {

// One thread, but for RowsOfThread: while several threads get their rows, they take
// turns with the client, here and in Poll. Rows of the batch that comes next may be asked for while
// the current one computes: WantRows for each of its tables, then UseWantedRows when its turn has
// come.
class PulledWeights final : public WeightSource {
 public:
  // `parameters` outlives this.
  explicit PulledWeights(ParameterClient* parameters);

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  // At the version of SetVersion.
  absl::Status WantRows(int table, std::span<const uint64_t> ids) override;
  absl::Status WantRowsAndAnchors(int table, std::span<const uint64_t> ids,
                                  uint32_t anchors) override;
  void UseWantedRows() override;
  absl::StatusOr<TableRows> Rows(int table) override;
  RowSource& RowsOfThread(size_t thread) override;

  // sync: the step whose weights rows are wanted of from now on.
  void SetVersion(uint64_t version) { version_ = version; }
  const TableBatches& batches() const { return current_; }
  // The source of RowsOfThread, once it has been asked for.
  PulledWeights& thread(size_t thread) { return *threads_[thread]; }
  // Lets the client make progress, while other threads may get their rows; whoever waits for some
  // does it already.
  absl::Status Poll();

  // A round of local steps begins.
  void BeginRound();
  // What such a round sends of the rows `ids[table]`, which it has read: batches whose version is
  // the lowest that was read of their server since BeginRound.
  TableBatches RoundBatches(std::span<const std::vector<uint64_t>> ids);

 private:
  // The use of the client by several threads: each holds the mutex for it.
  struct Turns {
    Mutex mutex;
    std::atomic<int> waiting = 0;  // threads that wait for rows, of which one has the mutex
  };

  // `turns`: null: its own.
  PulledWeights(ParameterClient* parameters, Turns* turns);
  absl::Status WaitFor(const TableBatch& batch);
  std::shared_ptr<TableBatch> NewBatch(size_t table, std::span<const uint64_t> ids,
                                       uint32_t anchors);

  ParameterClient* const parameters_;
  Turns own_turns_;
  Turns* const turns_;  // those of the source of all threads
  TableBatchPool pool_;
  uint64_t version_ = 0;
  TableBatches current_, wanted_;
  std::vector<std::vector<uint64_t>> lowest_;  // versions read in the round, by table and server
  std::vector<std::unique_ptr<PulledWeights>> threads_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_PULLED_WEIGHTS_H_
