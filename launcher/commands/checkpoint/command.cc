// `convoy checkpoint list|inspect|verify|diff|export|prune`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/checkpoint/best_checkpoint.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/pruning.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/status.h"
#include "launcher/commands/checkpoint/argument.h"
#include "launcher/commands/checkpoint/diff.h"
#include "launcher/commands/checkpoint/export.h"
#include "launcher/commands/checkpoint/inspect.h"
#include "launcher/commands/checkpoint/list.h"
#include "launcher/commands/checkpoint/prune.h"
#include "launcher/commands/checkpoint/verify.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/process/run_lookup.h"

namespace convoy {
namespace {

constexpr char kOneCheckpoint[] =
    "RUN_DIR (its newest checkpoint), RUN_DIR@STEP, RUN_DIR@best, or the folder of a checkpoint";
constexpr char kSomeCheckpoints[] =
    "RUN_DIR (all its checkpoints), RUN_DIR@STEP, RUN_DIR@best, or the folder of a checkpoint";

struct CheckpointOptions {
  std::string place;
  std::string other;  // diff
  std::string file;   // export
  bool job = false;   // inspect
  PruningRule rule;   // prune
  bool dry_run = false;
};

// CLI11 takes "-1" for a very large number. Empty: nothing is wrong.
std::string WantsCount(const std::string& text) {
  uint64_t count = 0;
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && absl::SimpleAtoi(text, &count) && count > 0) return "";
  return absl::StrCat("got \"", text, "\", want 1 or more");
}

void PrintNow(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

// For commands that use the values: they are as they were written.
absl::StatusOr<std::unique_ptr<CheckpointReader>> OpenVerified(const StoredCheckpoint& checkpoint) {
  CONVOY_RETURN_IF_ERROR(VerifyCheckpoint(checkpoint.path));
  return CheckpointReader::Open(checkpoint.path);
}

// 2 for arguments that name no checkpoint, 1 for what is wrong with those that they name.
int FailToFind(const absl::Status& status) {
  return Fail(status, absl::IsDataLoss(status) ? kExitFailed : kExitBadUsage);
}

int RunList(const CheckpointOptions& options) {
  const absl::StatusOr<std::string> text = ListText(options.place, absl::Now());
  if (!text.ok()) return FailToFind(text.status());
  PrintNow(*text);
  return kExitDone;
}

int RunInspect(const CheckpointOptions& options) {
  const absl::StatusOr<StoredCheckpoint> place = OneCheckpoint(options.place);
  if (!place.ok()) return FailToFind(place.status());
  const auto checkpoint = CheckpointReader::Open(place->path);
  if (!checkpoint.ok()) return Fail(checkpoint.status());
  PrintNow(options.job ? (*checkpoint)->manifest().job : InspectText(**checkpoint, absl::Now()));
  return kExitDone;
}

int RunVerify(const CheckpointOptions& options) {
  const auto checkpoints = AllCheckpoints(options.place);
  if (!checkpoints.ok()) return FailToFind(checkpoints.status());
  return Fail(VerifyCheckpoints(*checkpoints, PrintNow));
}

int RunDiff(const CheckpointOptions& options) {
  const absl::StatusOr<StoredCheckpoint> place_a = OneCheckpoint(options.place);
  if (!place_a.ok()) return FailToFind(place_a.status());
  const absl::StatusOr<StoredCheckpoint> place_b = OneCheckpoint(options.other);
  if (!place_b.ok()) return FailToFind(place_b.status());
  const auto a = OpenVerified(*place_a);
  if (!a.ok()) return Fail(a.status());
  const auto b = OpenVerified(*place_b);
  if (!b.ok()) return Fail(b.status());
  const absl::StatusOr<std::string> text = DiffText(**a, **b);
  if (!text.ok()) return Fail(text.status());
  PrintNow(*text);
  return kExitDone;
}

int RunExport(const CheckpointOptions& options) {
  const absl::StatusOr<StoredCheckpoint> place = OneCheckpoint(options.place);
  if (!place.ok()) return FailToFind(place.status());
  const auto checkpoint = OpenVerified(*place);
  if (!checkpoint.ok()) return Fail(checkpoint.status());
  const absl::Status status = ExportCheckpoint(**checkpoint, options.file);
  if (absl::IsAlreadyExists(status) || absl::IsFailedPrecondition(status)) {
    return Fail(status, kExitBadUsage);
  }
  if (!status.ok()) return Fail(status);
  PrintNow(absl::StrCat("wrote the weights of step ", place->step, " to ", options.file, "\n"));
  return kExitDone;
}

std::string RunOfCheckpoints(const std::string& checkpoints) {
  std::error_code error;  // one that does not exist has no run either
  const std::filesystem::path whole = std::filesystem::weakly_canonical(checkpoints, error);
  const std::filesystem::path run =
      (whole.has_filename() ? whole : whole.parent_path()).parent_path();
  return run.empty() ? "." : run.string();
}

int RunPrune(const CheckpointOptions& options) {
  const auto argument = ParseCheckpointArgument(options.place);
  if (!argument.ok()) return FailToFind(argument.status());
  if (argument->one) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
                    options.place, " is one checkpoint, want a run directory to prune")),
                kExitBadUsage);
  }
  // The coordinator removes checkpoints, too.
  const std::string run = RunOfCheckpoints(argument->checkpoints);
  if (!options.dry_run && RunIsAlive(run)) {
    return Fail(absl::FailedPreconditionError(
                    absl::StrCat("the run in \"", run, "\" is under way (", OwnerText(run),
                                 "): it removes checkpoints itself, by checkpoint.keep_last; wait "
                                 "for its end, or use --dry-run")),
                kExitBadUsage);
  }
  const auto checkpoints = ListCheckpoints(argument->checkpoints);
  if (!checkpoints.ok()) return Fail(checkpoints.status());
  PruningRule rule = options.rule;
  if (const auto best = ReadBest(argument->checkpoints); best.ok()) rule.keep.push_back(best->step);
  absl::Status pruned = PruneCheckpoints(*checkpoints, rule, options.dry_run, PrintNow);
  // Of a run that is under way they are no leftovers.
  if (pruned.ok() && !RunIsAlive(run))
    pruned = PruneLeftovers(argument->checkpoints, options.dry_run, PrintNow);
  return Fail(pruned);
}

}  // namespace

void AddCheckpointCommand(CommandSet& commands) {
  CLI::App* group = commands.app.add_subcommand(
      "checkpoint", "Look at the checkpoints of a run, check, compare, export and remove them");
  group->require_subcommand(1);
  group->footer("\nconvoy help checkpoint COMMAND explains one of them.");
  const auto add = [&](const char* name, const char* help, int (*run)(const CheckpointOptions&),
                       const char* place, const char* place_help) {
    auto options = std::make_shared<CheckpointOptions>();
    CLI::App* command = commands.AddTo<CheckpointOptions>(*group, name, help, options, run);
    command->add_option(place, options->place, place_help)->required()->type_name("");
    return std::pair(command, options);
  };
  add("list", "One line for each checkpoint: step, examples, age, size", RunList, "RUN_DIR",
      kSomeCheckpoints);
  const auto [inspect, inspected] =
      add("inspect", "What a checkpoint says of itself, its variables and tables", RunInspect,
          "CHECKPOINT", kOneCheckpoint);
  inspect->add_flag("--job", inspected->job, "Print its resolved job file instead");
  add("verify", "Read every byte and compare checksums; exit code 1 if something is damaged",
      RunVerify, "RUN_DIR", kSomeCheckpoints);
  const auto [diff, compared] =
      add("diff", "How far weights and rows have moved from A to B", RunDiff, "A", kOneCheckpoint);
  diff->add_option("B", compared->other, "Likewise")->required()->type_name("");
  const auto [exports, exported] =
      add("export", "Write the weights as a model file, like model.safetensors of a run", RunExport,
          "CHECKPOINT", kOneCheckpoint);
  exports
      ->add_option("FILE", exported->file,
                   "New file; DIR/model.safetensors makes DIR a run for `evaluate` and `predict`")
      ->required()
      ->type_name("");
  const auto [prune, pruned] =
      add("prune", "Remove all checkpoints but the newest and those of chosen steps", RunPrune,
          "RUN_DIR", "Run directory, or its folder of checkpoints");
  prune->add_option("--keep-last", pruned->rule.keep_last, "How many of the newest stay")
      ->type_name("N")
      ->required()
      ->check(WantsCount);
  prune
      ->add_option("--keep-every", pruned->rule.keep_every,
                   "Those of steps that are multiples of this stay too")
      ->type_name("STEPS")
      ->check(WantsCount);
  prune->add_flag("--dry-run", pruned->dry_run, "Only say what would go");
}

}  // namespace convoy
