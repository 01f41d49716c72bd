#include "launcher/report/mode_facts.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/cluster_size.h"
#include "common/mode.h"
#include "common/number_text.h"
#include "launcher/report/report_text.h"

namespace convoy {
namespace {

// Of async and its kin: `parts` gradients of a global batch are updates of their own.
std::string RateOverParts(double parts) {
  return absl::StrCat("an update stands for 1/", NumberText(parts),
                      " of a batch: begin with rate / ", NumberText(parts),
                      ", or the rate itself with Adam or Adagrad; momentum 0 to 0.5");
}

}  // namespace

ModeFacts FactsOf(const RunRecord& run) {
  ModeFacts facts;
  const absl::StatusOr<Mode> parsed = ParseMode(run.mode());
  if (!parsed.ok()) return facts;
  const Mode& mode = *parsed;
  const double batch = run.job.training().batch_size();
  const double slices = std::max(1u, run.job.training().slices());
  const double workers = ClusterSizeOf(run.job).workers;
  const auto task_batch =
      run.job.training().slices() > 0 ? static_cast<double>(TaskBatchSize(run.job)) : batch;
  const double steps = mode.local_steps;
  double examples = batch;  // from one update to the next
  facts.weights_behind = "0";
  facts.rate_rule = "the reference: the rate of one process with the same batch";
  if (mode.kind == Mode::Kind::kLocalSgd) {
    examples = batch * steps;
    facts.rate_rule = absl::StrCat("the rate of one worker with batch ", NumberText(batch / slices),
                                   "; optimizer slots begin anew each round");
    facts.weights_behind =
        absl::StrCat("0, but slices drift apart for ", NumberText(steps), " steps");
  } else if (mode.kind == Mode::Kind::kGeo) {
    examples = task_batch * steps;
    facts.rate_rule = absl::StrCat("whole differences of ", NumberText(workers),
                                   " workers are added: begin with rate / ", NumberText(workers));
    facts.weights_behind =
        absl::StrCat("about ", NumberText((workers - 1) * steps), " local steps of others");
  } else if (!mode.rounds()) {
    examples = task_batch;
    facts.rate_rule =
        mode.scale_by_staleness
            ? "a gradient that is t updates old counts 1 / (1 + t): begin with the rate of sync"
            : RateOverParts(batch / task_batch);
    facts.weights_behind =
        mode.kind == Mode::Kind::kSsp
            ? absl::StrCat("at most about ", NumberText((workers - 1) * (2.0 * mode.bound + 1)),
                           " updates")
            : absl::StrCat("about ", NumberText(workers - 1), " to ", NumberText(2 * workers - 1),
                           " updates");
  }
  facts.examples_per_update = examples;
  if (mode.backup > 0) {
    facts.examples_per_update = batch * (slices - mode.backup) / slices;
    facts.rate_rule =
        absl::StrCat("as sync with a batch of ", NumberText(facts.examples_per_update));
  }
  facts.updates_per_epoch = std::ceil(static_cast<double>(run.epoch_examples) / examples);
  return facts;
}

}  // namespace convoy
