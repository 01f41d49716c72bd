// A worker as a member of a job: registers with the coordinator, opens its data, builds its model,
// trains its slices or data tasks, and leaves when the job ends.
#ifndef CONVOY_WORKER_WORKER_H_
#define CONVOY_WORKER_WORKER_H_

#include <functional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "worker/models/model.h"
#include "worker/table_store.h"

namespace convoy {

struct WorkerOptions {
  std::string coordinator;  // host:port
  int rank = -1;            // wanted; -1: any
  absl::Duration unreachable_after = absl::Seconds(20);
  // Mode single: where the final weights go, which no server holds; a schema goes beside them.
  std::string model_file;
  TableStoreFactory tables;  // mode single: where the embedding tables of a model live
  std::span<const ModelRegistration>
      models;  // of the program that embeds Convoy; outlives the worker
  // Called with what happens, for the log.
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

// Returns when the job has ended. Aborted: the job has failed elsewhere, with its reason. Other
// codes: what failed here.
absl::Status RunWorker(const WorkerOptions& options);

}  // namespace convoy

#endif  // CONVOY_WORKER_WORKER_H_
