// What the coordinator knows of a training beside its weights, so that one that goes on reports the
// whole of it: the member `progress` of a checkpoint's manifest (docs/checkpoints.md).
#ifndef CONVOY_LAUNCHER_COORDINATOR_TRAINING_RECORD_H_
#define CONVOY_LAUNCHER_COORDINATOR_TRAINING_RECORD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/coordinator/epoch_sums.h"
#include "launcher/coordinator/report_book.h"
#include "launcher/coordinator/validation_track.h"
#include "proto/coordinator.pb.h"

namespace convoy {

struct TrainingRecord {
  uint64_t skipped = 0;  // gradients
  EpochSums epoch;       // of complete stretches or tasks
  // Modes with steps: of the stretch that is not complete, one report of kind PARTIAL for each
  // slice, or none.
  std::vector<v1::ReportRequest> partial;
  MeasuredValidations measured;
  uint64_t validation_key = 0;  // of the newest
  std::string metric;           // that `track` follows; "": none
  ValidationTrack::State track;
};

// One line of JSON.
std::string ToJson(const TrainingRecord& record);
// DataLoss: it is not what ToJson gives.
absl::StatusOr<TrainingRecord> ParseTrainingRecord(std::string_view json);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_TRAINING_RECORD_H_
