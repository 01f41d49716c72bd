// summary.json: the outcome of a job in one object.
#ifndef CONVOY_LAUNCHER_COORDINATOR_SUMMARY_H_
#define CONVOY_LAUNCHER_COORDINATOR_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/checkpoint/manifest.h"
#include "launcher/coordinator/membership.h"
#include "launcher/coordinator/report_book.h"
#include "proto/job.pb.h"

namespace convoy {

struct Outcome {
  // From the start of the training, restarts included, until the last worker finished.
  absl::Duration wall;
  absl::Duration life{};       // since the last restart
  bool stopped_early = false;  // by request, before its natural end
  std::string
      early_stopping{};  // why the training ended before its planned end by itself; "": it did not
  std::optional<CheckpointBest> best{};  // the best validation that was saved
  std::optional<uint64_t>
      model_step{};               // model.safetensors has the weights of this step, not the last
  uint32_t restarts = 0;          // of all processes, by the launcher
  uint32_t workers_replaced = 0;  // since the last of these
  uint32_t coordinators_replaced = 0;  // likewise
  uint64_t checkpoints_saved = 0;
  uint64_t checkpoints_failed = 0;
  std::string failure{};  // "": it ended well
};

// `book`: nullptr if the training never began. Bytes are those that the workers sent to and
// received from the servers; the staleness is what the servers measured over the whole job.
std::string SummaryJson(const v1::Job& job, const Membership& members, const ReportBook* book,
                        const Outcome& outcome);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_SUMMARY_H_
