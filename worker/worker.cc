#include "worker/worker.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/build_info.h"
#include "common/mode.h"
#include "common/net/coordinator_client.h"
#include "common/net/host_name.h"
#include "common/status.h"
#include "worker/data/csv/class_names.h"
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/job_session.h"
#include "worker/layers/eigen.h"
#include "worker/parameter_client.h"
#include "worker/training.h"

namespace convoy {
namespace {

// Data and model of a worker, before it knows its part.
struct Setup {
  DataSets data;
  std::unique_ptr<Model> model;
  v1::DataSummary summary;
};

absl::StatusOr<Setup> Prepare(const v1::Job& job, const WorkerOptions& options, JobSession& session) {
  Setup setup;
  CONVOY_ASSIGN_OR_RETURN(setup.data, OpenData(job.data(), job.seed(), [&](const std::string& activity) {
                            session.SetActivity(activity);
                            options.log(activity);
                          }));
  if (const v1::Schema* schema = setup.data.schema.get(); schema != nullptr && schema->bad_lines() > 0) {
    options.log(absl::StrCat(job.data().train(), ": ", schema->bad_lines(), " bad lines are skipped, the first: ",
                             schema->first_bad_line()));
  }
  session.SetActivity("building the model");
  const Dataset& train = *setup.data.train;
  ModelInput input;
  input.features = train.features();
  input.shape = train.example_shape();
  input.sparse = train.sparse();
  input.seed = job.seed();
  if (setup.data.schema != nullptr && !setup.data.schema->label().class_name().empty()) {
    CONVOY_ASSIGN_OR_RETURN(input.classes, ClassesOf(job.model(), *setup.data.schema));
  } else {
    CONVOY_ASSIGN_OR_RETURN(input.classes, ClassesOf(job.model(), train));
  }
  CONVOY_ASSIGN_OR_RETURN(setup.model, MakeModel(job.model(), input, options.models));
  CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(train, *setup.model), "training data"));
  if (setup.data.validation != nullptr) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(*setup.data.validation, *setup.model), "validation data"));
    setup.summary.set_validation_examples(static_cast<uint64_t>(setup.data.validation->size()));
  }
  setup.summary.set_examples(static_cast<uint64_t>(train.size()));
  setup.summary.set_features(static_cast<uint64_t>(train.features()));
  setup.summary.set_classes(static_cast<uint32_t>(input.classes));
  setup.summary.set_fingerprint(train.fingerprint());
  return setup;
}

absl::StatusOr<std::unique_ptr<ParameterClient>> ConnectToServers(const v1::Identity& identity,
                                                                  const v1::Assignment& assignment,
                                                                  const std::vector<VariableSpec>& variables,
                                                                  JobSession& session) {
  CONVOY_ASSIGN_OR_RETURN(Placement placement,
                          Placement::Create(variables, static_cast<uint32_t>(assignment.servers_size())));
  const v1::Cluster& cluster = assignment.job().cluster();
  ParameterClient::Options options;
  options.job_id = identity.job_id();
  options.generation = assignment.generation();
  options.worker = identity.rank();
  options.servers.assign(assignment.servers().begin(), assignment.servers().end());
  CONVOY_ASSIGN_OR_RETURN(options.mode, ParseMode(assignment.job().training().mode()));
  options.in_flight_bytes = cluster.in_flight_bytes();
  options.wait_timeout = absl::Milliseconds(cluster.wait_timeout_ms());
  options.give_up_after = absl::Milliseconds(cluster.lost_after_ms());
  options.interrupted = [&session] { return session.alive(); };
  return ParameterClient::Connect(std::move(options), std::move(placement));
}

absl::Status Train(const v1::RegisterReply& registered, const WorkerOptions& options, CoordinatorClient& coordinator,
                   JobSession& session) {
  CONVOY_ASSIGN_OR_RETURN(Setup setup, Prepare(registered.job(), options, session));
  session.SetActivity("waiting for the other processes");
  v1::ReadyRequest ready;
  for (const VariableSpec& variable : setup.model->variables()) *ready.add_variables() = ToProto(variable);
  *ready.mutable_data() = setup.summary;
  if (setup.data.schema != nullptr) *ready.mutable_schema() = *setup.data.schema;
  CONVOY_ASSIGN_OR_RETURN(const v1::Assignment assignment, coordinator.Ready(std::move(ready)));
  options.log(absl::StrCat("generation ", assignment.generation(), ": slices [", assignment.slice_begin(), ", ",
                           assignment.slice_end(), ") of ", assignment.slices(), ", ",
                           assignment.servers_size(), " servers"));
  session.SetActivity("connecting to the servers");
  CONVOY_ASSIGN_OR_RETURN(
      const std::unique_ptr<ParameterClient> parameters,
      ConnectToServers(registered.identity(), assignment, setup.model->variables(), session));
  if (assignment.job().optimizer().clip_norm() > 0 || assignment.job().training().nan_policy() == v1::Training::SKIP) {
    options.log("optimizer.clip_norm or training.nan_policy SKIP: gradients are sent when they are complete, not layer by layer");
  }
  session.SetActivity("training");
  const TrainingContext context{assignment,  *setup.data.train, setup.data.validation.get(), *setup.model,
                                *parameters, session,           coordinator};
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(assignment.job().training().mode()));
  CONVOY_RETURN_IF_ERROR(mode.kind == Mode::Kind::kSync ? TrainSync(context) : TrainTasks(context));
  session.SetBytes(parameters->bytes_sent(), parameters->bytes_received());
  session.SetActivity("done");
  CONVOY_RETURN_IF_ERROR(session.Finish());
  options.log("all steps are taken");
  return session.WaitForEnd();
}

v1::RegisterRequest Introduction(const WorkerOptions& options) {
  v1::RegisterRequest request;
  request.set_role(v1::WORKER);
  request.set_wanted_rank(options.rank);
  request.set_pid(static_cast<uint64_t>(getpid()));
  request.set_host(HostName());
  request.set_build_id(BuildId());
  request.set_instruction_set(InstructionSet());
  return request;
}

}  // namespace

absl::StatusOr<int64_t> ClassesOf(const v1::Model& model, const Dataset& data) {
  switch (model.kind_case()) {
    case v1::Model::kLinearRegression: return 0;
    case v1::Model::kLogisticRegression: return 2;
    default: break;
  }
  if (model.has_classes()) return model.classes();
  float largest = 0;
  for (int64_t i = 0; i < data.size(); ++i) largest = std::max(largest, data.label(i));
  if (!(largest < 1e6f)) {
    return absl::InvalidArgumentError(absl::StrCat("the largest label of the training data is ", largest,
                                                   ": classes are numbered from 0, at most 1,000,000; is this a "
                                                   "regression?"));
  }
  return std::max<int64_t>(2, static_cast<int64_t>(largest) + 1);
}

absl::Status RunWorker(const WorkerOptions& options) {
  ConfigureEigen();
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> coordinator,
                          CoordinatorClient::Connect({options.coordinator, options.unreachable_after}));
  CONVOY_ASSIGN_OR_RETURN(const v1::RegisterReply registered, coordinator->Register(Introduction(options)));
  options.log(absl::StrCat("worker ", registered.identity().rank(), " of job \"", registered.job().name(), "\""));
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(registered.job().training().mode()));
  JobSession session(coordinator.get(), mode.kind == Mode::Kind::kSync,
                     absl::Milliseconds(registered.job().cluster().heartbeat_ms()));
  const absl::Status status = Train(registered, options, *coordinator, session);
  // If the job has failed elsewhere, that is the reason to give.
  if (!status.ok() && !session.alive().ok()) return session.alive();
  if (!status.ok()) session.Fail(status);
  return status;
}

}  // namespace convoy
