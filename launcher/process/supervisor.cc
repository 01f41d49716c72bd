#include "launcher/process/supervisor.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/status.h"
#include "launcher/process/log_tail.h"

namespace convoy {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A parent may have left SIGCHLD ignored; the kernel would then forget how children ended.
void StopIgnoringChildren() {
  struct sigaction action;
  ::sigaction(SIGCHLD, nullptr, &action);
  if (action.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
}

int PollTimeoutMs(const std::optional<SteadyClock::time_point>& until) {
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - SteadyClock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 3'600'000));
}

absl::Status RefuseToStart(const ProcessSpec& spec) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot start ", spec.role, " ", spec.rank, ": the job is being stopped"));
}

}  // namespace

std::string ProcessFailure::Describe() const {
  std::string text = absl::StrCat(DescribeExit(exit), "; its log is ", log_path, "\n");
  if (!last_words.empty()) absl::StrAppend(&text, "the log ends:\n", last_words);
  return text;
}

absl::StatusOr<std::unique_ptr<Supervisor>> Supervisor::Start(Options options) {
  OwnedFd wake_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_up.valid()) return ErrnoError("cannot make", "eventfd");
  StopIgnoringChildren();
  auto supervisor =
      std::unique_ptr<Supervisor>(new Supervisor(std::move(options), std::move(wake_up)));
  supervisor->thread_ = std::thread([self = supervisor.get()] { self->Run(); });
  return supervisor;
}

Supervisor::Supervisor(Options options, OwnedFd wake_up)
    : options_(std::move(options)), wake_up_(std::move(wake_up)) {}

Supervisor::~Supervisor() {
  if (!thread_.joinable()) return;
  Stop();
  thread_.join();
}

absl::StatusOr<pid_t> Supervisor::Spawn(ProcessSpec spec) {
  SpawnRequest request{spec, std::nullopt};
  MutexLock lock(mutex_);
  if (phase_ != Phase::kRunning) return RefuseToStart(spec);
  spawn_requests_.push_back(&request);
  WakeUp();
  while (!request.result) changed_.Wait(mutex_);
  return *std::move(request.result);
}

bool Supervisor::WaitUntilAllExited(absl::Duration timeout, pid_t but) {
  const auto deadline = SteadyClock::now() + absl::ToChronoNanoseconds(timeout);
  MutexLock lock(mutex_);
  while (alive_.size() > alive_.count(but)) {
    const auto left = deadline - SteadyClock::now();
    if (left.count() <= 0) return false;
    changed_.WaitFor(mutex_, absl::FromChrono(left));
  }
  return true;
}

std::optional<ProcessFailure> Supervisor::FirstFailure() const {
  MutexLock lock(mutex_);
  if (failures_.empty()) return std::nullopt;
  return failures_.front();
}

bool Supervisor::Has(pid_t pid) const {
  MutexLock lock(mutex_);
  return alive_.contains(pid);
}

std::vector<ProcessFailure> Supervisor::Failures() const {
  MutexLock lock(mutex_);
  return {failures_.begin(), failures_.end()};
}

void Supervisor::Forgive(pid_t pid) {
  MutexLock lock(mutex_);
  std::erase_if(failures_,
                [pid](const ProcessFailure& failure) { return failure.exit.pid == pid; });
}

void Supervisor::Signal(pid_t pid, int number) {
  MutexLock lock(mutex_);
  signal_requests_.emplace_back(pid, number);
  WakeUp();
}

void Supervisor::Stop() {
  RequestPhase(Phase::kStopping);
  MutexLock lock(mutex_);
  while (!finished_) changed_.Wait(mutex_);
}

void Supervisor::Kill() { RequestPhase(Phase::kKilling); }

void Supervisor::RequestPhase(Phase phase) {
  MutexLock lock(mutex_);
  phase_ = std::max(phase_, phase);
  WakeUp();
}

void Supervisor::WakeUp() {
  const uint64_t one = 1;
  // Fails only when the counter is full: the thread is awake then.
  [[maybe_unused]] const ssize_t written = ::write(wake_up_.get(), &one, sizeof(one));
}

void Supervisor::Run() {
  ::pthread_setname_np(::pthread_self(), "supervisor");
  Deadline kill_at;
  while (true) {
    SpawnRequested();
    ReapEnded();
    SendRequested();
    SignalIfRequested(&kill_at);
    {
      MutexLock lock(mutex_);
      if (phase_ != Phase::kRunning && children_.empty() && spawn_requests_.empty()) {
        finished_ = true;
        changed_.NotifyAll();
        return;
      }
    }
    WaitForNews(kill_at);
  }
}

void Supervisor::SpawnRequested() {
  std::vector<SpawnRequest*> requests;
  bool running;
  {
    MutexLock lock(mutex_);
    requests.swap(spawn_requests_);
    running = phase_ == Phase::kRunning;
  }
  for (SpawnRequest* request : requests) {
    absl::StatusOr<pid_t> result =
        running ? StartChild(request->spec) : RefuseToStart(request->spec);
    MutexLock lock(mutex_);
    if (result.ok()) alive_.insert(*result);
    request->result = std::move(result);
    changed_.NotifyAll();
  }
}

absl::StatusOr<pid_t> Supervisor::StartChild(const ProcessSpec& spec) {
  CONVOY_ASSIGN_OR_RETURN(ChildProcess child, ChildProcess::Start(spec));
  children_.push_back(std::move(child));
  return children_.back().pid();
}

void Supervisor::SendRequested() {
  std::vector<std::pair<pid_t, int>> requests;
  {
    MutexLock lock(mutex_);
    requests.swap(signal_requests_);
  }
  for (const auto& [pid, number] : requests) {
    for (const ChildProcess& child : children_) {
      if (child.pid() == pid) child.Signal(number);
    }
  }
}

void Supervisor::SignalIfRequested(Deadline* kill_at) {
  Phase wanted;
  {
    MutexLock lock(mutex_);
    wanted = phase_;
  }
  if (*kill_at && SteadyClock::now() >= **kill_at) wanted = Phase::kKilling;
  if (wanted <= signaled_) return;
  signaled_ = wanted;
  for (const ChildProcess& child : children_) {
    child.Signal(wanted == Phase::kStopping ? SIGTERM : SIGKILL);
  }
  kill_at->reset();
  if (wanted == Phase::kStopping) {
    *kill_at = SteadyClock::now() + absl::ToChronoNanoseconds(options_.grace);
  }
}

void Supervisor::WaitForNews(const Deadline& kill_at) {
  std::vector<pollfd> fds = {{wake_up_.get(), POLLIN, 0}};
  for (const ChildProcess& child : children_) fds.push_back({child.pidfd(), POLLIN, 0});
  ::poll(fds.data(), fds.size(), PollTimeoutMs(kill_at));
  uint64_t ignored;
  [[maybe_unused]] const ssize_t got = ::read(wake_up_.get(), &ignored, sizeof(ignored));
}

void Supervisor::ReapEnded() {
  std::vector<std::pair<ProcessExit, std::string>> ended;  // and the log's path
  std::erase_if(children_, [&](ChildProcess& child) {
    std::optional<ProcessExit> exit = child.Reap();
    if (!exit) return false;
    exit->stopping = signaled_ != Phase::kRunning;
    ended.emplace_back(*std::move(exit), child.log_path());
    return true;
  });
  std::stable_partition(ended.begin(), ended.end(), [](const auto& e) { return e.first.signaled; });
  for (const auto& [exit, log_path] : ended) Record(exit, log_path);
}

void Supervisor::Record(const ProcessExit& exit, const std::string& log_path) {
  if (exit.Failed()) {
    ProcessFailure failure{exit, log_path, LogTail(log_path)};
    MutexLock lock(mutex_);
    failures_.push_back(std::move(failure));
  }
  if (options_.on_exit) options_.on_exit(exit);
  MutexLock lock(mutex_);
  alive_.erase(exit.pid);
  changed_.NotifyAll();
}

}  // namespace convoy
