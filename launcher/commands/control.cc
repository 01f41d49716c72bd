// `convoy control RUN_DIR checkpoint|stop|scale`: asks the coordinator of a job that runs.
#include <cstdio>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/clock.h"
#include "common/files/file_io.h"
#include "common/net/coordinator_client.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/process/run_lookup.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

constexpr absl::Duration kAnswerWithin = absl::Seconds(5);
constexpr absl::Duration kQuiet = absl::Seconds(3);  // workers come one by one
constexpr uint64_t kOnlyNewEvents = std::numeric_limits<uint64_t>::max();

struct ControlOptions {
  std::string run_dir;
  std::string request;   // "checkpoint", "stop", "scale"
  uint32_t workers = 0;  // scale
};

void Say(const std::string& text) {
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// What is waited for, once each.
class WaitNotes {
 public:
  void Say(const std::string& what) {
    if (what.empty() || what == last_) return;
    last_ = what;
    std::fprintf(stderr, "waiting for %s\n", what.c_str());
  }

 private:
  std::string last_;
};

std::string SizeText(uint64_t bytes) { return BytesText(static_cast<double>(bytes)); }

absl::Status WithoutAnswer(const absl::Status& status, const std::string& run_dir) {
  if (!absl::IsUnavailable(status)) return status;
  return absl::UnavailableError(absl::StrCat(std::string(status.message()), "; the run in \"",
                                             run_dir, "\" is held by ", OwnerText(run_dir),
                                             ", see its logs/coordinator-0.log"));
}

// `ticket`: of an earlier request; 0: a checkpoint of now.
absl::Status WaitUntilSaved(CoordinatorClient& client, uint64_t ticket) {
  WaitNotes notes;
  v1::SaveCheckpointReply reply;
  reply.set_ticket(ticket);
  while (!reply.committed()) {
    CONVOY_ASSIGN_OR_RETURN(reply, client.SaveCheckpoint(reply.ticket()));
    notes.Say(reply.waiting_for());
  }
  Say(absl::StrCat("saved ", reply.folder(), "\n  step   ", reply.step(), "\n  bytes  ",
                   reply.bytes(), " (", SizeText(reply.bytes()), ")"));
  return absl::OkStatus();
}

// Keeps an event that speaks of a checkpoint.
void NoteCheckpoint(const std::string& event, nlohmann::json* last) {
  auto line = nlohmann::json::parse(event, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) return;
  const std::string kind = line.value("kind", "");
  if (kind == "checkpoint" || kind == "checkpoint_failed") *last = std::move(line);
}

absl::Status TellStopped(const std::string& run_dir, const std::string& summary,
                         const nlohmann::json& checkpoint) {
  const auto json = nlohmann::json::parse(summary, nullptr, /*allow_exceptions=*/false);
  const uint64_t step = json.is_object() ? json.value("steps", uint64_t{0}) : 0;
  Say(absl::StrCat("stopped after step ", step, "; weights in ", run_dir, "/model.safetensors"));
  if (checkpoint.value("kind", "") == "checkpoint_failed") {
    return absl::AbortedError(
        absl::StrCat("its checkpoint could not be saved: ", checkpoint.value("error", "")));
  }
  const uint64_t saved = checkpoint.value("step", uint64_t{0});
  const std::string folder =
      absl::StrCat(run_dir, "/", kCheckpointsFolder, "/", CheckpointName(saved));
  if (checkpoint.contains("step") && saved >= step) {
    Say(absl::StrCat("saved ", folder, " (", SizeText(checkpoint.value("bytes", uint64_t{0})),
                     ")"));
  } else {
    Say("no checkpoint of its end was saved (checkpoint.at_end is false, or the mode takes none)");
  }
  return absl::OkStatus();
}

// The job was gone before it could say how it ended: what it wrote says so.
absl::Status TellEnd(const std::string& run_dir) {
  CONVOY_ASSIGN_OR_RETURN(const std::string summary, ReadFile(run_dir + "/summary.json"));
  const auto json = nlohmann::json::parse(summary, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("failure")) {
    return absl::AbortedError(absl::StrCat("the job has failed: ", json.value("failure", "")));
  }
  CONVOY_ASSIGN_OR_RETURN(const std::string events, ReadFile(run_dir + "/events.jsonl"));
  nlohmann::json checkpoint = nlohmann::json::object();
  for (const auto& event : absl::StrSplit(events, '\n', absl::SkipEmpty())) {
    NoteCheckpoint(std::string(event), &checkpoint);
  }
  return TellStopped(run_dir, summary, checkpoint);
}

// Of a job that is gone before it did what was asked.
absl::Status TellEarlyEnd(const std::string& run_dir) {
  CONVOY_RETURN_IF_ERROR(TellEnd(run_dir));
  return absl::AbortedError("the job has ended before its workers were divided anew");
}

absl::Status StopAndWait(CoordinatorClient& client, const std::string& run_dir) {
  CONVOY_ASSIGN_OR_RETURN(const v1::GetProgressReply before, client.GetProgress(kOnlyNewEvents, 0));
  uint64_t events_seen = before.events_seen(), seen = 0;
  CONVOY_RETURN_IF_ERROR(client.Stop("convoy control"));
  nlohmann::json checkpoint = nlohmann::json::object();
  WaitNotes notes;
  for (;;) {
    const auto progress = client.GetProgress(events_seen, seen);
    if (absl::IsUnavailable(progress.status()) && !RunIsAlive(run_dir)) return TellEnd(run_dir);
    CONVOY_RETURN_IF_ERROR(progress.status());
    for (const std::string& event : progress->events()) NoteCheckpoint(event, &checkpoint);
    events_seen = progress->events_seen();
    seen = progress->sequence();
    if (progress->phase() == v1::FAILED) {
      return absl::AbortedError(absl::StrCat("the job has failed: ", progress->failure()));
    }
    if (progress->phase() == v1::DONE) return TellStopped(run_dir, progress->summary(), checkpoint);
    notes.Say(progress->waiting_for());
  }
}

// Whether the job has so many workers, and all of them are there.
bool HasWorkers(const v1::GetProgressReply& progress, uint32_t workers) {
  uint32_t ready = 0;
  for (const v1::ProcessInfo& process : progress.processes()) {
    if (process.role() == v1::WORKER && process.ready() && process.lost().empty()) ++ready;
  }
  return progress.job().cluster().workers() == workers && ready == workers;
}

// A job that waits for a process, or divides its workers anew already, is asked again.
absl::Status ScaleAndWait(CoordinatorClient& client, const std::string& run_dir, uint32_t workers) {
  absl::Status asked = client.Scale(workers);
  if (!asked.ok() && !absl::IsAborted(asked)) return asked;
  WaitNotes notes;
  const absl::Time begun = SteadyNow();
  absl::Time give_up = absl::InfiniteFuture();
  for (uint64_t seen = 0;;) {
    const auto progress = client.GetProgress(kOnlyNewEvents, seen);
    if (absl::IsUnavailable(progress.status()) && !RunIsAlive(run_dir))
      return TellEarlyEnd(run_dir);
    CONVOY_RETURN_IF_ERROR(progress.status());
    seen = progress->sequence();
    if (progress->phase() == v1::FAILED) {
      return absl::AbortedError(absl::StrCat("the job has failed: ", progress->failure()));
    }
    if (progress->phase() != v1::TRAINING)
      return absl::AbortedError("the job has ended before its workers were divided anew");
    if (!asked.ok()) {
      asked = client.Scale(workers);
      if (asked.ok()) {
        give_up = absl::InfiniteFuture();  // the division has a time of its own
        continue;
      }
      // Others may have divided them so meanwhile.
      if (absl::IsInvalidArgument(asked) && progress->job().cluster().workers() == workers)
        asked = absl::OkStatus();
      if (!asked.ok() && !absl::IsAborted(asked) && !absl::IsUnavailable(asked)) return asked;
    }
    if (asked.ok() && HasWorkers(*progress, workers)) {
      Say(absl::StrCat("goes on with ", CountText(workers, "worker"), " at step ",
                       progress->figures().step()));
      return absl::OkStatus();
    }
    if (give_up == absl::InfiniteFuture()) {
      give_up = SteadyNow() + kAnswerWithin +
                absl::Milliseconds(progress->job().cluster().startup_timeout_ms());
    }
    if (SteadyNow() > give_up) {
      return absl::DeadlineExceededError(
          absl::StrCat("the job does not go on yet with ", CountText(workers, "worker"), ": ",
                       asked.ok() ? progress->waiting_for() : std::string(asked.message()),
                       "; see `convoy status ", run_dir, "`"));
    }
    if (SteadyNow() > begun + kQuiet) notes.Say(progress->waiting_for());
  }
}

int RunControlCommand(const ControlOptions& options) {
  std::string run_dir = options.run_dir;
  while (run_dir.size() > 1 && run_dir.back() == '/') run_dir.pop_back();
  if ((options.request == "scale") != (options.workers > 0)) {
    return Fail(
        absl::InvalidArgumentError("scale goes with --workers N, and no other request does"),
        kExitBadUsage);
  }
  const absl::StatusOr<std::string> address = CoordinatorOfRunningJob(run_dir);
  if (!address.ok()) return Fail(address.status(), kExitBadUsage);
  CoordinatorClient::Options client_options;
  client_options.address = *address;
  client_options.unreachable_after = kAnswerWithin;
  const auto client = CoordinatorClient::Connect(client_options);
  absl::Status status = client.status();
  if (status.ok()) {
    if (options.request == "stop") {
      status = StopAndWait(**client, run_dir);
    } else if (options.request == "scale") {
      status = ScaleAndWait(**client, run_dir, options.workers);
    } else {
      status = WaitUntilSaved(**client, /*ticket=*/0);
    }
  }
  return Fail(WithoutAnswer(status, run_dir));
}

}  // namespace

void AddControlCommand(CommandSet& commands) {
  auto options = std::make_shared<ControlOptions>();
  CLI::App* command = commands.Add<ControlOptions>(
      "control", "Ask a job that runs to save a checkpoint, to stop, or for more or fewer workers",
      options, RunControlCommand);
  command->add_option("RUN_DIR", options->run_dir, "Its run directory")->required()->type_name("");
  command
      ->add_option(
          "REQUEST", options->request,
          "checkpoint: save one now, and wait until it is complete; stop: save, then end, as "
          "after SIGTERM; scale: go on with --workers")
      ->required()
      ->type_name("checkpoint|stop|scale")
      ->check(CLI::IsMember({"checkpoint", "stop", "scale"}));
  command->add_option("--workers", options->workers, "With scale: so many worker processes")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
}

}  // namespace convoy
