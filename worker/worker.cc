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
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/job_session.h"
#include "worker/layers/eigen.h"
#include "worker/parameter_client.h"
#include "worker/timed_model.h"
#include "worker/training.h"
#include "worker/training_data.h"

namespace convoy {
namespace {

// Data and model of a worker, before it knows its part.
struct Setup {
  DataSets data;
  std::unique_ptr<TimedModel> model;
  TrainingData training;
  v1::DataSummary summary;
};

absl::StatusOr<Setup> Prepare(const v1::Job& job, const WorkerOptions& options, JobSession& session) {
  Setup setup;
  CONVOY_ASSIGN_OR_RETURN(setup.data, OpenData(job.data(), job.seed(), [&](const std::string& activity) {
                            session.SetActivity(activity);
                            options.log(activity);
                          }));
  session.SetActivity("building the model");
  const Dataset& train = *setup.data.train;
  CONVOY_ASSIGN_OR_RETURN(const ModelInput input, ModelInputOf(job, train));
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<Model> model, MakeModel(job.model(), input, options.models));
  setup.model = std::make_unique<TimedModel>(std::move(model));
  CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(train, *setup.model), "training data"));
  if (setup.data.validation != nullptr) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(*setup.data.validation, *setup.model), "validation data"));
    setup.summary.set_validation_examples(static_cast<uint64_t>(setup.data.validation->size()));
  }
  if (setup.data.test != nullptr) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(*setup.data.test, *setup.model), "test data"));
    setup.summary.set_test_examples(static_cast<uint64_t>(setup.data.test->size()));
  }
  CONVOY_ASSIGN_OR_RETURN(setup.training, MakeTrainingData(job, train, *setup.model));
  if (const std::string how = Describe(setup.training); !how.empty()) options.log(how);
  setup.summary.set_examples(static_cast<uint64_t>(train.size()));
  setup.summary.set_epoch_examples(setup.training.epoch_size());
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
  options.overlap = options.mode.kind == Mode::Kind::kAsync;
  options.in_flight_bytes = cluster.in_flight_bytes();
  options.wait_timeout = absl::Milliseconds(cluster.wait_timeout_ms());
  options.give_up_after = absl::Milliseconds(cluster.lost_after_ms());
  options.interrupted = [&session] { return session.alive(); };
  return ParameterClient::Connect(std::move(options), std::move(placement));
}

absl::Status TrainWithServers(const TrainingContext& context, const v1::Identity& identity,
                              const WorkerOptions& options) {
  context.session.SetActivity("connecting to the servers");
  CONVOY_ASSIGN_OR_RETURN(
      const std::unique_ptr<ParameterClient> parameters,
      ConnectToServers(identity, context.assignment, context.model.variables(), context.session));
  const GradientPush::Options push = PushOptionsFor(context);
  if (push.clip_norm > 0 || push.skip_not_finite) {
    options.log("optimizer.clip_norm or training.nan_policy SKIP: gradients are sent when they are complete, not layer by layer");
  }
  context.session.SetActivity("training");
  CONVOY_RETURN_IF_ERROR(context.mode.rounds() ? TrainSync(context, *parameters) : TrainTasks(context, *parameters));
  context.session.SetBytes(parameters->bytes_sent(), parameters->bytes_received());
  return absl::OkStatus();
}

absl::Status TrainAlone(const TrainingContext& context, const WorkerOptions& options) {
  if (options.model_file.empty()) {
    return absl::FailedPreconditionError("mode single is one process without servers: run it with `convoy train`");
  }
  context.session.SetActivity("training");
  return TrainSingle(context, options.model_file);
}

absl::Status Train(const v1::RegisterReply& registered, const WorkerOptions& options, CoordinatorClient& coordinator,
                   JobSession& session) {
  CONVOY_ASSIGN_OR_RETURN(Setup setup, Prepare(registered.job(), options, session));
  session.SetActivity("waiting for the other processes");
  v1::ReadyRequest ready;
  for (const VariableSpec& variable : setup.model->variables()) *ready.add_variables() = ToProto(variable);
  *ready.mutable_data() = setup.summary;
  CONVOY_ASSIGN_OR_RETURN(const v1::Assignment assignment, coordinator.Ready(std::move(ready)));
  options.log(absl::StrCat("generation ", assignment.generation(), ": slices [", assignment.slice_begin(), ", ",
                           assignment.slice_end(), ") of ", assignment.slices(), ", ",
                           assignment.servers_size(), " servers"));
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(assignment.job().training().mode()));
  const TrainingContext context{assignment,
                                mode,
                                setup.training,
                                setup.data.validation.get(),
                                setup.data.test.get(),
                                *setup.model,
                                session,
                                coordinator};
  session.SetComputeClock([&setup] { return setup.model->compute_seconds(); });
  const absl::Status trained = mode.single() ? TrainAlone(context, options)
                                             : TrainWithServers(context, registered.identity(), options);
  session.SetComputeClock(nullptr);   // the model's life ends before the session's
  CONVOY_RETURN_IF_ERROR(trained);
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
  bool whole = true;
  for (int64_t i = 0; i < data.size(); ++i) {
    largest = std::max(largest, data.label(i));
    whole = whole && std::trunc(data.label(i)) == data.label(i);
  }
  // A custom model may be a regression: only numbers that can be classes are taken for them.
  if (model.has_custom() && !(whole && largest < 1e6f)) return 0;
  if (!(largest < 1e6f)) {
    return absl::InvalidArgumentError(absl::StrCat("the largest label of the training data is ", largest,
                                                   ": classes are numbered from 0, at most 1,000,000; is this a "
                                                   "regression?"));
  }
  return std::max<int64_t>(2, static_cast<int64_t>(largest) + 1);
}

absl::StatusOr<ModelInput> ModelInputOf(const v1::Job& job, const Dataset& train) {
  ModelInput input;
  input.features = train.features();
  input.shape = train.example_shape();
  input.sparse = train.sparse();
  input.seed = job.seed();
  input.allow_nan_loss = job.training().nan_policy() == v1::Training::SKIP;
  CONVOY_ASSIGN_OR_RETURN(input.classes, ClassesOf(job.model(), train));
  return input;
}

absl::Status RunWorker(const WorkerOptions& options) {
  ConfigureEigen();
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> coordinator,
                          CoordinatorClient::Connect({options.coordinator, options.unreachable_after}));
  CONVOY_ASSIGN_OR_RETURN(const v1::RegisterReply registered, coordinator->Register(Introduction(options)));
  options.log(absl::StrCat("worker ", registered.identity().rank(), " of job \"", registered.job().name(), "\""));
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(registered.job().training().mode()));
  JobSession session(coordinator.get(), mode.rounds(),
                     absl::Milliseconds(registered.job().cluster().heartbeat_ms()));
  const absl::Status status = Train(registered, options, *coordinator, session);
  // If the job has failed elsewhere, that is the reason to give.
  if (!status.ok() && !session.alive().ok()) return session.alive();
  if (!status.ok()) session.Fail(status);
  return status;
}

}  // namespace convoy
