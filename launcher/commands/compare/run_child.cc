#include "launcher/commands/compare/run_child.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status.h"
#include "launcher/process/log_tail.h"

namespace convoy {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(200);
constexpr absl::Duration kStopGrace = absl::Seconds(20);

// What `convoy train` said last of what went wrong; empty: nothing.
std::string LastWords(const std::string& log) {
  constexpr absl::string_view kMark = "convoy: ";
  std::string said;
  const std::string tail = LogTail(log);
  for (absl::string_view rest = tail; !rest.empty();) {
    const size_t end = rest.find('\n');
    const absl::string_view line = rest.substr(0, end);
    const bool where = line.find("the run directory is") != absl::string_view::npos;
    if (said.empty() && !where && line.substr(0, kMark.size()) == kMark)
      said = std::string(line.substr(kMark.size()));
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
  }
  return said;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunChild>> RunChild::Start() {
  auto child = std::unique_ptr<RunChild>(new RunChild);
  Supervisor::Options options;
  options.grace = kStopGrace;
  options.on_exit = [raw = child.get()](const ProcessExit& exit) { raw->OnExit(exit); };
  CONVOY_ASSIGN_OR_RETURN(child->supervisor_, Supervisor::Start(std::move(options)));
  return child;
}

void RunChild::OnExit(const ProcessExit& exit) {
  MutexLock lock(mutex_);
  exit_ = exit;
  changed_.NotifyAll();
}

absl::StatusOr<std::string> RunChild::Train(const PlannedRun& run,
                                            const std::function<void()>& look) {
  {
    MutexLock lock(mutex_);
    if (stopped_) return absl::CancelledError("stopped");
    exit_.reset();
  }
  ProcessSpec spec;
  spec.role = "train";
  spec.arguments = {"convoy", "train", run.job_path(), "--run-dir", run.directory()};
  spec.log_path = run.log_path();
  const absl::StatusOr<pid_t> pid = supervisor_->Spawn(std::move(spec));
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (stopped_) return absl::CancelledError("stopped");
      if (!pid.ok()) return pid.status();
      if (!exit_) changed_.WaitFor(mutex_, kLookEvery);
      if (stopped_) return absl::CancelledError("stopped");
      if (exit_) break;
    }
    look();
  }
  MutexLock lock(mutex_);
  if (!exit_->Failed()) return std::string();
  const std::string words = exit_->signaled ? "" : LastWords(run.log_path());
  return words.empty() ? DescribeExit(*exit_) : words;
}

void RunChild::RequestStop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

void RunChild::Finish() { supervisor_->Stop(); }

void RunChild::Kill() { supervisor_->Kill(); }

}  // namespace convoy
