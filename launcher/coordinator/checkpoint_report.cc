#include "launcher/coordinator/checkpoint_report.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/build_info.h"
#include "common/checkpoint/init_report.h"
#include "common/epoch_examples.h"
#include "common/job/job_file.h"
#include "common/math/table.h"
#include "common/mode.h"
#include "common/optimizers/server_rules.h"
#include "launcher/coordinator/json.h"
#include "ps/consistency.h"
#include "worker/data/csv/schema_json.h"

namespace convoy {
namespace {

// Servers have made the same optimizers before: settings that are wrong have ended the job.
std::vector<std::string> SlotsOf(const v1::Optimizer& optimizer, const std::string& variable,
                                 std::optional<DifferenceRule> difference) {
  const auto settings = SettingsFor(optimizer, variable);
  if (!settings.ok()) return {};
  const auto update = MakeServerOptimizer(difference, *settings);
  return update.ok() ? (*update)->slot_names() : std::vector<std::string>();
}

CheckpointTable Describe(const v1::Table& proto, const v1::Optimizer& optimizer,
                         std::optional<DifferenceRule> difference) {
  CheckpointTable table;
  table.name = proto.name();
  for (const v1::ColumnRange& range : proto.ranges()) {
    table.ranges.push_back({range.name(), range.size()});
  }
  TableSpec spec;
  if (!FromProto(proto, &spec).ok()) return table;
  const auto updater = MakeServerRowUpdater(difference, optimizer, spec);
  if (!updater.ok()) return table;
  for (const RowUpdater::SlotColumns& slot : updater->slot_columns()) {
    table.slots.push_back({slot.name, slot.size});
  }
  return table;
}

std::string ShapeInBrackets(const std::vector<uint64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

absl::Status Misfit(const CheckpointManifest& manifest, const std::string& difference) {
  return absl::FailedPreconditionError(
      absl::StrCat("the job does not fit the checkpoint of step ", manifest.step, ": ", difference,
                   "; --resume goes on with the same training, --init-from begins another one with "
                   "its weights"));
}

std::vector<uint64_t> ShapeOf(const v1::Variable& variable) {
  return {variable.shape().begin(), variable.shape().end()};
}

// How many epochs the training had seen; 0: the checkpoint does not say.
double EpochOf(const CheckpointManifest& manifest) {
  if (manifest.epoch_examples == 0) return 0;
  return static_cast<double>(manifest.examples) / static_cast<double>(manifest.epoch_examples);
}

}  // namespace

CheckpointManifest DescribeCheckpoint(const CheckpointToCommit& checkpoint,
                                      const v1::Assignment& assignment,
                                      const v1::ReadyRequest& setup, const IntervalSet& tasks,
                                      const ResumePoint* resumed, absl::Time now) {
  const v1::Job& job = assignment.job();
  CheckpointManifest manifest;
  manifest.step = checkpoint.step;
  manifest.mode = job.training().mode();
  manifest.slices = assignment.slices();
  manifest.generation = assignment.generation();
  manifest.examples = checkpoint.examples;
  manifest.dropped = checkpoint.dropped;
  manifest.created = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone());
  manifest.build = BuildId();
  manifest.instruction_set = InstructionSet();
  manifest.job = JobToText(job);
  if (setup.has_schema()) manifest.schema = SchemaToJson(setup.schema());
  manifest.data_fingerprint = assignment.data().fingerprint();
  manifest.data_examples = assignment.data().examples();
  manifest.epoch_examples = EpochExamples(assignment.data());
  const auto difference = ConsistencyPolicy::For(*ParseMode(job.training().mode())).difference();
  for (const v1::Variable& variable : assignment.variables()) {
    manifest.variables.push_back({variable.name(), ShapeOf(variable)});
    std::vector<std::string> names = SlotsOf(job.optimizer(), variable.name(), difference);
    if (!names.empty()) manifest.slots[variable.name()] = std::move(names);
  }
  for (const v1::Table& table : assignment.tables()) {
    manifest.tables.push_back(Describe(table, job.optimizer(), difference));
  }
  for (const auto& [begin, end] : tasks.all()) {
    manifest.completed_tasks.emplace_back(begin, end - 1);
  }
  if (resumed != nullptr) {
    manifest.lineage = resumed->manifest.lineage;
    const bool other_slices = resumed->manifest.slices != assignment.slices();
    manifest.lineage.push_back({resumed->run, resumed->manifest.step,
                                other_slices
                                    ? absl::StrCat("resume, ", assignment.slices(),
                                                   " slices instead of ", resumed->manifest.slices)
                                    : "resume"});
  }
  if (assignment.has_init()) {
    const v1::InitPlan& init = assignment.init();
    manifest.lineage.push_back(
        {init.run().empty() ? init.path() : init.run(), init.step(), "init"});
  }
  for (const v1::SnapshotState& file : checkpoint.files) {
    manifest.files.push_back({file.file(), file.bytes(), file.xxh3()});
  }
  return manifest;
}

absl::Status CheckSameSteps(const CheckpointManifest& manifest, const v1::Job& was,
                            const v1::Job& now) {
  const absl::StatusOr<Mode> mode = ParseMode(now.training().mode());
  const absl::StatusOr<Mode> mode_was = ParseMode(manifest.mode);
  if (mode.ok() && mode_was.ok() &&
      (mode_was->rounds() != mode->rounds() || mode_was->local_steps != mode->local_steps)) {
    return Misfit(manifest,
                  absl::StrCat("training.mode: got ", now.training().mode(), ", want ",
                               manifest.mode, " or one whose steps, or data tasks, are the same"));
  }
  const v1::Training &training = now.training(), &training_was = was.training();
  if (training_was.has_batch_size() && training_was.batch_size() != training.batch_size()) {
    return Misfit(manifest, absl::StrCat("training.batch_size: got ", training.batch_size(),
                                         ", want ", training_was.batch_size()));
  }
  return absl::OkStatus();
}

absl::Status FitsCheckpoint(const ResumePoint& resumed, const v1::Job& job,
                            const v1::ReadyRequest& setup) {
  const CheckpointManifest& manifest = resumed.manifest;
  const absl::StatusOr<v1::Job> was = ParseJob(manifest.job, "the job of the checkpoint", {});
  if (was.ok()) CONVOY_RETURN_IF_ERROR(CheckSameSteps(manifest, *was, job));
  if (job.training().slices() != manifest.slices && !resumed.allow_changes) {
    return Misfit(manifest, absl::StrCat("training.slices: got ", job.training().slices(),
                                         ", want ", manifest.slices));
  }
  for (const v1::Variable& variable : setup.variables()) {
    const auto stored =
        std::find_if(manifest.variables.begin(), manifest.variables.end(),
                     [&](const auto& candidate) { return candidate.name == variable.name(); });
    if (stored == manifest.variables.end()) {
      return Misfit(manifest, absl::StrCat("it has no variable \"", variable.name(), "\""));
    }
    if (stored->shape != ShapeOf(variable)) {
      return Misfit(manifest, absl::StrCat("variable \"", variable.name(), "\": got shape ",
                                           ShapeInBrackets(ShapeOf(variable)), ", want ",
                                           ShapeInBrackets(stored->shape)));
    }
  }
  if (static_cast<size_t>(setup.variables_size()) != manifest.variables.size() ||
      static_cast<size_t>(setup.tables_size()) != manifest.tables.size()) {
    return Misfit(
        manifest,
        absl::StrCat("got ", setup.variables_size(), " variables and ", setup.tables_size(),
                     " tables, want ", manifest.variables.size(), " and ", manifest.tables.size()));
  }
  if (setup.data().fingerprint() != manifest.data_fingerprint && !resumed.allow_changes) {
    return Misfit(manifest, "the training data, or how they are read, are not the same");
  }
  return absl::OkStatus();
}

std::string CheckpointLine(const CheckpointManifest& manifest, uint64_t generation,
                           absl::Duration since) {
  Json line = EventLine("checkpoint", generation, since);
  line["step"] = manifest.step;
  line["examples"] = manifest.examples;
  uint64_t bytes = 0;
  for (const CheckpointFile& file : manifest.files) bytes += file.bytes;
  line["bytes"] = bytes;
  return ToText(line);
}

std::string CheckpointFailureLine(std::string_view why, uint64_t generation, absl::Duration since) {
  Json line = EventLine("checkpoint_failed", generation, since);
  line["error"] = why;
  return ToText(line);
}

std::string WarningLine(std::string_view text, uint64_t generation, absl::Duration since) {
  Json line = EventLine("warning", generation, since);
  line["text"] = text;
  return ToText(line);
}

std::string InitLine(const v1::InitPlan& plan, uint64_t generation) {
  Json line = EventLine("init", generation, absl::ZeroDuration());
  line["from"] = plan.path();
  line["from_step"] = plan.step();
  const auto item_json = [](const v1::InitPlan::Item& item) {
    Json json;
    json["name"] = item.name();
    json["begins"] = absl::AsciiStrToLower(v1::InitPlan::Action_Name(item.action()));
    if (!item.from().empty()) json["from"] = item.from();
    json["shape"] = std::vector<uint64_t>(item.shape().begin(), item.shape().end());
    json["slots"] = std::vector<std::string>(item.slots().begin(), item.slots().end());
    json["frozen"] = item.frozen();
    json["anchored"] = item.anchored();
    return json;
  };
  for (const auto& item : plan.variables()) line["variables"].push_back(item_json(item));
  for (const auto& item : plan.tables()) line["tables"].push_back(item_json(item));
  line["unused"] = std::vector<std::string>(plan.unused().begin(), plan.unused().end());
  line["report"] = InitReport(plan);
  return ToText(line);
}

std::string ResumeLine(const ResumePoint& resumed, uint64_t generation) {
  Json line = EventLine("resume", generation, absl::ZeroDuration());
  line["step"] = resumed.manifest.step;
  line["examples"] = resumed.manifest.examples;
  line["epoch"] = EpochOf(resumed.manifest);
  line["checkpoint"] = resumed.folder;
  return ToText(line);
}

std::string RestartLine(const ResumePoint* resumed, const EarlierLives& earlier,
                        uint64_t generation, absl::Time now) {
  Json line = EventLine("restart", generation, absl::ZeroDuration());
  line["step"] = resumed == nullptr ? 0 : resumed->manifest.step;
  line["examples"] = resumed == nullptr ? 0 : resumed->manifest.examples;
  line["epoch"] = resumed == nullptr ? 0 : EpochOf(resumed->manifest);
  if (resumed != nullptr) line["checkpoint"] = resumed->folder;
  line["restarts"] = earlier.restarts;
  line["cause"] = earlier.cause;
  line["wall_seconds"] =
      RoundedSeconds(std::max(absl::ZeroDuration(), now - earlier.training_start));
  return ToText(line);
}

}  // namespace convoy
