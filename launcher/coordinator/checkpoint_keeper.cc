#include "launcher/coordinator/checkpoint_keeper.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "launcher/coordinator/process.h"

namespace convoy {
namespace {

// Whoever reads a delta checkpoint has the files of all that it builds on open at once; a process
// may usually have 1024.
constexpr uint64_t kMostFilesOfAChain = 512;

constexpr uint64_t kWhereverTheyAre = std::numeric_limits<uint64_t>::max();

}  // namespace

CheckpointKeeper::CheckpointKeeper(const Options& options, absl::Time now)
    : options_(options), next_time_(now + options.every) {
  next_multiple_ = NextMultiple(options.first_step);
  if (Enabled() && options.rounds && options.exact_every > 0) {
    exact_ = 0;
    PassExact(options.first_step);
  }
}

void CheckpointKeeper::PassExact(uint64_t step) {
  if (step < exact_ || exact_ == std::numeric_limits<uint64_t>::max()) return;
  exact_ = (step / options_.exact_every + 1) * options_.exact_every;
  // The weights of the last step are Finish's.
  if (exact_ >= options_.total_steps) exact_ = std::numeric_limits<uint64_t>::max();
}

uint64_t CheckpointKeeper::hold() const {
  return exact_ == std::numeric_limits<uint64_t>::max() ? 0 : exact_;
}

// One that workers may pass will not be replaced any more.
void CheckpointKeeper::ReleaseIfArmed(uint64_t step) {
  const bool armed = state_ == State::kWriting || state_ == State::kCommitting;
  if (!armed || order_.version() != exact_ || step + margin_ < exact_) return;
  released_ = true;
  PassExact(exact_);
}

uint64_t CheckpointKeeper::NextMultiple(uint64_t step) const {
  if (options_.every_steps == 0) return std::numeric_limits<uint64_t>::max();
  return (step / options_.every_steps + 1) * options_.every_steps;
}

absl::Time CheckpointKeeper::NextDeadline() const {
  const bool waits = Enabled() && !finishing_ && (state_ == State::kIdle || by_steps_);
  return waits ? next_time_ : absl::InfiniteFuture();
}

bool CheckpointKeeper::MayWait(uint64_t step) const {
  const bool waits = state_ == State::kArming || state_ == State::kWriting;
  return waits && by_steps_ && !released_ && step + margin_ < order_.version();
}

uint64_t CheckpointKeeper::Request(uint64_t step) {
  const uint64_t order = order_.number();
  const bool is_coming = state_ == State::kArming && options_.rounds && order_.version() > step;
  const uint64_t first = is_coming && !MayWait(step) ? order : order + 1;
  if (first == order) order_.clear_base();  // servers have not begun to write
  asked_ = std::max(asked_, first);
  return first;
}

void CheckpointKeeper::NoteAnswered() {
  if (order_.number() >= asked_) asked_ = 0;
}

bool CheckpointKeeper::Tick(absl::Time now, uint64_t step) {
  if (!Enabled() || finishing_) return false;
  const bool is_time = now >= next_time_;
  const bool timed = is_time || asked_ > order_.number();
  if (is_time) next_time_ = now + options_.every;
  ReleaseIfArmed(step);
  PassExact(step);  // by somebody who does not hold
  if (state_ != State::kIdle && !(timed && MayWait(step))) return false;
  if (!options_.rounds) {
    const bool counted = step >= next_multiple_;
    if (counted) next_multiple_ = NextMultiple(step);
    return (timed || counted) && Begin(kWhereverTheyAre, now);
  }
  if (next_multiple_ <= step) next_multiple_ = NextMultiple(step);
  by_steps_ = !timed || step + margin_ >= NextByStep();
  if (!by_steps_) return Begin(step + margin_, now);
  return NextByStep() < std::numeric_limits<uint64_t>::max() && Begin(NextByStep(), now);
}

// One at the last step is Finish's.
bool CheckpointKeeper::Begin(uint64_t version, absl::Time now) {
  if (options_.rounds && version != kWhereverTheyAre && version >= options_.total_steps)
    return false;
  const uint64_t number = order_.number() + 1;
  if (state_ != State::kIdle) discard_ = order_.folder();
  order_.Clear();
  order_.set_number(number);
  order_.set_version(version);
  order_.set_folder(
      absl::StrCat(options_.folder, "/", TemporaryCheckpointName(number, options_.generation)));
  // What somebody asks for is complete, as the last one is.
  const uint64_t files = (uint64_t{deltas_in_row_} + 2) * options_.servers;
  const bool may_be_delta =
      !final_ && asked_ == 0 && deltas_in_row_ < options_.deltas && files <= kMostFilesOfAChain;
  if (may_be_delta) order_.set_base(committed_);
  said_.assign(options_.servers, {});
  worker_armed_ = options_.workers;
  if (version == kWhereverTheyAre) worker_armed_.clear();
  worker_armed_.flip();
  released_ = false;
  state_ = State::kArming;
  begun_ = now;
  return true;
}

void CheckpointKeeper::SetWorkers(std::vector<bool> workers) {
  options_.workers = std::move(workers);
  if (worker_armed_.empty()) return;  // none is to arm the one under way
  worker_armed_ = options_.workers;
  worker_armed_.flip();
}

bool CheckpointKeeper::Finish(absl::Time now, uint64_t step) {
  finishing_ = true;
  last_step_ = step;
  if (!Enabled() || state_ == State::kCommitting) return false;  // OnCommitted goes on
  // As a complete one.
  const bool saved = options_.rounds && newest_ == step && taken_ > 0 && deltas_in_row_ == 0;
  if ((!options_.at_end && asked_ == 0) || saved) {
    const bool under_way = state_ != State::kIdle;
    if (under_way) GiveUp("");
    return under_way;
  }
  final_ = true;
  return Begin(kWhereverTheyAre, now);
}

bool CheckpointKeeper::AllSay(v1::SnapshotState::Progress progress) const {
  return std::all_of(said_.begin(), said_.end(),
                     [&](const auto& said) { return said.progress() == progress; });
}

bool CheckpointKeeper::AllArmed() const {
  return AllSay(v1::SnapshotState::ARMED) &&
         std::all_of(worker_armed_.begin(), worker_armed_.end(), [](bool armed) { return armed; });
}

bool CheckpointKeeper::OnArmed() {
  if (!AllArmed()) return false;
  state_ = State::kWriting;
  order_.set_write(true);
  return true;
}

bool CheckpointKeeper::OnWorkerState(uint32_t rank, const v1::SnapshotState& state,
                                     absl::Time now) {
  const bool news = state_ == State::kArming && state.number() == order_.number() &&
                    rank < worker_armed_.size() && !worker_armed_[rank];
  if (!news) return false;
  if (state.progress() == v1::SnapshotState::REFUSED) return TryLater(state.version(), now);
  if (state.progress() != v1::SnapshotState::ARMED) return false;
  worker_armed_[rank] = true;
  return OnArmed();
}

bool CheckpointKeeper::OnState(uint32_t rank, const v1::SnapshotState& state, absl::Time now) {
  const bool news = state.number() == order_.number() && state.number() != 0 &&
                    rank < said_.size() && said_[rank].progress() != state.progress();
  if (!news || (state_ != State::kArming && state_ != State::kWriting)) return false;
  said_[rank] = state;
  switch (state.progress()) {
    case v1::SnapshotState::REFUSED:
      return TryLater(state.version(), now);
    case v1::SnapshotState::ARMED:
      return OnArmed();
    case v1::SnapshotState::FAILED_TO_WRITE:
      GiveUp(absl::StrCat(ProcessName(v1::SERVER, rank), ": ", state.error()));
      return true;
    case v1::SnapshotState::WRITTEN:
      return OnWritten();
    default:
      return false;
  }
}

bool CheckpointKeeper::OnWritten() {
  if (!AllSay(v1::SnapshotState::WRITTEN)) return false;
  CheckpointToCommit commit;
  commit.step = said_[0].version();
  commit.examples = said_[0].examples();
  for (const v1::SnapshotState& said : said_) {
    commit.dropped += said.dropped();
    commit.delta = commit.delta || said.delta();
  }
  if (commit.delta && commit.step <= newest_) {  // nothing has happened: its base is as new
    GiveUp("");
    return true;
  }
  state_ = State::kCommitting;
  commit.folder = order_.folder();
  commit.files = said_;
  commit.begun = begun_;
  commit_ = std::move(commit);
  return false;
}

// Fast workers are overtaken in the end: the margin doubles.
bool CheckpointKeeper::TryLater(uint64_t beyond, absl::Time now) {
  margin_ *= 2;
  // Passed by somebody who does not hold; those who are at it can still have it.
  if (beyond > exact_ || order_.version() == exact_) PassExact(std::max(beyond, exact_));
  uint64_t version = beyond + margin_;
  if (by_steps_) version = next_multiple_ = NextMultiple(version);
  by_steps_ = by_steps_ || version >= exact_;
  version = std::min(version, exact_);
  // Else the job ends before.
  if (version == kWhereverTheyAre || !Begin(version, now)) GiveUp("");
  return true;
}

void CheckpointKeeper::GiveUp(const std::string& why) {
  discard_ = order_.folder();
  if (!why.empty()) {
    if (order_.version() == exact_) PassExact(exact_);
    NoteAnswered();
    failure_ = why;
    ++failed_;
  }
  const uint64_t number = order_.number() + 1;
  order_.Clear();
  order_.set_number(number);  // without a folder: nothing is wanted
  if (asked_ != 0) asked_ = std::max(asked_, number + 1);
  said_.assign(options_.servers, {});
  state_ = State::kIdle;
}

std::string CheckpointKeeper::WaitingFor() const {
  if (state_ == State::kCommitting) return "the manifest to be written";
  if (state_ == State::kIdle) return "";
  const bool writing = state_ == State::kWriting;
  const auto behind = std::find_if(said_.begin(), said_.end(), [&](const auto& said) {
    return said.progress() != (writing ? v1::SnapshotState::WRITTEN : v1::SnapshotState::ARMED);
  });
  std::string who;
  if (behind != said_.end()) {
    who = ProcessName(v1::SERVER, static_cast<uint32_t>(behind - said_.begin()));
  } else {
    const auto worker = std::find(worker_armed_.begin(), worker_armed_.end(), false);
    who = ProcessName(v1::WORKER, static_cast<uint32_t>(worker - worker_armed_.begin()));
  }
  const bool anywhere = order_.version() == kWhereverTheyAre;
  return absl::StrCat(who, writing ? " to write its file" : " to agree",
                      anywhere
                          ? std::string()
                          : absl::StrCat(writing ? " of step " : " on step ", order_.version()));
}

std::optional<CheckpointToCommit> CheckpointKeeper::TakeCommit() {
  return std::exchange(commit_, std::nullopt);
}

bool CheckpointKeeper::OnCommitted(bool ok, absl::Time now, uint64_t step) {
  if (state_ != State::kCommitting) return false;
  state_ = State::kIdle;
  margin_ = 2;
  NoteAnswered();
  if (ok) {
    ++taken_;
    newest_ = said_[0].version();
    committed_ = order_.number();
    const bool delta =
        std::any_of(said_.begin(), said_.end(), [](const auto& said) { return said.delta(); });
    deltas_in_row_ = delta ? deltas_in_row_ + 1 : 0;
    PassExact(newest_);
  } else {
    ++failed_;
  }
  if (finishing_) return !final_ && Finish(now, last_step_);
  next_multiple_ = std::max(next_multiple_, NextMultiple(std::max(step, newest_)));
  return Tick(now, step);
}

}  // namespace convoy
