#include "launcher/coordinator/assignment.h"

#include <algorithm>

#include "common/epoch_examples.h"

namespace convoy {
namespace {

constexpr uint64_t kReportsPerEpoch = 20;

void FillSchedule(const v1::DataSummary& data, uint64_t total_examples, v1::Schedule* schedule) {
  if (schedule->has_step() && !schedule->step().has_every_examples()) {
    schedule->mutable_step()->set_every_examples(EpochExamples(data));
  }
  if (schedule->has_exponential() && !schedule->exponential().has_every_examples()) {
    schedule->mutable_exponential()->set_every_examples(EpochExamples(data));
  }
  if (schedule->has_cosine() && !schedule->cosine().has_over_examples()) {
    schedule->mutable_cosine()->set_over_examples(total_examples);
  }
}

}  // namespace

v1::Assignment MakeAssignment(const v1::Job& job, uint64_t generation, const Membership& members) {
  v1::Assignment assignment;
  assignment.set_generation(generation);
  for (uint32_t rank = 0; rank < members.servers(); ++rank) {
    assignment.add_servers(members.server(rank)->registration.address());
  }
  assignment.set_world_size(members.workers());
  assignment.set_slices(job.training().slices());
  const v1::ReadyRequest& setup = members.worker(0)->setup;
  *assignment.mutable_variables() = setup.variables();
  *assignment.mutable_tables() = setup.tables();
  *assignment.mutable_data() = setup.data();
  *assignment.mutable_job() = job;
  return assignment;
}

v1::Job FillFromData(v1::Job job, const v1::DataSummary& data, uint64_t steps_per_epoch,
                     uint64_t total_examples) {
  // Ids have no numbers.
  if (!job.data().has_features() && data.features() > 0)
    job.mutable_data()->set_features(data.features());
  const v1::Data::Format format = job.data().format();
  if ((format == v1::Data::AUTO || format == v1::Data::LIBFFM) && !job.data().has_csv() &&
      !job.data().has_fields() && data.fields() > 0) {
    job.mutable_data()->set_fields(data.fields());
  }
  if (!job.model().has_classes() && data.classes() > 0) {
    job.mutable_model()->set_classes(data.classes());
  }
  if (!job.training().has_report_every_steps()) {
    job.mutable_training()->set_report_every_steps(
        static_cast<uint32_t>((steps_per_epoch + kReportsPerEpoch - 1) / kReportsPerEpoch));
  }
  if (job.optimizer().has_schedule()) {
    FillSchedule(data, total_examples, job.mutable_optimizer()->mutable_schedule());
  }
  return job;
}

}  // namespace convoy
