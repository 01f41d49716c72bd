// The third part of CoordinatorCore: checkpoints, when they are due and when somebody asks.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/metrics/metrics.h"
#include "common/status.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "launcher/coordinator/coordinator_core.h"

namespace convoy {
namespace {

absl::Status NotSaved(std::string_view why) {
  return absl::AbortedError(absl::StrCat("the checkpoint could not be saved: ", std::string(why)));
}

v1::SaveCheckpointReply SavedReply(const std::string& checkpoints,
                                   const CheckpointManifest& manifest) {
  v1::SaveCheckpointReply reply;
  reply.set_committed(true);
  reply.set_folder(absl::StrCat(checkpoints, "/", CheckpointName(manifest.step)));
  reply.set_step(manifest.step);
  for (const CheckpointFile& file : manifest.files) reply.set_bytes(reply.bytes() + file.bytes);
  return reply;
}

}  // namespace

void CoordinatorCore::MakeKeeper() {
  const v1::Checkpoint& rules = job_.checkpoint();
  CheckpointKeeper::Options options;
  options.rounds = plan_->sync;
  options.servers = mode_.single() ? 1 : members_.servers();
  options.folder = checkpoints_;
  options.generation = generation_;
  options.first_step = resume_ ? resume_->manifest.step : 0;
  options.total_steps = plan_->TotalSteps();
  options.every_steps = rules.every_steps();
  if (rules.every_seconds() > 0) options.every = absl::Seconds(rules.every_seconds());
  if (assignment_.tables_size() > 0 && !mode_.single()) options.deltas = rules.deltas();
  options.at_end = rules.at_end() || !track_.metric().empty();
  if (!track_.metric().empty()) options.exact_every = plan_->StepsPerValidation();
  // Spares sum up nothing, and clients in other languages need not say what they do.
  measured_by_all_ = true;
  for (uint32_t rank = 0; plan_->sync && rank < members_.workers(); ++rank) {
    const Process& worker = *members_.worker(rank);
    const bool native = !worker.registration.build_id().empty();
    options.workers.push_back(native && !worker.finished && !mode_.single());
    measured_by_all_ = measured_by_all_ && (native || worker.finished);
  }
  keeper_.emplace(options, now_);
  UpdateHold();
}

void CoordinatorCore::FollowKeeper(bool changed) {
  const uint64_t order_before = order_;  // the one that a failure is of
  if (order_ != keeper_->order().number()) {
    order_ = keeper_->order().number();
    partials_.clear();
    records_.clear();
    if (tasks_) {
      // Servers have applied what is reported.
      tasks_at_order_ = reports_->trained();
      progress_at_order_ = ToJson(Record({}));
    }
  }
  if (const std::string failure = keeper_->TakeFailure(); !failure.empty()) {
    AddEvent(CheckpointFailureLine(failure, generation_, Since()));
    BestWasTried(order_before);
    saves_.Resolve(order_before, NotSaved(failure));
  }
  if (std::string folder = keeper_->TakeDiscard(); !folder.empty())
    actions_.discard = std::move(folder);
  if (std::optional<CheckpointToCommit> commit = keeper_->TakeCommit()) {
    written_ = *std::move(commit);
    CommitIfMeasured();
  }
  changed |= UpdateHold();
  if (changed) StateChanged();
  AnswerSaves();
}

// ------------------------------------------------------------------------------ what was measured

absl::Status CoordinatorCore::GoOnMeasuring(ReportBook::Before* before) {
  if (!resume_) return absl::OkStatus();
  const CheckpointManifest& manifest = resume_->manifest;
  if (manifest.best && manifest.best->metric == track_.metric()) best_ = manifest.best;
  if (manifest.progress.empty()) return absl::OkStatus();
  CONVOY_ASSIGN_OR_RETURN(TrainingRecord record, ParseTrainingRecord(manifest.progress));
  if (record.metric == track_.metric()) track_.GoOn(record.track);
  before->skipped = record.skipped;
  before->measured = std::move(record.measured);
  before->validation_key = record.validation_key;
  before->epoch = std::move(record.epoch);
  if (record.partial.empty()) return absl::OkStatus();
  v1::MetricSums all;
  for (const v1::ReportRequest& partial : record.partial) {
    MergeSums(partial.sums(), &all);
    before->dropped -= std::min(before->dropped, partial.dropped());
  }
  const uint64_t begin = record.partial[0].step_begin();
  if (record.partial.size() == plan_->slices && manifest.slices == plan_->slices) {
    before->steps = begin;
    before->carried = before->examples - plan_->ExamplesAt(begin);
    before->examples = plan_->ExamplesAt(begin);
    carried_ = std::move(record.partial);
  } else if (begin < manifest.step) {  // other slices: the stretch ends here
    const uint64_t epoch = begin / plan_->StepsPerEpoch();
    before->epoch.Add(epoch, epoch * plan_->StepsPerEpoch(), begin, manifest.step, std::move(all));
  }
  return absl::OkStatus();
}

TrainingRecord CoordinatorCore::Record(std::vector<v1::ReportRequest> partial) const {
  return {reports_->skipped(),  reports_->epoch_sums(),     std::move(partial),
          reports_->measured(), reports_->validation_key(), track_.metric(),
          track_.state()};
}

// Each worker reports in the order of its steps, so that when the last slice has said what it has
// summed up by a version, all stretches and validations before it are complete, and none after it.
void CoordinatorCore::TakePartial(const v1::ReportRequest& report) {
  const uint64_t version = keeper_->order().version();
  if (report.step_end() != version) return;
  partials_[report.part()] = report;
  if (partials_.size() < plan_->slices) return;
  std::vector<v1::ReportRequest> partial;
  bool fits = true;
  for (auto& [slice, said] : std::exchange(partials_, {})) {
    // With backups a slice that is late may have left out the version and the end of a stretch.
    fits = fits && said.step_begin() <= version && said.step_begin() == report.step_begin();
    partial.push_back(said);
    partial.back().clear_identity();
  }
  records_[version] = fits ? ToJson(Record(std::move(partial))) : "";
  CommitIfMeasured();
}

void CoordinatorCore::CommitIfMeasured() {
  if (!written_) return;
  const uint64_t step = written_->step;
  const auto record = records_.find(step);
  std::string progress;
  if (tasks_) {
    progress = progress_at_order_;
  } else if (record != records_.end()) {
    progress = record->second;
  } else if (phase_ == v1::TRAINING && measured_by_all_) {
    return;  // It will come, or the training ends at this step.
  } else if (phase_ == v1::FINISHING && measured_by_all_ && reports_->steps() == step) {
    progress = ToJson(Record({}));
  }
  committing_ =
      Actions::Commit{DescribeCheckpoint(*written_, assignment_, members_.worker(0)->setup,
                                         tasks_at_order_, resume_ ? &*resume_ : nullptr, now_),
                      written_->folder};
  committing_->manifest.best = BestWith(step);
  committing_->manifest.progress = std::move(progress);
  if (written_->delta) committing_->manifest.base = newest_checkpoint_;
  written_.reset();
  actions_.commit = committing_;
}

// The best once the checkpoint of `step` is there.
std::optional<CheckpointBest> CoordinatorCore::BestWith(uint64_t step) const {
  const ValidationTrack::State& track = track_.state();
  const bool is_best =
      track.best && (tasks_ ? best_order_ != 0 && order_ >= best_order_ : track.best_key == step);
  return is_best ? CheckpointBest{track_.metric(), step, *track.best} : best_;
}

void CoordinatorCore::BestWasTried(uint64_t number) {
  if (number >= best_order_) best_order_ = 0;
}

// ------------------------------------------------------------------------------ by hand

absl::Status CoordinatorCore::CheckMaySave() const {
  if (phase_ == v1::FAILED) return FailedStatus();
  if (phase_ == v1::STARTING) {
    return absl::FailedPreconditionError(
        "there is nothing to save yet: the training has not begun; ask again a little later");
  }
  if (phase_ != v1::TRAINING) {
    return absl::FailedPreconditionError(
        "the training has ended: its last checkpoint is being saved or has been");
  }
  if (keeper_->enabled()) return absl::OkStatus();
  return absl::FailedPreconditionError("this job takes no checkpoints");
}

Actions CoordinatorCore::OnSaveCheckpoint(CallId call, const v1::SaveCheckpointRequest& request,
                                          absl::Time now) {
  now_ = now;
  uint64_t ticket = request.ticket();
  absl::Status status = CheckJob(request.job_id());
  if (status.ok() && ticket == 0) {
    status = CheckMaySave();
    if (status.ok()) ticket = saves_.Open(keeper_->Request(CurrentStep()));
  } else if (status.ok()) {
    status = saves_.Find(ticket).status();
  }
  if (!status.ok()) {
    Answer(call, status);
    return Flush();
  }
  saving_calls_.Park({call, now + absl::Milliseconds(request.wait_ms()), ticket});
  if (phase_ == v1::TRAINING) FollowKeeper(keeper_->Tick(now, CurrentStep()));
  AnswerSaves();
  return Flush();
}

void CoordinatorCore::AnswerSaves() {
  for (const ParkedCalls::Entry& entry : saving_calls_.TakeAll()) {
    const auto found = saves_.Find(entry.owner);
    if (!found.ok()) {
      Answer(entry.call, found.status());
    } else if (!found->has_value()) {
      saving_calls_.Park(entry);
    } else if ((*found)->ok()) {
      Answer(entry.call, ***found);
    } else {
      Answer(entry.call, (*found)->status());
    }
  }
  for (const ParkedCalls::Entry& entry : saving_calls_.TakeExpired(now_)) {
    v1::SaveCheckpointReply reply;
    reply.set_ticket(entry.owner);
    reply.set_waiting_for(keeper_->WaitingFor());
    Answer(entry.call, std::move(reply));
  }
}

// What was asked for and is not there will not come any more, unless the newest has everything.
void CoordinatorCore::EndSaves() {
  const bool has_all = failure_.empty() && plan_ && plan_->sync && newest_saved_ &&
                       newest_saved_->step() == reports_->steps();
  if (has_all) saves_.ResolveAll(*newest_saved_);
  const std::string why =
      failure_.empty() ? "the job has ended" : "the job has failed: " + failure_;
  saves_.ResolveAll(NotSaved(why));
  AnswerSaves();
}

// ------------------------------------------------------------------------------ the owner's side

Actions CoordinatorCore::OnCheckpointCommitted(const absl::Status& status, absl::Time now) {
  now_ = now;
  if (ended() || !committing_) return Flush();
  const Actions::Commit committed = *std::exchange(committing_, std::nullopt);
  AddEvent(status.ok()
               ? CheckpointLine(committed.manifest, generation_, Since())
               : CheckpointFailureLine(std::string(status.message()), generation_, Since()));
  if (status.ok()) {
    best_ = committed.manifest.best;
    newest_saved_ = SavedReply(checkpoints_, committed.manifest);
    if (job_.checkpoint().deltas() > 0)
      newest_checkpoint_ = {committed.manifest.step, ChecksumOf(committed.manifest)};
    saves_.Resolve(order_, *newest_saved_);
  } else {
    actions_.discard = committed.folder;
    saves_.Resolve(order_, NotSaved(std::string(status.message())));
  }
  BestWasTried(order_);
  FollowKeeper(keeper_->OnCommitted(status.ok(), now, CurrentStep()));
  SaveModelWhenDue();
  EndIfSaved();
  return Flush();
}

}  // namespace convoy
