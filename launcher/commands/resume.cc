#include "launcher/commands/resume.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/files/file_io.h"
#include "common/job/job_file.h"
#include "common/status.h"

namespace convoy {
namespace {

using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// What may differ becomes the same.
void Level(const v1::Job& was, v1::Job* now) {
  now->set_name(was.name());
  *now->mutable_cluster() = was.cluster();
  *now->mutable_checkpoint() = was.checkpoint();
  *now->mutable_rehearsal() = was.rehearsal();
  v1::Training& training = *now->mutable_training();
  training.set_epochs(was.training().epochs());
  training.set_max_steps(was.training().max_steps());
  training.set_validate_every_epochs(was.training().validate_every_epochs());
  training.set_report_every_steps(was.training().report_every_steps());
  training.clear_early_stopping();
  if (was.training().has_early_stopping()) {
    *training.mutable_early_stopping() = was.training().early_stopping();
  }
  now->mutable_data()->clear_cache_dir();
}

// What the coordinator fills in from the data is not there yet.
void FillAsBefore(const v1::Job& was, v1::Job* now) {
  v1::Data& data = *now->mutable_data();
  if (!data.has_features() && was.data().has_features()) data.set_features(was.data().features());
  if (!data.has_fields() && was.data().has_fields()) data.set_fields(was.data().fields());
  if (!now->model().has_classes() && was.model().has_classes()) {
    now->mutable_model()->set_classes(was.model().classes());
  }
  const v1::Schedule& schedule = was.optimizer().schedule();
  v1::Schedule& filled = *now->mutable_optimizer()->mutable_schedule();
  if (filled.has_step() && !filled.step().has_every_examples() && schedule.has_step()) {
    filled.mutable_step()->set_every_examples(schedule.step().every_examples());
  }
  if (filled.has_exponential() && !filled.exponential().has_every_examples() &&
      schedule.has_exponential()) {
    filled.mutable_exponential()->set_every_examples(schedule.exponential().every_examples());
  }
  if (filled.has_cosine() && !filled.cosine().has_over_examples() && schedule.has_cosine()) {
    filled.mutable_cosine()->set_over_examples(schedule.cosine().over_examples());
  }
}

// A long text or group is cut.
std::string Shortened(std::string line) {
  constexpr size_t kShown = 160;  // characters
  if (line.size() > kShown) line = line.substr(0, kShown) + " ...";
  return line;
}

// Where another member of a oneof is set. MessageDifferencer takes `adam {}` and `adamw {}` for
// the same where both have only defaults.
void AddChoices(const Message& was, const Message& now, const std::string& where,
                std::vector<std::string>* changes) {
  const google::protobuf::Descriptor& type = *was.GetDescriptor();
  const google::protobuf::Reflection& reflection = *was.GetReflection();
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const auto* const before = reflection.GetOneofFieldDescriptor(was, type.oneof_decl(i));
    const auto* const after = reflection.GetOneofFieldDescriptor(now, type.oneof_decl(i));
    if (before == after) continue;
    changes->push_back(absl::StrCat("modified: ", where, type.oneof_decl(i)->name(), ": ",
                                    before == nullptr ? "none" : before->name(), " -> ",
                                    after == nullptr ? "none" : after->name()));
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const field = type.field(i);
    if (field->message_type() == nullptr) continue;
    if (!field->is_repeated()) {
      if (!reflection.HasField(was, field) && !reflection.HasField(now, field)) continue;
      AddChoices(reflection.GetMessage(was, field), reflection.GetMessage(now, field),
                 absl::StrCat(where, field->name(), "."), changes);
      continue;
    }
    const int both = std::min(reflection.FieldSize(was, field), reflection.FieldSize(now, field));
    for (int j = 0; j < both; ++j) {
      AddChoices(reflection.GetRepeatedMessage(was, field, j),
                 reflection.GetRepeatedMessage(now, field, j),
                 absl::StrCat(where, field->name(), "[", j, "]."), changes);
    }
  }
}

}  // namespace

absl::StatusOr<FoundResumePoint> FindResumePoint(const std::string& run_dir) {
  const std::string checkpoints = absl::StrCat(run_dir, "/", kCheckpointsFolder);
  FoundResumePoint found;
  absl::StatusOr<UsableCheckpoint> usable = FindNewestUsable(checkpoints);
  if (absl::IsNotFound(usable.status())) return found;
  if (!usable.ok()) return usable.status();
  found.damaged = std::move(usable->damaged);
  CONVOY_ASSIGN_OR_RETURN(ResumePoint point, OpenResumePoint(usable->checkpoint.path, run_dir));
  found.point = std::move(point);
  return found;
}

absl::StatusOr<uint64_t> HighestGeneration(const std::string& run_dir) {
  uint64_t highest = 0;
  const std::string checkpoints = absl::StrCat(run_dir, "/", kCheckpointsFolder);
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> all, ListCheckpoints(checkpoints));
  for (const StoredCheckpoint& checkpoint : all) {
    const absl::StatusOr<CheckpointManifest> manifest = ReadManifest(checkpoint.path);
    if (manifest.ok()) highest = std::max(highest, manifest->generation);
  }
  std::ifstream events(run_dir + "/events.jsonl");
  for (std::string line; std::getline(events, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object()) continue;  // cut off
    const auto generation = event.find("generation");
    if (generation != event.end() && generation->is_number_unsigned())
      highest = std::max(highest, generation->get<uint64_t>());
  }
  return highest;
}

absl::StatusOr<v1::Job> JobOfCheckpoint(const CheckpointManifest& manifest) {
  return ParseJob(manifest.job, "the job of the checkpoint", {});
}

absl::StatusOr<std::vector<std::string>> ChangesOfJob(const CheckpointManifest& manifest,
                                                      const v1::Job& now) {
  CONVOY_ASSIGN_OR_RETURN(const v1::Job parsed, JobOfCheckpoint(manifest));
  v1::Job was = ResolveDefaults(parsed), changed = now;
  Level(was, &changed);
  was.mutable_data()->clear_cache_dir();
  FillAsBefore(was, &changed);
  std::string differences;
  MessageDifferencer differencer;
  differencer.set_message_field_comparison(MessageDifferencer::EQUIVALENT);
  differencer.ReportDifferencesToString(&differences);
  std::vector<std::string> changes;
  AddChoices(was, changed, "", &changes);
  if (differencer.Compare(was, changed)) return changes;
  for (const auto line : absl::StrSplit(differences, '\n', absl::SkipEmpty()))
    changes.push_back(Shortened(std::string(line)));
  return changes;
}

std::string NoteOnSchedule(const CheckpointManifest& manifest, const v1::Job& now) {
  const absl::StatusOr<v1::Job> was = JobOfCheckpoint(manifest);
  const v1::Schedule& schedule = now.optimizer().schedule();
  if (!was.ok() || !schedule.has_cosine() || schedule.cosine().has_over_examples()) return "";
  const bool same = was->training().epochs() == now.training().epochs() &&
                    was->training().max_steps() == now.training().max_steps();
  const uint64_t over = was->optimizer().schedule().cosine().over_examples();
  if (same || over == 0) return "";
  return absl::StrCat(
      "the cosine schedule follows the new length of the training, so that the "
      "learning rate jumps here; it was over ",
      over, " examples: --set optimizer.schedule.cosine.over_examples=", over, " keeps it");
}

bool RunIsComplete(const std::string& run_dir, const v1::Job& job) {
  const auto summary = ReadFile(run_dir + "/summary.json");
  const auto text = ReadFile(run_dir + "/job.textproto");
  if (!summary.ok() || !text.ok()) return false;
  const auto json = nlohmann::json::parse(*summary, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.contains("failure") || json.value("stopped_early", true))
    return false;
  const auto was = ParseJob(*text, run_dir + "/job.textproto", {});
  if (!was.ok()) return false;
  const v1::Job resolved = ResolveDefaults(*was);
  const v1::Training &before = resolved.training(), &after = job.training();
  // Another patience may let it go on.
  if (json.contains("early_stopping") &&
      !MessageDifferencer::Equals(before.early_stopping(), after.early_stopping()))
    return false;
  return before.epochs() >= after.epochs() && before.max_steps() == after.max_steps();
}

}  // namespace convoy
