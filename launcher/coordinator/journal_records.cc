#include "launcher/coordinator/journal_records.h"

#include <string>

#include "absl/time/time.h"
#include "common/build_info.h"
#include "common/checkpoint/manifest.h"
#include "common/status.h"
#include "launcher/coordinator/resume_point.h"

namespace convoy {

v1::JournalOutcome ToOutcome(const absl::Status& status) {
  v1::JournalOutcome outcome;
  outcome.set_code(static_cast<int>(status.code()));
  outcome.set_message(std::string(status.message()));
  return outcome;
}

absl::Status FromOutcome(const v1::JournalOutcome& outcome) {
  return absl::Status(static_cast<absl::StatusCode>(outcome.code()), outcome.message());
}

v1::JournalHeader DescribeBeginning(const CoordinatorCore::Options& options) {
  v1::JournalHeader header;
  header.set_build_id(BuildId());
  *header.mutable_job() = options.job;
  header.set_job_id(options.job_id);
  header.set_start_ns(absl::ToUnixNanos(options.start));
  header.set_host(options.host);
  header.set_checkpoints(options.checkpoints);
  header.set_fixed_workers(options.fixed_workers);
  if (options.resume) {
    v1::JournalResume& resume = *header.mutable_resume();
    resume.set_folder(options.resume->folder);
    resume.set_manifest(ToJson(options.resume->manifest));
    resume.set_run(options.resume->run);
    resume.set_allow_changes(options.resume->allow_changes);
  }
  v1::JournalEarlierLives& earlier = *header.mutable_earlier();
  earlier.set_restarts(options.earlier.restarts);
  earlier.set_generation(options.earlier.generation);
  earlier.set_cause(options.earlier.cause);
  if (options.earlier.training_start != absl::InfiniteFuture())
    earlier.set_training_start_ns(absl::ToUnixNanos(options.earlier.training_start));
  return header;
}

absl::StatusOr<CoordinatorCore::Options> BeginningOf(const v1::JournalHeader& header) {
  CoordinatorCore::Options options;
  options.job = header.job();
  options.job_id = header.job_id();
  options.start = absl::FromUnixNanos(header.start_ns());
  options.host = header.host();
  options.checkpoints = header.checkpoints();
  options.fixed_workers = header.fixed_workers();
  if (header.has_resume()) {
    options.resume.emplace();
    options.resume->folder = header.resume().folder();
    CONVOY_ASSIGN_OR_RETURN(options.resume->manifest,
                            ParseManifest(header.resume().manifest(), "the coordinator's journal"));
    options.resume->run = header.resume().run();
    options.resume->allow_changes = header.resume().allow_changes();
  }
  const v1::JournalEarlierLives& earlier = header.earlier();
  options.earlier.restarts = earlier.restarts();
  options.earlier.generation = earlier.generation();
  options.earlier.cause = earlier.cause();
  if (earlier.has_training_start_ns())
    options.earlier.training_start = absl::FromUnixNanos(earlier.training_start_ns());
  return options;
}

bool DescribeRequest(const v1::RegisterRequest& request, v1::JournalRecord* record) {
  *record->mutable_register_() = request;
  return true;
}
bool DescribeRequest(const v1::ReadyRequest& request, v1::JournalRecord* record) {
  *record->mutable_ready() = request;
  return true;
}
bool DescribeRequest(const v1::HeartbeatRequest& request, v1::JournalRecord* record) {
  *record->mutable_heartbeat() = request;
  return true;
}
bool DescribeRequest(const v1::NextTaskRequest& request, v1::JournalRecord* record) {
  *record->mutable_next_task() = request;
  return true;
}
bool DescribeRequest(const v1::ReportRequest& request, v1::JournalRecord* record) {
  *record->mutable_report() = request;
  return true;
}
bool DescribeRequest(const v1::StopRequest& request, v1::JournalRecord* record) {
  *record->mutable_stop() = request;
  return true;
}
bool DescribeRequest(const v1::SaveCheckpointRequest& request, v1::JournalRecord* record) {
  *record->mutable_save_checkpoint() = request;
  return true;
}
bool DescribeRequest(const v1::ProcessLostRequest& request, v1::JournalRecord* record) {
  *record->mutable_process_lost() = request;
  return true;
}
bool DescribeRequest(const v1::ScaleRequest& request, v1::JournalRecord* record) {
  *record->mutable_scale() = request;
  return true;
}

}  // namespace convoy
