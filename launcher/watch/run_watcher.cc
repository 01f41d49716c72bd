#include "launcher/watch/run_watcher.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/mode.h"
#include "common/status.h"
#include "launcher/coordinator/training_plan.h"
#include "launcher/process/run_lookup.h"
#include "launcher/watch/compose_view.h"
#include "launcher/watch/stored_view.h"

namespace convoy {
namespace {

constexpr uint64_t kReadAtOnce = 16 << 20;

// Events come from the file, which has those of earlier lives of the job, too.
constexpr uint64_t kNoEvents = UINT64_MAX;

// Of the whole training, as the coordinator counts; 0: no report says yet how long an epoch is.
uint64_t TotalExamples(const v1::Job& job, const ProgressState& progress) {
  constexpr double kMost = 1e12;
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (!mode.ok() || !(progress.epoch > 0)) return 0;
  const double epoch_examples = static_cast<double>(progress.examples) / progress.epoch;
  if (!(epoch_examples >= 0.5 && epoch_examples <= kMost)) return 0;
  v1::DataSummary data;
  data.set_examples(static_cast<uint64_t>(epoch_examples + 0.5));
  return TrainingPlan(job, *mode, data).TotalExamples();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunWatcher>> RunWatcher::Open(std::string directory,
                                                             absl::Duration patience) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::NotFoundError(absl::StrCat("there is no folder \"", directory, "\""));
  }
  // A job that has just been started has its lock before its job.textproto.
  if (!std::filesystem::exists(directory + "/job.textproto", error) && !RunIsAlive(directory)) {
    return absl::NotFoundError(
        absl::StrCat("there is no run in \"", directory,
                     "\": it has no job.textproto; name the folder that `convoy train` calls "
                     "its run directory"));
  }
  return std::unique_ptr<RunWatcher>(new RunWatcher(std::move(directory), patience));
}

void RunWatcher::ReadNewEvents() {
  const std::string path = directory_ + "/events.jsonl";
  const absl::StatusOr<OwnedFd> file = OpenForReading(path);
  if (!file.ok()) return;
  for (;;) {
    const absl::StatusOr<uint64_t> size = FileSize(*file, path);
    if (!size.ok() || *size <= events_read_) return;
    std::string text(std::min(*size - events_read_, kReadAtOnce), '\0');
    if (!ReadExactlyAt(*file, events_read_, text.data(), text.size(), path).ok()) return;
    // A last line without a line break is still being written.
    const size_t whole = text.rfind('\n');
    if (whole == std::string::npos) return;
    std::string_view rest(text.data(), whole + 1);
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1)) {
      history_.Add(rest.substr(0, end));
    }
    events_read_ += whole + 1;
  }
}

RunView RunWatcher::ViewOfFiles() {
  ReadNewEvents();
  RunView view;
  view.directory = directory_;
  AddHistory(history_, &view);
  if (const auto text = ReadFile(directory_ + "/job.textproto"); text.ok()) {
    if (const auto job = ParseJob(*text, "job.textproto", {}); job.ok()) {
      view.job = job->name();
      view.mode = job->training().mode();
      view.progress.epochs = job->training().epochs();
      view.progress.total_examples = TotalExamples(ResolveDefaults(*job), view.progress);
    }
  }
  return view;
}

absl::Status RunWatcher::AskCoordinator(RunView* view) {
  const std::string address = CoordinatorOfRun(directory_);
  if (address.empty()) {
    view->state = "starting";
    return absl::OkStatus();
  }
  if (client_ == nullptr || address != address_) {
    client_.reset();
    CoordinatorClient::Options options;
    options.address = address_ = address;
    options.unreachable_after = patience_;
    CONVOY_ASSIGN_OR_RETURN(client_, CoordinatorClient::Connect(options));
  }
  CONVOY_ASSIGN_OR_RETURN(const v1::GetProgressReply reply,
                          client_->GetProgress(kNoEvents, /*seen=*/0));
  AddLive(reply, &live_, view);
  return absl::OkStatus();
}

void RunWatcher::ReadEnd(RunView* view) const {
  view->ended = true;
  const auto summary = ReadFile(directory_ + "/summary.json");
  if (!summary.ok()) {
    view->state = "was killed: nobody wrote how it ended";
    return;
  }
  if (absl::Status read = ReadStored(*summary, view); !read.ok())
    view->state = std::string(read.message());
}

absl::StatusOr<RunView> RunWatcher::Look() {
  RunView view = ViewOfFiles();
  if (!RunIsAlive(directory_)) {
    ReadEnd(&view);
    return view;
  }
  const absl::Status asked = AskCoordinator(&view);
  if (asked.ok()) return view;
  client_.reset();
  // It may have ended meanwhile.
  std::error_code error;
  if (!RunIsAlive(directory_) || std::filesystem::exists(directory_ + "/summary.json", error)) {
    view = ViewOfFiles();
    ReadEnd(&view);
    return view;
  }
  return absl::UnavailableError(
      absl::StrCat("the job in \"", directory_, "\" lives (", OwnerText(directory_),
                   "), but its coordinator does not answer: ", std::string(asked.message())));
}

}  // namespace convoy
