#include "ps/server.h"

#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/build_info.h"
#include "common/epoch_examples.h"
#include "common/mode.h"
#include "common/monitoring/metrics_endpoint.h"
#include "common/monitoring/process_metrics.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "common/net/host_name.h"
#include "common/net/listen_address.h"
#include "common/placement/assigned_placement.h"
#include "common/process_usage.h"
#include "common/rehearsal/link_limit.h"
#include "common/status.h"
#include "ps/parameter_service.h"
#include "ps/server_core.h"
#include "ps/shard_init.h"
#include "ps/shard_restore.h"
#include "ps/snapshot_taker.h"

namespace convoy {
namespace {

absl::StatusOr<std::shared_ptr<ServerCore>> MakeCore(const v1::Identity& identity,
                                                     const v1::Assignment& assignment) {
  CONVOY_ASSIGN_OR_RETURN(Placement placement, PlacementOf(assignment));
  const v1::Job& job = assignment.job();
  ServerCore::Options options;
  options.job_id = identity.job_id();
  options.generation = assignment.generation();
  options.rank = identity.rank();
  CONVOY_ASSIGN_OR_RETURN(options.mode, ParseMode(job.training().mode()));
  options.slices = assignment.slices();
  options.workers = assignment.world_size();
  options.seed = job.seed();
  options.optimizer = job.optimizer();
  options.table_rules.assign(job.table().begin(), job.table().end());
  options.deltas = job.checkpoint().deltas() > 0;
  options.epoch_examples = std::max<uint64_t>(1, EpochExamples(assignment.data()));
  options.total_examples = options.epoch_examples * std::max(1u, job.training().epochs());
  options.wait_timeout = absl::Milliseconds(job.cluster().wait_timeout_ms());
  options.out_of_order_budget = job.cluster().out_of_order_budget();
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ServerCore> core,
                          ServerCore::Create(options, std::move(placement)));
  if (assignment.has_restore()) {
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> checkpoint,
                            CheckpointReader::Open(assignment.restore().folder()));
    CONVOY_RETURN_IF_ERROR(
        RestoreShard(*checkpoint, core->placement(), options.rank, core->shard()));
  }
  if (assignment.has_init()) {
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<InitValues> init,
                            InitValues::Open(assignment.init()));
    CONVOY_RETURN_IF_ERROR(
        InitShard(*init, core->placement(), options.rank, options.seed, core->shard()));
  }
  return std::shared_ptr<ServerCore>(std::move(core));
}

// Replies that wait for one worker: all weights of the server, which it asks for at once, those
// that its pushes under way ask for, and the rows of a batch. More than twice as much is no
// worker's that reads what it is sent.
size_t MaxBacklog(const v1::Job& job, const Placement& placement, uint32_t rank) {
  constexpr size_t kRows = size_t{256} << 20;
  const size_t weights = static_cast<size_t>(placement.elements_of_server(rank)) * sizeof(float);
  const size_t usual = weights + job.cluster().in_flight_bytes() + (size_t{1} << 20);
  return 2 * usual + (placement.tables().empty() ? 0 : kRows);
}

// Brings the orders that come with heartbeats to what follows them, once it is there.
class SnapshotsInTurn {
 public:
  void Install(std::unique_ptr<SnapshotTaker> taker) {
    MutexLock lock(mutex_);
    taker_.swap(taker);
    if (taker_ != nullptr) taker_->Follow(latest_);
  }
  void Follow(const v1::HeartbeatReply& reply) {
    MutexLock lock(mutex_);
    latest_ = reply.snapshot();
    if (taker_ != nullptr) taker_->Follow(latest_);
  }
  void Fill(v1::HeartbeatRequest* request) const {
    MutexLock lock(mutex_);
    if (taker_ != nullptr) *request->mutable_snapshot() = taker_->state();
  }

 private:
  mutable Mutex mutex_;
  v1::SnapshotOrder latest_ CONVOY_GUARDED_BY(mutex_);
  std::unique_ptr<SnapshotTaker> taker_ CONVOY_GUARDED_BY(mutex_);
};

// What the coordinator's answers to heartbeats say.
class JobEnd {
 public:
  void OnReply(const absl::StatusOr<v1::HeartbeatReply>& reply) {
    MutexLock lock(mutex_);
    if (!reply.ok()) {
      status_ = Annotate(reply.status(), "the coordinator");
      ended_ = true;
    } else if (reply->phase() == v1::DONE || reply->phase() == v1::FAILED) {
      if (reply->phase() == v1::FAILED) status_ = absl::AbortedError(reply->failure());
      ended_ = true;
    }
    if (ended_) changed_.NotifyAll();
  }
  absl::Status Wait() {
    MutexLock lock(mutex_);
    while (!ended_) changed_.Wait(mutex_);
    return status_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool ended_ CONVOY_GUARDED_BY(mutex_) = false;
  absl::Status status_ CONVOY_GUARDED_BY(mutex_);
};

v1::RegisterRequest Introduction(const ServerOptions& options, const std::string& address) {
  v1::RegisterRequest request;
  request.set_role(v1::SERVER);
  request.set_wanted_rank(options.rank);
  request.set_address(options.advertise.empty() ? address : options.advertise);
  request.set_pid(static_cast<uint64_t>(getpid()));
  request.set_host(HostName());
  request.set_build_id(BuildId());
  request.set_instruction_set(InstructionSet());
  return request;
}

}  // namespace

absl::Status RunServer(const ServerOptions& options) {
  CONVOY_RETURN_IF_ERROR(CheckListenAddress(options.listen, options.insecure_listen));
  ParameterService::Options service_options;
  service_options.listen = options.listen;
  service_options.threads = options.threads;
  service_options.spin = absl::Microseconds(options.spin_us);
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ParameterService> service,
                          ParameterService::Start(service_options));
  JobEnd end;
  SnapshotsInTurn snapshots;
  CONVOY_ASSIGN_OR_RETURN(
      const std::unique_ptr<CoordinatorClient> coordinator,
      CoordinatorClient::Connect({options.coordinator, options.unreachable_after}));
  CONVOY_ASSIGN_OR_RETURN(const v1::RegisterReply registered,
                          coordinator->Register(Introduction(options, service->address())));
  // Before there is a part to answer for: "not yet" without a checksum would be taken for damage.
  if (registered.job().cluster().wire_checksums()) service->UseChecksums();
  // Before workers hear of its address.
  std::string local;
  if (registered.job().cluster().unix_sockets() && options.advertise.empty()) {
    const bool shares = registered.job().cluster().shared_memory();
    const absl::Status listens = service->ListenLocally(shares);
    local = listens.ok() ? absl::StrCat(", for workers of this host on a Unix socket",
                                        shares ? " and in memory that they share" : "")
                         : absl::StrCat("; workers of this host use TCP, too: ",
                                        std::string(listens.message()));
  }
  options.log(absl::StrCat("server ", registered.identity().rank(), " listens on ",
                           service->address(), local));

  coordinator->StartHeartbeats(
      absl::Milliseconds(registered.job().cluster().heartbeat_ms()),
      [&](v1::HeartbeatRequest* request) {
        *request->mutable_stats() = service->Stats();
        *request->mutable_usage() = CurrentProcessUsage();
        snapshots.Fill(request);
      },
      [&](const absl::StatusOr<v1::HeartbeatReply>& reply) {
        if (reply.ok()) snapshots.Follow(*reply);
        end.OnReply(reply);
      });

  const std::unique_ptr<HttpServer> metrics = ServeMetrics(
      registered.job(), "server", registered.identity().rank(),
      [&service] {
        MetricList list;
        AddUsage(CurrentProcessUsage(), &list);
        AddServer(service->Stats(), &list);
        return list;
      },
      options.log);
  CONVOY_ASSIGN_OR_RETURN(const v1::Assignment assignment, coordinator->Ready({}));
  const absl::StatusOr<LinkLimit> link = ParseLinkLimit(assignment.job().rehearsal().link());
  absl::StatusOr<std::shared_ptr<ServerCore>> core =
      link.ok() ? MakeCore(registered.identity(), assignment) : link.status();
  if (!core.ok()) {
    v1::HeartbeatRequest last_words;
    last_words.set_failure(std::string(core.status().message()));
    coordinator->Heartbeat(last_words).status().IgnoreError();
    return core.status();
  }
  options.log(absl::StrFormat(
      "holds %d cells, %.1f MB of weights, mode %s, generation %d",
      (*core)->placement().cells_of_server(registered.identity().rank()).size(),
      4e-6 * static_cast<double>(
                 (*core)->placement().elements_of_server(registered.identity().rank())),
      assignment.job().training().mode(), assignment.generation()));
  snapshots.Install(std::make_unique<SnapshotTaker>(
      *core, [client = coordinator.get()] { client->HeartbeatNow(); }));
  if (link->any()) options.log(absl::StrCat("rehearsal: the link is ", Describe(*link)));
  service->SetMaxBacklog(
      MaxBacklog(assignment.job(), (*core)->placement(), registered.identity().rank()));
  service->SetLink(*link);
  service->Install(*std::move(core));
  const absl::Status status = end.Wait();
  options.log(status.ok() ? "the job is done"
                          : absl::StrCat("the job has failed: ", std::string(status.message())));
  coordinator->StopHeartbeats();
  snapshots.Install(nullptr);
  return status;
}

}  // namespace convoy
