#include "launcher/commands/job_overview.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/cluster_size.h"
#include "common/math/table.h"
#include "common/mode.h"
#include "common/optimizers/server_rules.h"
#include "common/status.h"
#include "launcher/coordinator/training_plan.h"
#include "launcher/process/admission.h"
#include "launcher/process/text_table.h"
#include "ps/consistency.h"

namespace convoy {
namespace {

using Rows = std::vector<TextRow>;

std::string Bytes(uint64_t bytes) { return BytesText(static_cast<double>(bytes)); }

std::string Section(const char* title, const Rows& rows, Side side = Side::kLeft) {
  return absl::StrCat("\n", title, "\n", AlignColumns(rows, side));
}

std::string DataSection(const TrainingSetup& setup) {
  const Dataset& train = *setup.data.train;
  const ExampleShape shape = train.example_shape();
  std::string features = absl::StrCat(train.features());
  if (shape.height > 1) {
    absl::StrAppend(&features, " (", shape.height, " x ", shape.width, " x ", shape.channels, ")");
  }
  if (train.sparse()) features += ", sparse";
  const v1::DataSummary& summary = setup.summary;
  Rows rows = {{"training examples", absl::StrCat(summary.examples())}};
  if (const auto& replay = setup.training.replay) {
    rows.push_back({"old examples",
                    absl::StrCat(replay->old(), ", of which an epoch has ", replay->replayed())});
  }
  rows.push_back({"validation examples", absl::StrCat(summary.validation_examples())});
  if (summary.validation_old_examples() > 0) {
    rows.push_back({"of the old data", absl::StrCat(summary.validation_old_examples())});
  }
  rows.push_back({"features", features});
  rows.push_back(
      {"classes", summary.classes() == 0 ? "none, a regression" : absl::StrCat(summary.classes())});
  return Section("data", rows);
}

std::string ModelSection(const Model& model) {
  Rows rows = {{"variable", "shape", "values", "bytes"}};
  int64_t values = 0;
  for (const VariableSpec& variable : model.variables()) {
    values += variable.size();
    rows.push_back({variable.name, absl::StrJoin(variable.shape, " x "),
                    absl::StrCat(variable.size()),
                    Bytes(static_cast<uint64_t>(variable.size()) * sizeof(float))});
  }
  rows.push_back(
      {"in all", "", absl::StrCat(values), Bytes(static_cast<uint64_t>(values) * sizeof(float))});
  return Section("model", rows, Side::kRight);
}

// What a row takes: its floats, those of its optimizer, and what the server keeps to find it.
absl::StatusOr<std::string> TablesSection(const v1::Job& job, const Mode& mode,
                                          const Model& model) {
  if (model.tables().empty()) return "";
  constexpr uint64_t kOverhead = 32;
  Rows rows = {{"table", "columns", "bytes of a row"}};
  for (const TableSpec& table : model.tables()) {
    // Workers of some modes step rows by the optimizer, which may be wrong.
    CONVOY_RETURN_IF_ERROR(RowUpdater::Create(job.optimizer(), table).status());
    CONVOY_ASSIGN_OR_RETURN(
        const RowUpdater updater,
        MakeServerRowUpdater(ConsistencyPolicy::For(mode).difference(), job.optimizer(), table));
    std::vector<std::string> ranges;
    for (const ColumnRange& range : table.ranges) {
      ranges.push_back(absl::StrCat(range.name, " ", range.size));
    }
    const uint64_t floats = updater.dim() + updater.slot_floats();
    rows.push_back({table.name, absl::StrJoin(ranges, ", "),
                    absl::StrCat(floats * sizeof(float) + kOverhead)});
  }
  return Section("tables, one row for each id", rows, Side::kRight);
}

std::string TrainingSection(const v1::Job& job, const TrainingPlan& plan) {
  const std::string step =
      plan.sync
          ? absl::StrCat(CountText(plan.batch, "example"), ", in ", CountText(plan.slices, "slice"))
          : absl::StrCat(CountText(plan.batch, "example"), " of one worker");
  return Section("training",
                 {{"mode", job.training().mode()},
                  {"a step", step},
                  {"an epoch", absl::StrCat(CountText(plan.StepsPerEpoch(), "step"), ", ",
                                            CountText(plan.examples, "example"))},
                  {"in all", absl::StrCat(CountText(plan.TotalSteps(), "step"), ", ",
                                          CountText(plan.TotalExamples(), "example"))}});
}

std::string MemorySection(const JobOverview& overview) {
  const auto [servers, workers] = ClusterSizeOf(overview.job);
  Rows rows;
  if (servers > 0) {
    rows = {{CountText(servers, "server"), absl::StrCat(Bytes(overview.memory.server), " each")},
            {CountText(workers, "worker"), absl::StrCat(Bytes(overview.memory.worker), " each")}};
  }
  rows.push_back({"in all", Bytes(overview.memory.Total(servers, workers))});
  if (overview.machine) {
    rows.push_back(
        {"this machine", absl::StrCat(Bytes(overview.machine->total_bytes), ", ",
                                      Bytes(overview.machine->available_bytes), " available")});
  }
  const bool tables = !overview.setup.model().tables().empty();
  return Section(tables ? "memory, at most about, without tables" : "memory, at most about", rows);
}

}  // namespace

absl::StatusOr<std::string> RenderJobOverview(const JobOverview& overview) {
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(overview.job.training().mode()));
  const TrainingPlan plan(overview.job, mode, overview.setup.summary);
  const auto [servers, workers] = ClusterSizeOf(overview.job);
  CONVOY_ASSIGN_OR_RETURN(const std::string tables,
                          TablesSection(overview.job, mode, overview.setup.model()));
  const std::string advice =
      CoresAdvice(servers, workers, ThreadsPerWorker(overview.job), overview.cores);
  return absl::StrCat("job \"", overview.job.name(), "\" can be trained\n",
                      DataSection(overview.setup), ModelSection(overview.setup.model()), tables,
                      TrainingSection(overview.job, plan), MemorySection(overview),
                      advice.empty() ? "" : absl::StrCat("\nnote: ", advice, "\n"));
}

}  // namespace convoy
