#include "launcher/coordinator/journaled_core.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/build_info.h"
#include "common/clock.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr char kSlowDisk[] =
    "the disk of the run directory is slow: the coordinator's journal has not reached it for a "
    "second or more. The job goes on; only if the machine lost its power now would the newest "
    "decisions be lost";

// Whether the answer gives its caller something that the coordinator must not forget, not even when
// its machine loses power. Data tasks are no such thing: to wait for the disk at each of them costs
// a third of the speed of a job with small tasks, and cells count a batch once whoever has it.
bool IsBinding(const Actions::Answer& answer) {
  if (const auto* assignment = std::get_if<v1::Assignment>(&answer.reply))
    return assignment->generation() > 0;
  return std::holds_alternative<v1::RegisterReply>(answer.reply) ||
         std::holds_alternative<v1::ProcessLostReply>(answer.reply) ||
         std::holds_alternative<v1::SaveCheckpointReply>(answer.reply) ||
         std::holds_alternative<v1::ScaleReply>(answer.reply);
}

}  // namespace

absl::StatusOr<std::unique_ptr<JournaledCore>> JournaledCore::Create(
    CoordinatorCore::Options options, const std::string& journal, const std::string& clock) {
  auto core = std::unique_ptr<JournaledCore>(new JournaledCore(journal));
  v1::JournalHeader header = DescribeBeginning(options);
  header.set_clock(clock);
  CONVOY_RETURN_IF_ERROR(core->Begin(std::move(options)));
  if (journal.empty()) return core;
  CONVOY_ASSIGN_OR_RETURN(core->journal_, Journal::Create(journal, header));
  return core;
}

absl::StatusOr<std::unique_ptr<JournaledCore>> JournaledCore::Recover(const std::string& journal,
                                                                      AdmitFunction admit,
                                                                      PlanInitFunction plan_init,
                                                                      absl::Time now) {
  auto core = std::unique_ptr<JournaledCore>(new JournaledCore(journal));
  CONVOY_ASSIGN_OR_RETURN(core->reader_, JournalReader::Open(journal));
  const v1::JournalHeader& header = core->reader_->header();
  if (header.build_id() != BuildId()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the journal \"", journal, "\" is of build \"", header.build_id(),
                     "\", this program is build \"", BuildId(),
                     "\": only the same build decides the same again; use that one, or go on from "
                     "a checkpoint with --resume"));
  }
  CONVOY_ASSIGN_OR_RETURN(CoordinatorCore::Options options, BeginningOf(header));
  options.admit = std::move(admit);
  options.plan_init = std::move(plan_init);
  CONVOY_RETURN_IF_ERROR(core->Begin(std::move(options)));
  CONVOY_RETURN_IF_ERROR(core->Replay(now));
  return core;
}

absl::Status JournaledCore::Begin(CoordinatorCore::Options options) {
  if (!path_.empty()) Watch(&options);
  CONVOY_ASSIGN_OR_RETURN(core_, CoordinatorCore::Create(std::move(options)));
  return absl::OkStatus();
}

void JournaledCore::Watch(CoordinatorCore::Options* options) {
  if (options->admit) {
    options->admit = [this, admit = std::move(options->admit)](
                         const v1::Assignment& assignment, uint32_t servers,
                         uint32_t workers) -> absl::StatusOr<v1::MemoryReport> {
      if (const auto said = TakeAnswer(v1::JournalRecord::kAdmission)) {
        const v1::JournalAdmission& admission = said->admission();
        if (admission.outcome().code() != 0) return FromOutcome(admission.outcome());
        return admission.memory();
      }
      absl::StatusOr<v1::MemoryReport> memory = admit(assignment, servers, workers);
      v1::JournalRecord record;
      *record.mutable_admission()->mutable_outcome() = ToOutcome(memory.status());
      if (memory.ok()) *record.mutable_admission()->mutable_memory() = *memory;
      Write(&record, 0, last_time_ - ahead_);
      return memory;
    };
  }
  if (options->plan_init) {
    options->plan_init = [this, plan = std::move(options->plan_init)](
                             const v1::Job& job, std::span<const VariableSpec> variables,
                             std::span<const TableSpec> tables) -> absl::StatusOr<v1::InitPlan> {
      if (const auto said = TakeAnswer(v1::JournalRecord::kPlan)) {
        if (said->plan().outcome().code() != 0) return FromOutcome(said->plan().outcome());
        return said->plan().plan();
      }
      absl::StatusOr<v1::InitPlan> planned = plan(job, variables, tables);
      v1::JournalRecord record;
      *record.mutable_plan()->mutable_outcome() = ToOutcome(planned.status());
      if (planned.ok()) *record.mutable_plan()->mutable_plan() = *planned;
      Write(&record, 0, last_time_ - ahead_);
      return planned;
    };
  }
}

// ------------------------------------------------------------------------------ replay

absl::StatusOr<std::optional<v1::JournalRecord>> JournaledCore::NextRecord() {
  if (peeked_) return std::exchange(peeked_, std::nullopt);
  return reader_->Next();
}

std::optional<v1::JournalRecord> JournaledCore::TakeAnswer(v1::JournalRecord::EventCase kind) {
  if (reader_ == nullptr) return std::nullopt;
  absl::StatusOr<std::optional<v1::JournalRecord>> next = NextRecord();
  // A damaged one is met again.
  if (!next.ok() || !*next) return std::nullopt;
  if ((*next)->event_case() == kind) return *std::move(next);
  peeked_ = *std::move(next);
  return std::nullopt;
}

absl::Status JournaledCore::Replay(absl::Time now) {
  for (;;) {
    CONVOY_ASSIGN_OR_RETURN(const std::optional<v1::JournalRecord> record, NextRecord());
    if (!record) break;
    CONVOY_RETURN_IF_ERROR(ReplayOne(*record));
  }
  const absl::Time same = SteadyNowOf(reader_->header().clock()).value_or(now);
  ahead_ = std::max(same, last_time_) - now;
  CONVOY_ASSIGN_OR_RETURN(journal_, reader_->Continue());
  reader_.reset();
  for (v1::JournalRecord& answer : unwritten_) Write(&answer, 0, now);
  unwritten_.clear();
  v1::JournalRecord record;
  record.mutable_recovered();
  Write(&record, 0, now);
  Actions actions = Noted(core_->OnRecovered(Adjusted(now)));
  std::move(actions.events.begin(), actions.events.end(), std::back_inserter(lines_));
  return absl::OkStatus();
}

absl::Status JournaledCore::ReplayOne(const v1::JournalRecord& record) {
  const CallId call = record.call();
  const absl::Time now = absl::FromUnixNanos(record.time_ns());
  last_call_ = std::max(last_call_, call);
  last_time_ = std::max(last_time_, now);
  Actions actions;
  switch (record.event_case()) {
    case v1::JournalRecord::kRegister:
      actions = core_->OnRegister(call, record.register_(), now);
      break;
    case v1::JournalRecord::kReady:
      actions = core_->OnReady(call, record.ready(), now);
      break;
    case v1::JournalRecord::kHeartbeat:
      actions = core_->OnHeartbeat(call, record.heartbeat(), now);
      break;
    case v1::JournalRecord::kNextTask:
      actions = core_->OnNextTask(call, record.next_task(), now);
      break;
    case v1::JournalRecord::kReport:
      actions = core_->OnReport(call, record.report(), now);
      break;
    case v1::JournalRecord::kStop:
      actions = core_->OnStop(call, record.stop(), now);
      break;
    case v1::JournalRecord::kSaveCheckpoint:
      actions = core_->OnSaveCheckpoint(call, record.save_checkpoint(), now);
      break;
    case v1::JournalRecord::kProcessLost:
      actions = core_->OnProcessLost(call, record.process_lost(), now);
      break;
    case v1::JournalRecord::kScale:
      actions = core_->OnScale(call, record.scale(), now);
      break;
    case v1::JournalRecord::kCancelled:
      core_->OnCancelled(call);
      break;
    case v1::JournalRecord::kTick:
      actions = core_->Tick(now);
      break;
    case v1::JournalRecord::kOverslept:
      core_->OnOverslept(now);
      break;
    case v1::JournalRecord::kSlowDisk:
      slow_disk_ = true;
      actions = core_->Warn(kSlowDisk, now);
      break;
    case v1::JournalRecord::kCommitted:
      outstanding_.commit.reset();
      actions = core_->OnCheckpointCommitted(FromOutcome(record.committed()), now);
      break;
    case v1::JournalRecord::kModelSaved:
      outstanding_.save_model.reset();
      actions = core_->OnModelSaved(FromOutcome(record.model_saved()), now);
      break;
    case v1::JournalRecord::kFail:
      actions = core_->Fail(record.fail(), now);
      break;
    case v1::JournalRecord::kRecovered:
      actions = core_->OnRecovered(now);
      break;
    case v1::JournalRecord::kListening:
      address_ = record.listening();
      break;
    case v1::JournalRecord::kAdmission:
    case v1::JournalRecord::kPlan:
    case v1::JournalRecord::EVENT_NOT_SET:
      return absl::DataLossError(absl::StrCat("the journal \"", path_,
                                              "\" has a record that nothing asks for (",
                                              static_cast<int>(record.event_case()), ")"));
  }
  if (actions.commit) outstanding_.commit = std::move(actions.commit);
  if (actions.save_model) {
    outstanding_.save_model = std::move(actions.save_model);
    outstanding_.model_from = std::move(actions.model_from);
  }
  if (!actions.discard.empty()) outstanding_.discard = std::move(actions.discard);
  std::move(actions.events.begin(), actions.events.end(), std::back_inserter(lines_));
  return absl::OkStatus();
}

// ------------------------------------------------------------------------------ events

void JournaledCore::OnCancelled(CallId call, absl::Time now) {
  v1::JournalRecord record;
  record.mutable_cancelled();
  Write(&record, call, now);
  core_->OnCancelled(call);
}

Actions JournaledCore::OnCheckpointCommitted(const absl::Status& status, absl::Time now) {
  v1::JournalRecord record;
  *record.mutable_committed() = ToOutcome(status);
  Write(&record, 0, now);
  return Noted(core_->OnCheckpointCommitted(status, Adjusted(now)));
}

Actions JournaledCore::OnModelSaved(const absl::Status& status, absl::Time now) {
  v1::JournalRecord record;
  *record.mutable_model_saved() = ToOutcome(status);
  Write(&record, 0, now);
  return Noted(core_->OnModelSaved(status, Adjusted(now)));
}

Actions JournaledCore::Fail(std::string_view failure, absl::Time now) {
  v1::JournalRecord record;
  record.set_fail(std::string(failure));
  Write(&record, 0, now);
  return Noted(core_->Fail(failure, Adjusted(now)));
}

Actions JournaledCore::Tick(absl::Time now) {
  v1::JournalRecord record;
  record.mutable_tick();
  Write(&record, 0, now);
  return Noted(core_->Tick(Adjusted(now)));
}

void JournaledCore::OnOverslept(absl::Time now) {
  v1::JournalRecord record;
  record.mutable_overslept();
  Write(&record, 0, now);
  core_->OnOverslept(Adjusted(now));
}

Actions JournaledCore::NoteSlowDisk(absl::Time now) {
  if (std::exchange(slow_disk_, true)) return {};
  v1::JournalRecord record;
  record.mutable_slow_disk();
  Write(&record, 0, now);
  return Noted(core_->Warn(kSlowDisk, Adjusted(now)));
}

void JournaledCore::NoteAddress(const std::string& address, absl::Time now) {
  v1::JournalRecord record;
  record.set_listening(address);
  Write(&record, 0, now);
  address_ = address;
}

// ------------------------------------------------------------------------------ writing

void JournaledCore::Write(v1::JournalRecord* record, CallId call, absl::Time now) {
  if (reader_ != nullptr) return unwritten_.push_back(*record);
  last_time_ = Adjusted(now);
  if (journal_ == nullptr) return;
  record->set_call(call);
  record->set_time_ns(absl::ToUnixNanos(last_time_));
  if (absl::Status written = journal_->Append(*record); !written.ok()) GiveUp(written);
}

void JournaledCore::GiveUp(const absl::Status& why) {
  trouble_ = std::string(why.message());
  if (const absl::Status discarded = journal_->Discard(); !discarded.ok()) {
    absl::StrAppend(&trouble_, "; it is out of date and must not be gone on from: ",
                    std::string(discarded.message()));
  }
  journal_.reset();
  to_sync_ = synced_ = 0;
}

Actions JournaledCore::Noted(Actions actions) {
  if (!trouble_.empty()) {
    Actions more = core_->Warn(
        absl::StrCat("the coordinator's journal can't be written and is not continued: ",
                     std::exchange(trouble_, {}),
                     "; should the coordinator die, the job starts again from a checkpoint"),
        last_time_);
    std::move(more.answers.begin(), more.answers.end(), std::back_inserter(actions.answers));
    std::move(more.events.begin(), more.events.end(), std::back_inserter(actions.events));
  }
  if (journal_ == nullptr) return actions;
  const bool changed = std::exchange(sequence_, core_->sequence()) != core_->sequence();
  if (changed || actions.commit || actions.save_model || !actions.discard.empty() ||
      std::any_of(actions.answers.begin(), actions.answers.end(), IsBinding)) {
    to_sync_ = journal_->size();
  }
  return actions;
}

void JournaledCore::OnSynced(const absl::Status& status, uint64_t size, absl::Time now) {
  if (journal_ == nullptr) return;
  last_time_ = Adjusted(now);
  if (!status.ok()) return GiveUp(status);
  synced_ = std::max(synced_, size);
}

}  // namespace convoy
