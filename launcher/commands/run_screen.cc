#include "launcher/commands/run_screen.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/clock.h"
#include "common/cluster_size.h"
#include "common/files/atomic_file.h"
#include "common/job/job_file.h"
#include "common/monitoring/metrics_ports.h"
#include "common/net/host_name.h"
#include "common/rehearsal/rehearsal.h"
#include "common/status.h"
#include "launcher/process/admission.h"
#include "launcher/process/advice.h"

namespace convoy {

RunScreen::RunScreen(RunDirectory* directory)
    : directory_(directory),
      display_(ProgressDisplay::OptionsFor(STDOUT_FILENO, std::getenv("TERM"),
                                           std::getenv("NO_COLOR"))) {}

absl::Status RunScreen::BeginLife(const v1::Job& job, const JobProcesses& processes,
                                  const std::string& coordinator, const std::string& dashboard) {
  job_ = job;
  job_is_final_ = cluster_is_final_ = false;
  cluster_ = processes.processes();
  cluster_[0].address = coordinator;
  IsWritten(directory_->WriteCluster(job_.name(), cluster_));
  if (!std::exchange(introduced_, true)) CONVOY_RETURN_IF_ERROR(Introduce());
  if (!dashboard.empty()) ShowDashboard(processes.dashboard_url());
  return absl::OkStatus();
}

void RunScreen::ProcessesChanged(const JobProcesses& processes) {
  std::vector<ClusterProcess> now = processes.processes();
  for (ClusterProcess& process : now) {
    for (const ClusterProcess& before : cluster_) {
      if (process.role == before.role && process.rank == before.rank)
        process.address = before.address;
    }
  }
  cluster_ = std::move(now);
  cluster_is_final_ = IsWritten(directory_->WriteCluster(job_.name(), cluster_));
}

// Their numbers may soon be those of somebody else's processes.
void RunScreen::EndLife() {
  if (absl::Status removed = directory_->RemoveCluster(); !removed.ok())
    display_.Print(absl::StrCat("warning: ", std::string(removed.message())));
}

absl::Status RunScreen::Introduce() {
  display_.Print(absl::StrCat("job \"", job_.name(), "\", mode ", job_.training().mode(),
                              ", run directory ", directory_->path()));
  for (const ClusterProcess& process : cluster_) {
    display_.Print(
        absl::StrCat("  ", process.role, " ", process.rank, "  pid ", process.pid,
                     process.log.empty() ? "" : "  " + directory_->path() + "/" + process.log));
  }
  CONVOY_ASSIGN_OR_RETURN(const RehearsalPlan rehearsal, RehearsalOf(job_.rehearsal()));
  for (const std::string& what : Describe(rehearsal)) {
    display_.Print(absl::StrCat("rehearsal: ", what));
  }
  const auto [servers, workers] = ClusterSizeOf(job_);
  const std::string advice = CoresAdvice(servers, workers, ThreadsPerWorker(job_), UsableCores());
  if (!advice.empty()) display_.Print(absl::StrCat("note: ", advice));
  return absl::OkStatus();
}

void RunScreen::ShowDashboard(const std::string& url) {
  PrintOnce(url.empty() ? absl::StrCat("warning: there is no dashboard; ",
                                       directory_->LogPath("coordinator", 0), " says why")
                        : absl::StrCat("dashboard: ", url));
}

absl::Status RunScreen::Show(const v1::GetProgressReply& progress) {
  const bool is_new =
      !job_is_final_ || progress.job().cluster().workers() != job_.cluster().workers();
  if (progress.has_job() && is_new) {
    job_ = progress.job();
    job_is_final_ = IsWritten(directory_->WriteJob(JobToText(job_)));
    if (progress.memory().host_bytes() > 0 && !std::exchange(memory_is_shown_, true))
      display_.Print(MemoryLine(progress.memory()));
  }
  if (progress.phase() != v1::STARTING && !cluster_is_final_) {
    for (const v1::ProcessInfo& info : progress.processes()) {
      for (ClusterProcess& process : cluster_) {
        const bool same = process.role == (info.role() == v1::SERVER ? "server" : "worker") &&
                          process.rank == static_cast<int>(info.rank());
        if (same) process.address = info.address();
      }
    }
    cluster_is_final_ = IsWritten(directory_->WriteCluster(job_.name(), cluster_));
  }
  for (const std::string& note : progress.notes()) PrintOnce(absl::StrCat("note: ", note));
  display_.SetTotals(job_.training().epochs(), progress.total_examples());
  display_.SetWaitingFor(progress.waiting_for(), SteadyNow());
  for (const std::string& event : progress.events()) {
    NoteIfLost(directory_->AppendEvent(event));
    CONVOY_RETURN_IF_ERROR(display_.AddEvent(event, SteadyNow()));
  }
  display_.Refresh(SteadyNow());
  return absl::OkStatus();
}

absl::Status RunScreen::NoteFault(const std::string& fault, const v1::GetProgressReply& progress) {
  const v1::JobFigures& figures = progress.figures();
  nlohmann::ordered_json event;
  event["time"] = static_cast<double>(figures.now_ms() - figures.training_ms()) / 1000;
  event["kind"] = "fault";
  event["generation"] = progress.generation();
  event["step"] = figures.step();
  event["fault"] = fault;
  const std::string line = event.dump();
  NoteIfLost(directory_->AppendEvent(line));
  return display_.AddEvent(line, SteadyNow());
}

void RunScreen::ShowMetrics(const v1::Job& job, bool running) {
  if (job.cluster().metrics_port() == 0) return;
  const std::vector<std::string> busy =
      running ? std::vector<std::string>() : BusyMetricsPorts(job);
  if (!busy.empty()) {
    display_.Print(absl::StrCat(
        "warning: ports of cluster.metrics_port are in use: ", absl::StrJoin(busy, ", "),
        ". The job goes on without the metrics of these processes"));
  }
  const std::string targets = directory_->metrics_targets_path();
  const absl::Status written = WriteFileAtomically(targets, MetricsTargets(job, HostName()));
  display_.Print(written.ok()
                     ? absl::StrCat("metrics for Prometheus: ", targets, " has the addresses")
                     : absl::StrCat("warning: Prometheus does not find the processes: ",
                                    std::string(written.message())));
}

// Prometheus takes them from its list. Those of a job that fails stay on it, which is how the alert
// knows.
void RunScreen::ForgetMetrics() const {
  const std::string targets = directory_->metrics_targets_path();
  std::error_code ignored;
  if (std::filesystem::exists(targets, ignored)) WriteFileAtomically(targets, "[]\n").IgnoreError();
}

// A life of the run says again what the one before has said.
void RunScreen::PrintOnce(const std::string& line) {
  if (printed_.insert(line).second) display_.Print(line);
}

// A disk that is full does not end the training.
bool RunScreen::IsWritten(const absl::Status& status) {
  if (!status.ok()) {
    PrintOnce(absl::StrCat("warning: ", std::string(status.message()),
                           "; the training goes on, and it is tried again"));
  }
  return status.ok();
}

void RunScreen::NoteIfLost(const absl::Status& appended) {
  if (appended.ok() || std::exchange(event_was_lost_, true)) return;
  display_.Print(absl::StrCat("warning: events are lost, the training goes on: ",
                              std::string(appended.message())));
}

}  // namespace convoy
