#include "worker/worker.h"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/build_info.h"
#include "common/checkpoint/init_values.h"
#include "common/files/atomic_file.h"
#include "common/mode.h"
#include "common/monitoring/metrics_endpoint.h"
#include "common/monitoring/process_metrics.h"
#include "common/net/coordinator_client.h"
#include "common/net/host_name.h"
#include "common/placement/assigned_placement.h"
#include "common/rehearsal/rehearsal.h"
#include "common/status.h"
#include "worker/compute_threads.h"
#include "worker/data/csv/schema_json.h"
#include "worker/job_session.h"
#include "worker/layers/eigen.h"
#include "worker/parameter_client.h"
#include "worker/setup.h"
#include "worker/training.h"
#include "worker/training_data.h"

namespace convoy {
namespace {

absl::StatusOr<std::unique_ptr<ParameterClient>> ConnectToServers(const v1::Identity& identity,
                                                                  const v1::Assignment& assignment,
                                                                  JobSession& session) {
  CONVOY_ASSIGN_OR_RETURN(Placement placement, PlacementOf(assignment));
  const v1::Cluster& cluster = assignment.job().cluster();
  ParameterClient::Options options;
  options.job_id = identity.job_id();
  options.generation = assignment.generation();
  options.worker = identity.rank();
  options.first_session = (identity.incarnation() << 32) + 1;
  options.servers.assign(assignment.servers().begin(), assignment.servers().end());
  CONVOY_ASSIGN_OR_RETURN(options.mode, ParseMode(assignment.job().training().mode()));
  options.overlap = options.mode.kind == Mode::Kind::kAsync;
  options.in_flight_bytes = cluster.in_flight_bytes();
  options.wait_timeout = absl::Milliseconds(cluster.wait_timeout_ms());
  options.give_up_after = absl::Milliseconds(cluster.lost_after_ms());
  options.spin = absl::Microseconds(cluster.spin_us());
  CONVOY_ASSIGN_OR_RETURN(options.frozen, FindFrozen(assignment.job().optimizer(),
                                                     placement.variables(), placement.tables()));
  CONVOY_ASSIGN_OR_RETURN(const RehearsalPlan plan, RehearsalOf(assignment.job().rehearsal()));
  options.checksums = cluster.wire_checksums();
  options.link = plan.link;
  options.faults = PushFaults(plan.faults, assignment.job().seed(), identity.rank());
  options.interrupted = [&session] { return session.alive(); };
  return ParameterClient::Connect(std::move(options), std::move(placement));
}

absl::Status TrainWithServers(const TrainingContext& context, const v1::Identity& identity,
                              const WorkerOptions& options) {
  context.session.SetActivity("connecting to the servers");
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ParameterClient> parameters,
                          ConnectToServers(identity, context.assignment, context.session));
  const GradientPush::Options push = RulesFor(context);
  if (push.clip_norm > 0 || push.skip_not_finite) {
    options.log(
        "optimizer.clip_norm or training.nan_policy SKIP: gradients are sent when they are "
        "complete, not layer by layer");
  }
  context.session.SetActivity("training");
  CONVOY_RETURN_IF_ERROR(context.mode.rounds() ? TrainSync(context, *parameters)
                                               : TrainTasks(context, *parameters));
  context.session.SetCounters(CountersOf(*parameters));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TableStore>> MakeTables(const TrainingContext& context,
                                                       const WorkerOptions& options,
                                                       const InitValues* init) {
  const LocalOptimizer::Options optimizer = OptimizerOptionsFor(context);
  return options.tables({context.assignment.job(), context.model.variables(),
                         context.model.tables(), context.assignment.slices(),
                         optimizer.epoch_examples, optimizer.total_examples, init});
}

absl::Status TrainAlone(const TrainingContext& context, const v1::Schema* schema,
                        const WorkerOptions& options) {
  if (options.model_file.empty() || options.tables == nullptr) {
    return absl::FailedPreconditionError(
        "mode single is one process without servers: run it with `convoy train`");
  }
  if (schema != nullptr) {
    const std::string folder = std::filesystem::path(options.model_file).parent_path().string();
    CONVOY_RETURN_IF_ERROR(WriteFileAtomically(SchemaPathIn(folder), SchemaToJson(*schema)));
  }
  std::unique_ptr<InitValues> init;
  if (context.assignment.has_init()) {
    CONVOY_ASSIGN_OR_RETURN(init, InitValues::Open(context.assignment.init()));
  }
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<TableStore> tables,
                          MakeTables(context, options, init.get()));
  context.session.SetActivity("training");
  return TrainSingle(context, options.model_file, *tables, init.get());
}

// rehearsal.slow_worker.
absl::Status SlowDown(const v1::Job& job, uint32_t rank, const TrainingSetup& setup,
                      const WorkerOptions& options) {
  CONVOY_ASSIGN_OR_RETURN(const RehearsalPlan plan, RehearsalOf(job.rehearsal()));
  for (const std::string& what : Describe(plan)) options.log(absl::StrCat("rehearsal: ", what));
  const Slowness slowness(plan.slow_workers, job.seed(), rank);
  if (!slowness.any()) return absl::OkStatus();
  for (const std::unique_ptr<TimedModel>& model : setup.models) model->SlowDown(slowness);
  return absl::OkStatus();
}

absl::Status Train(const v1::RegisterReply& registered, const WorkerOptions& options,
                   CoordinatorClient& coordinator, JobSession& session) {
  CONVOY_ASSIGN_OR_RETURN(
      const TrainingSetup setup,
      PrepareTraining(registered.job(), options.models, [&](const std::string& activity) {
        session.SetActivity(activity);
        options.log(activity);
      }));
  session.SetActivity("waiting for the other processes");
  v1::ReadyRequest ready;
  for (const VariableSpec& variable : setup.model().variables()) {
    *ready.add_variables() = ToProto(variable);
  }
  for (const TableSpec& table : setup.model().tables()) *ready.add_tables() = ToProto(table);
  *ready.mutable_data() = setup.summary;
  if (setup.data.schema != nullptr) *ready.mutable_schema() = *setup.data.schema;
  CONVOY_ASSIGN_OR_RETURN(const v1::Assignment assignment, coordinator.Ready(std::move(ready)));
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(assignment.job().training().mode()));
  options.log(absl::StrCat("generation ", assignment.generation(), ": slices [",
                           assignment.slice_begin(), ", ", assignment.slice_end(), ") of ",
                           assignment.slices(), ", ", assignment.servers_size(), " servers",
                           assignment.rejoins() ? ", in the place of another worker" : ""));
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ComputeThreads> threads,
                          ComputeThreads::Start(setup.models.size()));
  std::vector<Model*> models;
  for (const std::unique_ptr<TimedModel>& model : setup.models) models.push_back(model.get());
  CONVOY_RETURN_IF_ERROR(SlowDown(assignment.job(), registered.identity().rank(), setup, options));
  const TrainingContext context{assignment,
                                mode,
                                setup.training,
                                setup.data.validation.get(),
                                setup.old.validation.get(),
                                setup.data.test.get(),
                                setup.model(),
                                *threads,
                                models,
                                session,
                                coordinator};
  session.SetComputeClock([&setup] { return setup.compute_times(); });
  const absl::Status trained = mode.single()
                                   ? TrainAlone(context, setup.data.schema.get(), options)
                                   : TrainWithServers(context, registered.identity(), options);
  session.SetComputeClock(nullptr);  // the models' life ends before the session's
  CONVOY_RETURN_IF_ERROR(trained);
  session.SetActivity("done");
  CONVOY_RETURN_IF_ERROR(session.Finish());
  options.log("all steps are taken");
  return session.WaitForEnd();
}

v1::RegisterRequest Introduction(int rank) {
  v1::RegisterRequest request;
  request.set_role(v1::WORKER);
  request.set_wanted_rank(rank);
  request.set_pid(static_cast<uint64_t>(getpid()));
  request.set_host(HostName());
  request.set_build_id(BuildId());
  request.set_instruction_set(InstructionSet());
  return request;
}

// After the slices were divided anew: with the rank it had, or else any. ResourceExhausted: it is
// not needed any more.
absl::StatusOr<v1::RegisterReply> RegisterAgain(CoordinatorClient& coordinator, int rank) {
  absl::StatusOr<v1::RegisterReply> reply = coordinator.Register(Introduction(rank));
  if (absl::IsInvalidArgument(reply.status()) || absl::IsFailedPrecondition(reply.status()))
    return coordinator.Register(Introduction(-1));
  return reply;
}

// Until the job ends (false), or the process is to register again (true).
absl::StatusOr<bool> TakePart(const v1::RegisterReply& registered, const WorkerOptions& options,
                              CoordinatorClient& coordinator) {
  options.log(absl::StrCat("worker ", registered.identity().rank(), " of job \"",
                           registered.job().name(), "\""));
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(registered.job().training().mode()));
  JobSession session(&coordinator, {mode.rounds(), registered.rejoins(),
                                    absl::Milliseconds(registered.job().cluster().heartbeat_ms())});
  const std::unique_ptr<HttpServer> metrics = ServeMetrics(
      registered.job(), "worker", registered.identity().rank(),
      [&session] {
        const v1::HeartbeatRequest state = session.State();
        MetricList list;
        AddUsage(state.usage(), &list);
        AddWorker(state.step(), state.usage(), &list);
        return list;
      },
      options.log);
  const absl::Status status = Train(registered, options, coordinator, session);
  if (!status.ok() && !session.registers_again()) session.Fail(status);
  if (session.registers_again()) return true;
  // If the job has failed elsewhere, that is the reason to give.
  if (!status.ok() && !session.alive().ok()) return session.alive();
  CONVOY_RETURN_IF_ERROR(status);
  return false;
}

}  // namespace

absl::Status RunWorker(const WorkerOptions& options) {
  ConfigureEigen();
  int rank = options.rank;
  for (bool again = false;; again = true) {
    CoordinatorClient::Options to{options.coordinator, options.unreachable_after};
    if (again) to.connect_within = options.unreachable_after;  // there was one a moment ago
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> coordinator,
                            CoordinatorClient::Connect(std::move(to)));
    const absl::StatusOr<v1::RegisterReply> registered =
        again ? RegisterAgain(*coordinator, rank) : coordinator->Register(Introduction(rank));
    if (again && absl::IsResourceExhausted(registered.status())) {
      options.log("the job goes on with fewer workers, without this one");
      return absl::OkStatus();
    }
    CONVOY_RETURN_IF_ERROR(registered.status());
    CONVOY_ASSIGN_OR_RETURN(const bool is_to_register,
                            TakePart(*registered, options, *coordinator));
    if (!is_to_register) return absl::OkStatus();
    rank = static_cast<int>(registered->identity().rank());
    options.log("the slices are divided anew");
  }
}

}  // namespace convoy
