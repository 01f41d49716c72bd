// What is written into the coordinator's journal of each thing that its logic is told, and how it
// is read from there.
#ifndef CONVOY_LAUNCHER_COORDINATOR_JOURNAL_RECORDS_H_
#define CONVOY_LAUNCHER_COORDINATOR_JOURNAL_RECORDS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/coordinator/coordinator_core.h"
#include "proto/coordinator.pb.h"
#include "proto/journal.pb.h"

namespace convoy {

v1::JournalOutcome ToOutcome(const absl::Status& status);
absl::Status FromOutcome(const v1::JournalOutcome& outcome);

// How the coordinator began, but for its clock.
v1::JournalHeader DescribeBeginning(const CoordinatorCore::Options& options);
// Without the functions that it asks. Errors as ParseManifest.
absl::StatusOr<CoordinatorCore::Options> BeginningOf(const v1::JournalHeader& header);

// Fills in the event of `record`. False: it changes nothing and is not written.
inline bool DescribeRequest(const v1::GetProgressRequest&, v1::JournalRecord*) { return false; }
bool DescribeRequest(const v1::RegisterRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::ReadyRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::HeartbeatRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::NextTaskRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::ReportRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::StopRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::SaveCheckpointRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::ProcessLostRequest& request, v1::JournalRecord* record);
bool DescribeRequest(const v1::ScaleRequest& request, v1::JournalRecord* record);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_JOURNAL_RECORDS_H_
