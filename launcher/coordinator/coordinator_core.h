// The coordinator's logic: who takes part, which data is next, when to stop, how the job is doing.
//
//   STARTING --all ready--> TRAINING --all workers finished--> FINISHING --saved--> DONE
//       any of them --first failure--> FAILED
//
// Plain logic without gRPC, threads and clocks: every event comes with the time `now` and returns
// what is to be done. A call may be answered later, by another event or by Tick. Not thread-safe.
//
// Requests of servers and workers are refused with FailedPrecondition (another job, not registered,
// the job has failed), Aborted (an old incarnation or generation), Unavailable (a generation that
// is not yet there), InvalidArgument (no sense). The first failure of a job is the one that is
// reported.
#ifndef CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_CORE_H_
#define CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_CORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/checkpoint/manifest.h"
#include "common/interval_set.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "common/mode.h"
#include "launcher/coordinator/checkpoint_keeper.h"
#include "launcher/coordinator/event_log.h"
#include "launcher/coordinator/liveness.h"
#include "launcher/coordinator/membership.h"
#include "launcher/coordinator/parked_calls.h"
#include "launcher/coordinator/report_book.h"
#include "launcher/coordinator/resume_point.h"
#include "launcher/coordinator/save_requests.h"
#include "launcher/coordinator/stop_agreement.h"
#include "launcher/coordinator/stragglers.h"
#include "launcher/coordinator/task_ledger.h"
#include "launcher/coordinator/training_plan.h"
#include "launcher/coordinator/training_record.h"
#include "launcher/coordinator/validation_track.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// What to do after an event.
struct Actions {
  using Reply =
      std::variant<absl::Status, v1::RegisterReply, v1::Assignment, v1::HeartbeatReply,
                   v1::NextTaskReply, v1::ReportReply, v1::GetProgressReply, v1::StopReply,
                   v1::SaveCheckpointReply, v1::ProcessLostReply, v1::ScaleReply>;
  struct Answer {
    CallId call = 0;
    Reply reply;  // of the call's type, or why there is none
  };

  std::vector<Answer> answers;
  std::vector<std::string> events;           // lines to append to events.jsonl
  std::optional<v1::Assignment> save_model;  // save the weights of these servers: OnModelSaved ...
  std::string model_from;  // ... or, if it is not empty, those of the checkpoint in this folder
  // Write the manifest into this folder, whose files are there, and give it its name:
  // OnCheckpointCommitted.
  struct Commit {
    CheckpointManifest manifest;
    std::string folder;
  };
  std::optional<Commit> commit;
  std::string discard;  // remove this folder; "": none
};

// Asked once, when all processes are ready and before any of them is told its part: whether the job
// may begin with that many processes on the coordinator's host. An error fails the job.
using AdmitFunction = std::function<absl::StatusOr<v1::MemoryReport>(
    const v1::Assignment&, uint32_t servers_here, uint32_t workers_here)>;

// Asked once, when all processes are ready, of a job that begins with other weights than new ones:
// what each variable begins as. An error fails the job.
using PlanInitFunction = std::function<absl::StatusOr<v1::InitPlan>(
    const v1::Job&, std::span<const VariableSpec>, std::span<const TableSpec>)>;

class CoordinatorCore {
 public:
  struct Options {
    v1::Job job;                          // resolved; slices default to the workers
    uint64_t job_id = 0;                  // random, not 0
    absl::Time start;                     // now
    std::string host{};                   // of the coordinator, as processes name theirs
    AdmitFunction admit{};                // empty: every job may begin
    std::string checkpoints{};            // folder for checkpoints, absolute; empty: none are taken
    PlanInitFunction plan_init{};         // empty: no job may have Job.init
    std::optional<ResumePoint> resume{};  // none: the job begins
    EarlierLives earlier{};
    // The workers are threads of the coordinator's process: there will be no others.
    bool fixed_workers = false;
  };

  // InvalidArgument: mode, numbers of processes, slices or batch sizes, job_id.
  static absl::StatusOr<std::unique_ptr<CoordinatorCore>> Create(Options options);

  Actions OnRegister(CallId call, const v1::RegisterRequest& request, absl::Time now);
  Actions OnReady(CallId call, const v1::ReadyRequest& request, absl::Time now);
  Actions OnHeartbeat(CallId call, const v1::HeartbeatRequest& request, absl::Time now);
  Actions OnNextTask(CallId call, const v1::NextTaskRequest& request, absl::Time now);
  Actions OnReport(CallId call, const v1::ReportRequest& request, absl::Time now);
  Actions OnGetProgress(CallId call, const v1::GetProgressRequest& request, absl::Time now);
  Actions OnStop(CallId call, const v1::StopRequest& request, absl::Time now);
  Actions OnSaveCheckpoint(CallId call, const v1::SaveCheckpointRequest& request, absl::Time now);
  Actions OnProcessLost(CallId call, const v1::ProcessLostRequest& request, absl::Time now);
  Actions OnScale(CallId call, const v1::ScaleRequest& request, absl::Time now);
  // What an observer is told now, see GetProgressRequest.events_seen.
  v1::GetProgressReply Look(uint64_t events_seen, absl::Time now);
  // The client of a call has gone; the call is not answered any more.
  void OnCancelled(CallId call);

  // The outcome of Actions::commit.
  Actions OnCheckpointCommitted(const absl::Status& status, absl::Time now);
  // The outcome of Actions::save_model.
  Actions OnModelSaved(const absl::Status& status, absl::Time now);
  // Something outside went wrong, e.g. a process of the job was killed.
  Actions Fail(std::string_view failure, absl::Time now);

  // Answers calls whose time is up and notices lost processes. Due at NextDeadline().
  Actions Tick(absl::Time now);
  absl::Time NextDeadline() const;
  // The coordinator itself stood still until `now`: silence before counts for nobody.
  void OnOverslept(absl::Time now) { listening_since_ = now; }
  // Another process goes on with this logic (journaled_core.h): nobody waits for an answer any
  // more.
  Actions OnRecovered(absl::Time now);
  // A line for people in events.jsonl.
  Actions Warn(const std::string& text, absl::Time now);

  absl::Duration lost_after() const { return lost_after_; }
  // Grows whenever processes are to be told something.
  uint64_t sequence() const { return sequence_; }
  v1::JobPhase phase() const { return phase_; }
  bool ended() const { return phase_ == v1::DONE || phase_ == v1::FAILED; }
  // Every process that registered has been answered that the job has ended.
  bool everybody_told() const;
  // Why the job failed; "": it did not.
  const std::string& failure() const { return failure_; }
  // Contents of summary.json once the job has ended.
  const std::string& summary() const { return summary_; }

 private:
  CoordinatorCore(Options options, const Mode& mode);

  void Answer(CallId call, Actions::Reply reply);
  Actions Flush();

  // Requests. All times are now_, the time of the current event.
  absl::StatusOr<Process*> FindMember(const v1::Identity& identity);
  absl::StatusOr<Process*> FindTrainingWorker(const v1::Identity& identity);
  absl::Status CheckJob(uint64_t job_id) const;
  absl::Status CheckReport(const v1::ReportRequest& report) const;
  std::string ModelDifference(const Process& worker, const v1::ReadyRequest& setup) const;
  absl::Status MakeReady(const v1::ReadyRequest& request, Process* process);
  void Note(const v1::HeartbeatRequest& request, Process* process) const;
  void FollowWorker(const v1::HeartbeatRequest& request, Process* worker);
  void FollowServer(const v1::HeartbeatRequest& request, Process* server);

  // Processes that are lost and replaced.
  bool MayReplace(const Process& process) const;
  void Lose(Process* process, const std::string& why, bool died);
  // Returns whether a worker was lost and not only missed.
  bool LoseOrFail(const Missed& missed);
  absl::Status MakeReadyAgain(const v1::ReadyRequest& request, Process* process);
  void FollowRejoined(Process* worker, uint64_t step);
  // Since the training began.
  absl::Duration Since() const;
  void NoteImbalance();
  void NoteFullTables();
  void NoteStragglers();

  // Changes of state.
  void StateChanged();
  void News();
  bool Admit();
  void StartTraining();
  void FinishIfAllFinished();
  void EndIfSaved();
  // `lost`: because a process was lost, see GetProgressReply.restorable.
  void FailJob(std::string_view failure, bool lost = false);
  void AddEvent(std::string line);
  absl::Status CheckResumePoint() const;
  // What is followed in the validations is measured in this job.
  absl::Status CheckTrackedMetric() const;
  // What the weights begin as, and whether what is to be frozen is there.
  absl::Status PlanWeights();
  absl::Status MakePlan();
  void MakeKeeper();
  // `changed`: of the keeper's order.
  void FollowKeeper(bool changed);
  // What was measured before, for a job that goes on.
  absl::Status GoOnMeasuring(ReportBook::Before* before);
  void TakePartial(const v1::ReportRequest& report);
  TrainingRecord Record(std::vector<v1::ReportRequest> partial) const;
  // The files are there: commits them once everything is known that goes into the manifest.
  void CommitIfMeasured();
  std::optional<CheckpointBest> BestWith(uint64_t step) const;
  // Order `number` is over: what comes later is not what the best was measured of.
  void BestWasTried(uint64_t number);
  void FollowValidation(const std::string& line);
  void EndIfExhausted(uint64_t key);
  // The step that workers must not begin yet; 0: none.
  uint64_t WantedHold() const;
  // Returns whether it has changed.
  bool UpdateHold();
  // What workers hold for, if they have for a while; "": nothing.
  std::string HeldFor() const;
  void SaveModelWhenDue();
  void AskToSaveModel();
  // The best one, which is in a checkpoint, can't be had.
  void SaveNewestModel(const absl::Status& why);
  absl::Status CheckMaySave() const;
  // Answers calls whose checkpoint is there, or whose time is up.
  void AnswerSaves();

  // Another number of workers. `wanted`: somebody has asked for it, not a worker that joins.
  struct Scaling {
    uint32_t workers = 0;
    bool wanted = false;
  };
  absl::Status CheckMayScale(uint32_t workers) const;
  bool IsBeingDone(const v1::ScaleRequest& request) const;
  absl::Status MakeRoom(const absl::Status& refused);
  void StopToDivide(const Scaling& scaling);
  bool DividesNow() const;
  Scaling ScalingThatIsStillWanted() const;
  void Divide(const Scaling& scaling, bool in_order);
  // cluster.on_worker_loss: CONTINUE.
  bool MayGoOnWithout(uint32_t missing) const;
  uint32_t LostWorkers() const;
  // Those that are lost, and places that nobody has taken since the last division.
  uint32_t MissingWorkers() const;
  bool GoesOnWithoutLost();
  // The same, with as many places less as there are empty ones that nobody comes for.
  bool GoesOnWithoutPlaces(uint32_t places);
  bool GoesOnWithoutMissing();
  // One for whom room was made has left before it came; whatever on_worker_loss says.
  bool MayGoOnWithoutNewcomers() const;
  bool GoesOnWithoutNewcomers();
  v1::ProcessLostReply::Remedy RemedyForOldOne(const Membership::Before& before,
                                               const v1::ProcessLostRequest& request);
  void EndMeasuringBefore(uint64_t step);
  void AnswerRegisterAgain(CallId call);
  void EndSaves();
  uint64_t CurrentStep() const;
  void End(v1::JobPhase phase);
  void ServeTasks();
  void FailParked(const absl::Status& status);
  Missed FindMissed(absl::Time now) const;

  // Replies.
  absl::Status FailedStatus() const;
  v1::Assignment AssignmentOf(const Process& process) const;
  void AnswerHeartbeat(const ParkedCalls::Entry& entry);
  std::optional<v1::NextTaskReply> TaskFor(uint32_t worker);
  v1::GetProgressReply Progress(uint64_t events_seen) const;
  v1::JobFigures Figures() const;
  std::string WaitingFor() const;
  uint64_t ExamplesSoFar() const;

  const Mode mode_;
  v1::Job job_;
  const uint64_t job_id_;
  const absl::Duration startup_timeout_;
  const absl::Duration lost_after_;
  const std::string host_;
  const AdmitFunction admit_;
  const std::string checkpoints_;
  const PlanInitFunction plan_init_;
  const std::optional<ResumePoint> resume_;
  const EarlierLives earlier_;
  const bool fixed_workers_;
  const absl::Time start_;

  Membership members_;
  StopAgreement stop_;
  StragglerWatch stragglers_;
  v1::JobPhase phase_ = v1::STARTING;
  uint64_t sequence_ = 1;  // of what processes are told
  uint64_t news_ = 1;      // of what observers are told
  uint64_t generation_ = 0;
  std::string failure_;
  bool restorable_ = false;  // the failure was a loss
  uint32_t workers_lost_ = 0, workers_replaced_ = 0, recoveries_ = 0;
  std::optional<Scaling> scaling_;                  // the workers are stopping for it
  absl::Time joiner_asked_ = absl::InfinitePast();  // for the room that they make
  uint32_t wanted_workers_ = 0;                     // see GetProgressReply
  bool newcomers_ = false;                          // the last division has places for some
  uint64_t divisions_ = 0;
  absl::Time divided_at_ = absl::InfinitePast();
  std::string summary_;
  // Noticed while the job runs; the first time counts.
  std::string imbalance_, full_tables_;
  absl::Time now_;  // of the current event

  // From TRAINING on.
  std::optional<TrainingPlan> plan_;
  std::optional<TaskLedger> tasks_;  // async, ssp
  std::optional<ReportBook> reports_;
  std::optional<CheckpointKeeper> keeper_;
  uint64_t order_ = 0;             // number of the keeper's order that is under way
  IntervalSet tasks_at_order_;     // complete ones, when it was given
  std::string progress_at_order_;  // modes without steps: what was measured then
  // Modes with steps: what slices said of the version of the order, and what is known when all
  // have.
  std::map<uint64_t, v1::ReportRequest> partials_;
  std::map<uint64_t, std::string> records_;  // by version; "": it can't be known
  bool measured_by_all_ = false;             // every worker says what it has summed up by a version
  std::optional<CheckpointToCommit> written_;  // waits for that
  std::optional<Actions::Commit> committing_;
  CheckpointBase newest_checkpoint_;  // committed by this generation
  ValidationTrack track_;
  std::optional<CheckpointBest> best_;  // that was saved
  uint64_t best_order_ = 0;  // modes without steps: the first order that will do for the best
  uint64_t hold_ = 0;
  std::string early_stopping_;  // why the training ends by itself; "": it does not
  // By slice: what was summed up before, and since when. Empty: nothing was.
  std::vector<v1::ReportRequest> carried_;
  v1::Assignment assignment_;
  v1::MemoryReport memory_;
  absl::Time training_start_;
  absl::Time listening_since_ = absl::InfinitePast();  // see liveness.h
  absl::Time training_end_ = absl::InfiniteFuture();
  // From FINISHING on.
  uint64_t finishing_sequence_ = 0;
  bool model_asked_ = false;
  bool model_saved_ = false;
  std::string model_from_;

  ParkedCalls ready_;
  ParkedCalls heartbeats_;
  ParkedCalls next_tasks_;
  ParkedCalls observers_;
  ParkedCalls saving_calls_;  // their owner is the ticket
  SaveRequests saves_;
  std::optional<v1::SaveCheckpointReply> newest_saved_;
  EventLog events_;
  Actions actions_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_CORE_H_
