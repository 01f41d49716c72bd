// The processes of a job, however they run: as processes of this machine, or as threads of this
// one.
#ifndef CONVOY_LAUNCHER_COMMANDS_JOB_PROCESSES_H_
#define CONVOY_LAUNCHER_COMMANDS_JOB_PROCESSES_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/coordinator/resume_point.h"
#include "launcher/process/run_directory.h"
#include "proto/coordinator.pb.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

class JobProcesses {
 public:
  // The end of a process that nobody asked for.
  struct Failure {
    std::string description;  // which process, how, its log and last words
    int exit_code = 1;
    bool killed = false;       // by a signal: it could not say why
    std::string cause{};       // "worker 1 (pid 1234) was killed by SIGKILL"
    std::string log{};         // path; "": none of its own
    bool crashed = false;      // killed by a signal that errors of a program raise
    bool coordinator = false;  // it is the coordinator
    bool worker = false;       // it is a worker ...
    uint32_t rank = 0;         // ... of this rank
    pid_t pid = 0;
  };

  virtual ~JobProcesses() = default;
  // Starts the coordinator and returns its address.
  virtual absl::StatusOr<std::string> StartCoordinator() = 0;
  // Starts servers and workers.
  virtual absl::Status StartOthers(const std::string& coordinator) = 0;
  // Where the coordinator's dashboard is, once it has started; "": there is none.
  virtual std::string dashboard_url() const = 0;
  // Role, number, pid and log of each.
  virtual std::vector<ClusterProcess> processes() const = 0;
  virtual std::optional<Failure> FirstFailure() const = 0;
  // All of them, in their order.
  virtual std::vector<Failure> Failures() const = 0;
  // The job can do without that process: it does not count as failed any more.
  virtual void Forgive(pid_t pid) = 0;
  // Starts another coordinator in the place of the one that has ended, at the same address.
  virtual absl::Status ReplaceCoordinator() = 0;
  // Starts another worker in the place of the one that has ended.
  virtual absl::Status ReplaceWorker(int rank) = 0;
  // Workers may have other ranks than they were started with. `now`: those of the job.
  virtual void NoteRanks(const google::protobuf::RepeatedPtrField<v1::ProcessInfo>& now) = 0;
  // Starts as many workers as are missing, so that there are `workers`; forgets those that have
  // left.
  virtual absl::Status StartWorkers(uint32_t workers) = 0;
  // Signals the process if it is one of these and alive.
  virtual void Signal(pid_t pid, int number) = 0;
  // True if none is left.
  virtual bool WaitUntilAllExited(absl::Duration timeout) = 0;
  // The same of servers and workers: the coordinator stays until it is told to go.
  virtual bool WaitUntilOthersExited(absl::Duration timeout) = 0;
  // Ends what is left.
  virtual void Stop() = 0;
  // Ends everything at once.
  virtual void Kill() = 0;
};

// Where a job goes on.
struct ResumeFrom {
  std::string checkpoint;  // its folder; empty: the job begins
  uint64_t examples = 0;   // that it has seen
  bool allow_changes = false;
  EarlierLives earlier;
};

// Child processes running this program. `directory` outlives them. `dashboard`: [HOST:]PORT; "":
// none. `on_exit` is called from another thread whenever one has ended.
absl::StatusOr<std::unique_ptr<JobProcesses>> MakeChildProcesses(const v1::Job& job,
                                                                 const RunDirectory& directory,
                                                                 const ResumeFrom& resume,
                                                                 const std::string& dashboard,
                                                                 std::function<void()> on_exit);

// Threads. As above; `directory` and `models` outlive them.
std::unique_ptr<JobProcesses> MakeInProcess(const v1::Job& job, const RunDirectory& directory,
                                            const ResumeFrom& resume, const std::string& dashboard,
                                            std::span<const ModelRegistration> models);

// "127.0.0.1:8080" of "http://127.0.0.1:8080/"; "": it is no such address.
std::string AddressOfUrl(std::string_view url);

// Threads of one server: cluster.threads_per_server, or its share of min(cores, 4), at least 1.
int ThreadsPerServer(const v1::Cluster& cluster);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_JOB_PROCESSES_H_
